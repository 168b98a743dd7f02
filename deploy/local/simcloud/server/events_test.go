package server_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
)

// Published samples can be posted as they are.
func TestEveryCloudEventOfTheSamplesIsTaken(t *testing.T) {
	s := start(t, server.Options{})
	var got []simcloud.Event
	s.World.Subscribe(func(e simcloud.Event) { got = append(got, e) })
	files, err := filepath.Glob("../../../../events/samples/*.json")
	if err != nil {
		t.Fatal(err)
	}
	posted := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var sample struct {
			SpecVersion, Type, ID string
			Account               string `json:"aliyunaccountid"`
		}
		if json.Unmarshal(text, &sample) != nil || sample.SpecVersion == "" || sample.Account == "" {
			continue // a payload of another trigger
		}
		posted++
		if status, answer := control(t, s, "POST", "events", string(text)); status != 200 || len(got) != posted || got[posted-1].ID != sample.ID {
			t.Errorf("%s: got %d %v", file, status, answer)
		}
	}
	if posted < 20 {
		t.Errorf("only %d samples are CloudEvents", posted)
	}
}

func TestAnEventsTimeIsReadInEveryPublishedSpelling(t *testing.T) {
	want := time.Date(2026, 11, 20, 8, 15, 31, 0, time.UTC)
	for text, ok := range map[string]bool{
		"2026-11-20T08:15:31Z": true, "2026-11-20T08:15:31.204Z": true, "2026-11-20T16:15:31+08:00": true, "2026-11-20T16:15:31.204PRC": true,
		"2026-11-20T16:15:31Asia/Shanghai": true, "2026-11-20T16:15:31.204Asia/Shanghai": true, "2026-11-20T08:15:31UTC": true,
		"2026-11-20T08:15:31": false, "2026-11-20T08:15:31Moon/Crater": false, "20 Nov": false, "2026-11-20T08:15:31../../etc": false,
	} {
		s := start(t, server.Options{})
		var got []simcloud.Event
		s.World.Subscribe(func(e simcloud.Event) { got = append(got, e) })
		status, answer := control(t, s, "POST", "events", `{"source":"s","type":"t","data":{},"time":"`+text+`","aliyunoriginalaccountid":"7","aliyuneventid":"x"}`)
		if (status == 200) != ok || ok && (!got[0].Time.Truncate(time.Second).Equal(want) || got[0].Owner != "7") || !ok && status != 400 {
			t.Errorf("%s: got %d %v %v", text, status, answer, got)
		}
	}
}
