package events_test

import (
	"fmt"
	"strings"
	"testing"

	"fleetwarden/events"
)

// Each good element of a payload is read, whatever stands beside it.
func TestAnElementThatIsNotJSONHarmsOnlyItself(t *testing.T) {
	good := stateChange
	pretty := strings.ReplaceAll(good, `,"`, ",\n  \"")
	for payload, want := range map[string]struct{ good, bad int }{
		good + "\n" + good:                                {2, 0},
		good + good:                                       {2, 0},
		pretty + "\n" + pretty + "\n":                     {2, 0},
		"\uFEFF" + good + "\r\n" + good + "\r\n":          {2, 0},
		good + "\n{\"a\": nonsense}\n" + good:             {2, 1},
		good + "\n{\"a\": \"breaks off\n" + good:          {2, 1},
		good + "\n{\"a\": {\"b\": [\n" + good:             {1, 1}, // a list may go on in the next line
		good + "\n{\"a\": {\"b\": 1\n" + good:             {2, 1},
		"{\"a\": \"breaks off\n" + good:                   {1, 1},
		good + "\nplain text":                             {1, 1},
		good + "\n[" + good + "]":                         {1, 1},
		`[` + good + `,{"a": nonsense},` + good + `]`:     {2, 1},
		`[` + good + `,{"a":"b"c},` + good + `,7]`:        {2, 2},
		`[` + good + `,{"a":,"b":[{}]},"7",` + good + `]`: {2, 2},
		`[nonsense,` + good + `] x`:                       {1, 2},
		`[` + good + `,}` + `,` + good + `]`:              {2, 1},
		`[` + good + `,` + good[:80]:                      {1, 1},
		`{"Events":[` + good + `,7,` + good + `]}`:        {2, 1},
	} {
		evs, errs := all(payload)
		if len(refsOf(evs)) != want.good || len(errs) != want.bad {
			t.Errorf("%d refs and errors %v, want %+v; payload:\n%s", len(refsOf(evs)), errs, want, payload)
		}
	}
}

func TestLinesBeyondTheLimitAreReportedOnce(t *testing.T) {
	evs, errs := all(strings.Repeat("{}\n", 10_001))
	if len(evs) != 10_000 || len(errs) != 1 {
		t.Errorf("got %d events and errors %v", len(evs), errs)
	}
}

// Base64 is what some of MNS's SDKs send; in which envelope it comes makes no difference.
func TestBase64IsReadWhereverMNSMayUseIt(t *testing.T) {
	for _, payload := range []string{
		base64Of(stateChange), strings.TrimRight(base64Of(stateChange), "="), base64Of("[" + stateChange + "]"),
		fmt.Sprintf(`["%s"]`, base64Of(stateChange)),
		fmt.Sprintf(`{"TopicOwner":"1","TopicName":"t","MessageId":"M","Message":"%s"}`, base64Of(stateChange)),
		fmt.Sprintf(`{"body":"%s","attrs":{}}`, base64Of(stateChange)),
		fmt.Sprintf(`[{"specversion":"1.0","type":"mns:Queue:SendMessage","data":{"messageBody":"%s"}}]`, base64Of(stateChange)),
		fmt.Sprintf(`[{"specversion":"1.0","type":"mns:Queue:SendMessage","data":{"messageBody":"%s"}}]`,
			base64Of(fmt.Sprintf(`{"TopicOwner":"1","TopicName":"t","MessageId":"M","Message":"%s"}`, base64Of(stateChange)))),
		fmt.Sprintf(`{"rawPath":"/","requestContext":{},"body":"%s","isBase64Encoded":true}`, base64Of(stateChange)),
	} {
		if ev := only(t, payload); ev.Kind != events.KindStateChange || len(ev.Refs) != 1 {
			t.Errorf("%s: got %+v", payload, ev)
		}
	}
	for _, text := range []string{"hello topic", "aGVsbG8=", "e30", "SGVsbG8sIHdvcmxk"} {
		if ev := only(t, fmt.Sprintf(`{"TopicOwner":"1","Message":%q}`, text)); ev.Kind != events.KindText && ev.Kind != events.KindUnknown {
			t.Errorf("%s: got %+v", text, ev)
		}
	}
}
