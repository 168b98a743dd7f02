package deployment

import "testing"

func FuzzParse(f *testing.F) {
	const name = "deployments/20260105T000000Z-cn-hangzhou-0000000a.json"
	f.Add(`{"v":1,"at":"2026-01-05T00:00:00Z","region":"cn-hangzhou","home":"cn-hangzhou"}`)
	f.Add(`{"at":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := parse(name, []byte(text)); err == nil && (r.V != Version || r.Region != "cn-hangzhou" || r.At.IsZero()) {
			t.Errorf("%q is read as %+v", text, r)
		}
	})
}
