package ledger

import "testing"

func FuzzACountIsReadOrRefused(f *testing.F) {
	for _, s := range []string{`{"v":1,"uses":[{"at":"2026-01-05T12:00:00Z","n":3}]}`, `{"v":1}`, `{"v":2}`, `[]`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		uses, err := decodeCount("name", body)
		for _, u := range uses {
			if err != nil || u.N < 1 || u.At.IsZero() {
				t.Errorf("%+v, %v", uses, err)
			}
		}
	})
}
