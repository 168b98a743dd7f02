package clients

import (
	"errors"
	"testing"

	"fleetwarden/shared/aliyun/trail"
)

func TestTheEventOfARecordIsThatOfItsReason(t *testing.T) {
	for message, want := range map[string]string{
		`{"type":"finding","finding":{"rule":"event","reason":"ecs:ActionTrail:ApiCall acs.ecs|E-1: it is the canary fleetwarden-canary-x"}}`: "E-1",
		`{"type":"finding","finding":{"rule":"instance","reason":"a|b: c"}}`:                                                                  "",
		`{"type":"pass","pass":{}}`: "",
		`{"type":"finding","finding":{"rule":"event","reason":"it is the canary"}}`: "",
		`FC Invoke Start`: "",
		``:                "",
	} {
		if got := eventOf(message); got != want {
			t.Errorf("%s: got %q, want %q", message, got, want)
		}
	}
}

// However many launches an account makes, a leg asks for a bounded number of pages, and does not
// take the call for missing where it may be on another.
func TestTheRecordOfTheCallIsSearchedWithinBounds(t *testing.T) {
	pages := func(all int, on int) (asked *int, lookup func(trail.Query) ([]trail.Record, string, error)) {
		asked = new(int)
		return asked, func(trail.Query) ([]trail.Record, string, error) {
			*asked++
			body, next := `{"eventName":"RunInstances"}`, "more"
			if *asked == on {
				body = `{"requestParameters":{"ClientToken":"token-1"}}`
			}
			if *asked == all {
				next = ""
			}
			return []trail.Record{{Body: []byte(body)}}, next, nil
		}
	}
	for name, c := range map[string]struct {
		all, on, asked int
		want           bool
		err            error
	}{
		"on the first":     {3, 1, 1, true, nil},
		"on the last":      {3, 3, 3, true, nil},
		"on none":          {3, 0, 3, false, nil},
		"beyond the bound": {1000, 900, mostPages, false, errCrowded},
	} {
		asked, lookup := pages(c.all, c.on)
		if got, err := recorded(trail.Query{}, "token-1", lookup); got != c.want || !errors.Is(err, c.err) || *asked != c.asked {
			t.Errorf("%s: %t, %v; %d pages", name, got, err, *asked)
		}
	}
	failed := errors.New("denied")
	if _, err := recorded(trail.Query{}, "t", func(trail.Query) ([]trail.Record, string, error) { return nil, "", failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
}
