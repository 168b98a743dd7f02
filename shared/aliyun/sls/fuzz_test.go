package sls

import "testing"

func FuzzLines(f *testing.F) {
	f.Add([]byte(`{"meta":{"progress":"Complete"},"data":[{"__time__":"1767571200","functionName":"f","message":"{\"type\":\"pass\"}"}]}`))
	f.Add([]byte(`{"meta":{"progress":"Incomplete"},"data":[{"__time__":1767571200,"durationMs":2.92,"message":null}]}`))
	f.Add([]byte(`{"meta":{"progress":"Complete"},"data":[{"__time__":"9223372036854775807"}]}`))
	f.Add([]byte(`{"meta":{},"data":[{}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := decode[page](text)
		if err != nil {
			return
		}
		lines, complete, err := p.lines(3)
		if len(lines) > 3 || err != nil && (complete || lines != nil) {
			t.Errorf("%d lines, complete %t, %v", len(lines), complete, err)
		}
		for _, l := range lines {
			if _, err := l.At.MarshalText(); err != nil || l.At.Unix() <= 0 || l.Fields["__time__"] == "" {
				t.Errorf("%+v, %v", l, err)
			}
		}
	})
}
