package events_test

import (
	"testing"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
)

// claiming is an event about a share of images, as a call of which account and code.
func claiming(code, image, at string, accounts ...fleet.AccountID) events.Event {
	call := &fleet.Call{Name: "ModifyImageSharePermission", ErrorCode: code, Time: at, Share: &fleet.Share{ImageID: image, Add: accounts}}
	return events.Event{Kind: fleet.EventImageShare, Refs: []fleet.Ref{{Scope: fleet.Scope{Account: hangzhou.Account}, Kind: fleet.KindImageShare, Call: call}}}
}

// joined is the one ref that a window of events comes to.
func joined(t *testing.T, window ...events.Event) fleet.Ref {
	t.Helper()
	source := func(yield func(events.Event, error) bool) {
		for _, ev := range window {
			if !yield(ev, nil) {
				return
			}
		}
	}
	var refs []fleet.Ref
	for b, err := range events.Batches(source, receiver{}, fleet.FunctionNamed(fleet.FunctionSetupShareRole)) {
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, b.Refs...)
	}
	if len(refs) != 1 {
		t.Fatalf("got %+v", refs)
	}
	return refs[0]
}

func TestAShareThatLackedTheRoleCountsForMoreThanOneThatDidNot(t *testing.T) {
	good, bad := claiming("", "m-1", "2026-01-01T00:00:00Z", "2"), claiming(fleet.AssumeRoleError, "m-2", "2026-01-01T00:00:00Z", "3")
	for _, window := range [][]events.Event{{good, bad}, {bad, good}} {
		if c := joined(t, window...).Call; c.ErrorCode != fleet.AssumeRoleError || c.Share.ImageID != "m-2" {
			t.Errorf("got %+v", c)
		}
	}
}
