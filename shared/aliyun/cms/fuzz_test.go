package cms

import (
	"testing"

	"fleetwarden/shared/fleet"
)

func FuzzPoints(f *testing.F) {
	f.Add("[]")
	f.Add(`[{"timestamp":1,"userId":"1000000000000001","region":"cn-hangzhou","queue":"a","Maximum":1}]`)
	f.Add(`[{"timestamp":1,"userId":"1000000000000001","region":"cn-hangzhou","queue":"a","value":1e300}]`)
	c := New(nil, fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"})
	f.Fuzz(func(t *testing.T, points string) {
		into := map[string]sample{}
		err := c.read(points, into)
		for q, s := range into {
			if q == "" || s.n < 0 || s.at.IsZero() {
				t.Errorf("%q: %+v, %v", q, s, err)
			}
		}
	})
}
