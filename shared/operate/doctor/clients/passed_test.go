package clients

import (
	"testing"
	"time"

	"fleetwarden/shared/aliyun/sls"
	"fleetwarden/shared/operate/doctor"
)

// The newest pass counts, and of the events the newest that names its time, whatever else the
// lines have.
func TestTheLastPassAndTheLastEventComeFromTheNewestLines(t *testing.T) {
	noon := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	line := func(ago time.Duration, message string) sls.Line {
		return sls.Line{At: noon.Add(-ago), Fields: map[string]string{"message": message}}
	}
	timer, launch := `{"type":"pass","pass":{"refs":0}}`, `{"type":"pass","pass":{"refs":1,"delayMs":90000}}`
	for name, c := range map[string]struct {
		lines []sls.Line
		want  doctor.Passed
	}{
		"none":              {nil, doctor.Passed{}},
		"a timer":           {[]sls.Line{line(0, timer)}, doctor.Passed{At: noon}},
		"an event":          {[]sls.Line{line(time.Minute, launch), line(time.Hour, launch)}, doctor.Passed{At: noon.Add(-time.Minute), Event: noon.Add(-150 * time.Second)}},
		"a timer after it":  {[]sls.Line{line(0, timer), line(time.Hour, launch)}, doctor.Passed{At: noon, Event: noon.Add(-61*time.Minute - 30*time.Second)}},
		"lines of no form":  {[]sls.Line{line(0, ""), line(0, "{"), line(0, `{"pass":null}`), line(0, `[]`)}, doctor.Passed{At: noon}},
		"a negative number": {[]sls.Line{line(0, `{"pass":{"delayMs":-5}}`)}, doctor.Passed{At: noon}},
	} {
		if got := passed(c.lines); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
