package events_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
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
		good + "\n[" + good + "]":                         {2, 0},
		good + "\n[" + good + ",7]\n" + good:              {3, 1},
		`[` + good + `,{"a": nonsense},` + good + `]`:     {2, 1},
		`[` + good + `,{"a":"b"c},` + good + `,7]`:        {2, 2},
		`[` + good + `,{"a":,"b":[{}]},"7",` + good + `]`: {2, 2},
		`[nonsense,` + good + `] x`:                       {1, 2},
		`[` + good + `,}` + `,` + good + `]`:              {2, 1},
		`[` + good + `,` + good[:80]:                      {1, 1},
		`{"Events":[` + good + `,7,` + good + `]}`:        {2, 1},
		`[` + good + `,` + good:                           {2, 1}, // it breaks off between two elements
		`[` + good + `,`:                                  {1, 1},
		`[` + good + `,]`:                                 {1, 0},
		`[` + good + ` ` + good + `]`:                     {2, 0},
	} {
		evs, errs := all(payload)
		if len(refsOf(evs)) != want.good || len(errs) != want.bad {
			t.Errorf("%d refs and errors %v, want %+v; payload:\n%s", len(refsOf(evs)), errs, want, payload)
		}
	}
}

// A person joins what a tool printed page by page, in whichever way.
func TestPagesAreReadHoweverTheyWereJoined(t *testing.T) {
	good := stateChange
	quoted := strconv.Quote(good)
	page, log := `{"Events":[`+good+`,`+good+`],"RequestId":"r"}`, `{"__time__":"1","event":`+quoted+`}`
	for _, payload := range []string{
		page + "\n" + page, page + page, "[" + page + "," + page + "]",
		"[[" + good + "," + good + "],[" + good + "," + good + "]]",
		"[" + good + "," + good + "]\n[" + good + "," + good + "]\n",
		quoted + "\n" + quoted + "\n" + quoted + "\n" + quoted,
		`{"events":[` + quoted + "," + good + "]}" + page,
		`{"meta":{"count":2},"data":[` + log + "," + log + `]}` + "\n" + `{"data":[` + log + "," + log + `]}`,
		`{"count":4,"logs":[` + log + "," + log + "," + log + "," + log + "]}",
		`[{"count":4,"logs":[` + log + "," + log + "]}," + log + "," + log + "]",
	} {
		if evs, errs := all(payload); len(refsOf(evs)) != 4 || len(errs) != 0 || events.Check([]byte(payload)) != nil {
			t.Errorf("%d refs and errors %v; payload:\n%s", len(refsOf(evs)), errs, payload)
		}
	}
}

// An element within a page is named by its page.
func TestAnErrorInAPageIsOfThatPage(t *testing.T) {
	_, errs := all(`[{"Events":[` + stateChange + `]},{"Events":[` + stateChange + `,7]}]`)
	var bad *events.Error
	if len(errs) != 1 || !errors.As(errs[0], &bad) || bad.Index != 1 {
		t.Errorf("got %v", errs)
	}
}

func TestListsInListsEndSomewhere(t *testing.T) {
	deep := strings.Repeat("[", 9000)
	for _, payload := range []string{deep + strings.Repeat("]", 9000), deep, strings.Repeat("["+stateChange+",", 9000)} {
		if _, errs := all(payload); len(errs) == 0 || len(errs) > 10 {
			t.Errorf("%d errors", len(errs))
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
	urlText := strings.Replace(stateChange, "{", `{"x":"a?>>???>>>~~~",`, 1)
	if text := base64.URLEncoding.EncodeToString([]byte(urlText)); !strings.ContainsAny(text, "-_") {
		t.Fatal("it is no other Base64 than the standard one")
	}
	for _, payload := range []string{
		base64.URLEncoding.EncodeToString([]byte(urlText)), base64.RawURLEncoding.EncodeToString([]byte(urlText)),
		base64Of(stateChange), strings.TrimRight(base64Of(stateChange), "="), base64Of("[" + stateChange + "]"),
		fmt.Sprintf(`["%s"]`, base64Of(stateChange)),
		fmt.Sprintf(`{"TopicOwner":"1","TopicName":"t","MessageId":"M","Message":"%s"}`, base64Of(stateChange)),
		fmt.Sprintf(`{"body":"%s","attrs":{}}`, base64Of(stateChange)),
		fmt.Sprintf(`[{"specversion":"1.0","type":"mns:Queue:SendMessage","data":{"messageBody":"%s"}}]`, base64Of(stateChange)),
		fmt.Sprintf(`[{"specversion":"1.0","type":"mns:Queue:SendMessage","data":{"messageBody":"%s"}}]`,
			base64Of(fmt.Sprintf(`{"TopicOwner":"1","TopicName":"t","MessageId":"M","Message":"%s"}`, base64Of(stateChange)))),
		fmt.Sprintf(`{"rawPath":"/","requestContext":{},"body":"%s","isBase64Encoded":true}`, base64Of(stateChange)),
	} {
		if ev := only(t, payload); ev.Kind != fleet.EventStateChange || len(ev.Refs) != 1 {
			t.Errorf("%s: got %+v", payload, ev)
		}
	}
	for _, text := range []string{"hello topic", "aGVsbG8=", "e30", "SGVsbG8sIHdvcmxk"} {
		if ev := only(t, fmt.Sprintf(`{"TopicOwner":"1","Message":%q}`, text)); ev.Kind != fleet.EventText && ev.Kind != fleet.EventUnknown {
			t.Errorf("%s: got %+v", text, ev)
		}
	}
}
