package clients

import "testing"

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
