package trail

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// The pages show times as text, and as a number of milliseconds.
func TestADeliveryThatFailedOrIsOldIsAFault(t *testing.T) {
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ failure, at, want string }{
		{"", "", ""},
		{"", `""`, ""},
		{"", `"soon"`, ""},
		{"", `"2026-01-05T11:00:00Z"`, ""},
		{"", `"1767610800000"`, ""},
		{"", `1767610800000`, ""},
		{"write sls failed", `1767610800000`, "the latest delivery to OSS failed: write sls failed"},
		{"", `"2025-02-05T11:00:00Z"`, "the latest delivery to OSS was at 2025-02-05T11:00:00Z"},
		{"", `1738753200000`, "the latest delivery to OSS was at 2025-02-05T11:00:00Z"},
	} {
		if got := fault("OSS", c.failure, jsontext.Value(c.at), now); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func FuzzMoment(f *testing.F) {
	f.Add(`"2026-01-05T11:00:00Z"`)
	f.Add(`1767610800000`)
	f.Fuzz(func(t *testing.T, v string) {
		if at := moment(jsontext.Value(v)); !at.IsZero() && at.Location() != time.UTC {
			t.Errorf("%q is read as %s", v, at)
		}
	})
}
