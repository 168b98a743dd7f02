package fleet_test

import (
	"testing"
	"time"

	"fleetwarden/shared/fleet"
)

func TestTimesOfEventsAreReadInEveryPublishedSpelling(t *testing.T) {
	want := time.Date(2026, 11, 20, 8, 15, 31, 0, time.UTC)
	for text, ok := range map[string]bool{
		"2026-11-20T08:15:31Z": true, "2026-11-20T08:15:31.204Z": true, "2026-11-20T16:15:31+08:00": true, "2026-11-20T16:15:31.204PRC": true,
		"2026-11-20T16:15:31Asia/Shanghai": true, "2026-11-20T08:15:31": true, "2026-11-20T08:15:31.204": true,
		"2026-11-20 08:15:31": true, "2026-11-20 08:15:31Z": true, "2026-11-20T16:15:31+0800": true, "1795162531": true, "1795162531204": true,
		"179516253": false, "-795162531": false, "+795162531": false, "1795162531.0": false, "17951625312": false,
		"": false, "PRC": false, "20 Nov": false, "2026-11-20": false, "2026-11-20T08:15:31X": false, "2026-11-20T08:15:31ZPRC": false,
	} {
		if got, err := fleet.ParseTime(text); (err == nil) != ok || ok && !got.Truncate(time.Second).Equal(want) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	for _, text := range []string{"2026-11-20T08:15:31Z", "2026-11-20T16:15:31.204PRC", "2026-11-20T16:15:31Asia/Shanghai", "2026-11-20T08:15:31"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := fleet.ParseTime(text)
		if err != nil {
			return
		}
		again, err := fleet.ParseTime(at.UTC().Format(time.RFC3339Nano))
		if err != nil || !again.Equal(at) {
			t.Errorf("%q is %v, and then %v, %v", text, at, again, err)
		}
	})
}
