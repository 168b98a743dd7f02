package events_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
)

// A message that is looked at again is written again, and must fit into a queue then: a
// "<" becomes six bytes. Else the window that it came in would fail, again and again.
func TestWhatAMessageNamesDoesNotGrowOutOfAQueue(t *testing.T) {
	const queue = 64 << 10
	ids := func(id string) string {
		return strings.TrimSuffix(strings.Repeat(`"`+id+`",`, 100), ",")
	}
	message := func(kind, run, ids string) string {
		return fmt.Sprintf(`{"v":1,"scope":{"account":"1","region":"cn-hangzhou"},"kind":%q,"run":%q,"ids":[%s]}`, kind, run, ids)
	}
	for name, body := range map[string]string{
		"ids that grow": message("call", "r", ids(strings.Repeat("<", 250))),
		"long ids":      message("call", "r", ids(strings.Repeat("a", 250))),
		"a run":         message("instance", strings.Repeat("<", 60_000), `"i-1"`),
		"runs as ours":  message("instance", "apply-20260105T000000Z-abcdef", ids("i-"+strings.Repeat("a", 64))),
	} {
		var refs []fleet.Ref
		for ev, err := range events.Decode([]byte(body)) {
			if err == nil {
				refs = append(refs, ev.Refs...)
			}
		}
		if name == "runs as ours" && len(refs) != 100 || name == "long ids" && len(refs) != 100 {
			t.Errorf("%s: %d refs", name, len(refs))
		}
		for _, m := range fleet.Messages(refs) {
			if text, err := json.Marshal(m); err != nil || len(text) > queue {
				t.Errorf("%s: %v, a message of %d bytes", name, err, len(text))
			}
		}
	}
}

// A timer invokes its function itself: who can only write into a queue cannot be one.
func TestWhatStandsInAnEnvelopeIsNoTimer(t *testing.T) {
	const timer = `{"triggerTime":"2026-01-05T00:00:00Z","triggerName":"every-night","payload":""}`
	quoted, err := json.Marshal(timer)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		payload string
		want    fleet.EventKind
	}{
		"bare":           {timer, fleet.EventTimer},
		"a window":       {`[{"specversion":"1.0","type":"mns:Queue:SendMessage","data":{"messageBody":` + string(quoted) + `}}]`, fleet.EventUnknown},
		"one message":    {`{"specversion":"1.0","type":"mns:Queue:SendMessage","data":{"messageBody":` + timer + `}}`, fleet.EventUnknown},
		"a topic":        {`{"TopicOwner":"1","TopicName":"t","Message":` + string(quoted) + `}`, fleet.EventUnknown},
		"a list":         {`[` + timer + `]`, fleet.EventUnknown},
		"a quoted timer": {string(quoted), fleet.EventUnknown},
	} {
		for ev, err := range events.Decode([]byte(c.payload)) {
			if err != nil || ev.Kind != c.want {
				t.Errorf("%s: got %s, %v, want %s", name, ev.Kind, err, c.want)
			}
		}
	}
}
