package queue_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/queue"
)

func TestEnqueuePutsRefsIntoAnotherFunctionsInbox(t *testing.T) {
	s := &sender{}
	if err := queue.New(s, "backfill").Enqueue(t.Context(), "push-agent", refs(1)); err != nil {
		t.Fatal(err)
	}
	want := []sent{{"fleetwarden-push-agent", `{"v":1,"function":"push-agent","scope":{"account":"1000000000000001","region":"cn-hangzhou"},"kind":"instance","ids":["i-000"],"try":0}`, 0}}
	if diff := cmp.Diff(want, s.sent); diff != "" {
		t.Error(diff)
	}
}

func TestEnqueueFailsWhereThereIsNoInboxOrNoRoom(t *testing.T) {
	s := &sender{}
	inbox := queue.New(s, "backfill")
	for _, name := range []string{"", "watch-shares", "dead-letters", "invented"} {
		if err := inbox.Enqueue(t.Context(), name, refs(1)); err == nil || len(s.sent) != 0 {
			t.Errorf("%q: sent %v, error %v", name, s.sent, err)
		}
	}
	s.full = 1
	if err := inbox.Enqueue(t.Context(), "push-agent", refs(101)); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

// The samples have one of each event that our functions receive. A function watches for each
// event that names a resource, and takes refs of its kind.
func TestEveryEventThatNamesSomethingHasWatchersThatTakeIt(t *testing.T) {
	files, err := filepath.Glob("../../events/samples/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for ev, err := range events.Decode(payload) {
			if err != nil || ev.Kind == fleet.EventMessage || len(ev.Refs) == 0 {
				continue
			}
			event := ev.Name
			if event == "" {
				event = ev.Type
			}
			seen[event] = true
			for _, r := range ev.Refs {
				if !slices.ContainsFunc(queue.Watchers(event), func(f string) bool { return queue.Takes(f, r.Kind) }) && ev.Kind != fleet.EventFirstHeartbeat {
					t.Errorf("%s: no function takes %s of %s", file, r.Kind, event)
				}
			}
		}
	}
	for _, event := range []string{"RunInstances", "CreateInstance", "Create", "CreateAutoProvisioningGroup", "ModifyImageSharePermission", "CreateResourceShare", "ecs:Instance:StateChange"} {
		if !seen[event] {
			t.Errorf("no sample of %s was read", event)
		}
	}
	if got := queue.Watchers("AcceptResourceShareInvitation"); got != nil {
		t.Errorf("the recipient's side has watchers %v", got)
	}
}

func TestEveryCallIsOneThatEventsDecodes(t *testing.T) {
	const record = `{"eventId":"e-1","eventName":%q,"serviceName":"Ecs","eventType":"ApiCall","acsRegion":"cn-hangzhou","recipientAccountId":"1000000000000001",
		"responseElements":{"InstanceId":"i-1"},"requestParameters":{"ImageId":"m-1"}}`
	for _, c := range fleet.LaunchCalls() {
		if got := queue.Watchers(c.Event); !slices.Equal(got, []string{"validate-instance", "attach-role"}) {
			t.Errorf("%s has watchers %v", c.Event, got)
		}
	}
	for _, call := range queue.Calls() {
		for ev, err := range events.Decode(fmt.Appendf(nil, record, call.Event)) {
			if err != nil || len(ev.Refs) == 0 || ev.Kind != call.Kind {
				t.Errorf("%s: %+v, %v", call.Event, ev, err)
			}
		}
	}
}

func TestAFunctionTakesItsKindsOfRefsAndNoOthers(t *testing.T) {
	if !queue.Takes("validate-instance", fleet.KindCall) || queue.Takes("attach-role", fleet.KindCall) ||
		queue.Takes("setup-share-role", fleet.KindInstance) || queue.Takes("watch-shares", fleet.KindImageShare) || !queue.Takes("sweep", fleet.KindFleet) {
		t.Error("a kind goes to the wrong function")
	}
}

func TestRefsAreSortedByFunctionAndRegion(t *testing.T) {
	ref := func(region fleet.Region, kind fleet.Kind, id string) fleet.Ref {
		return fleet.Ref{Scope: fleet.Scope{Account: here.Account, Region: region}, Kind: kind, ID: id}
	}
	one, far, call, two := ref("cn-hangzhou", fleet.KindInstance, "i-1"), ref("cn-shanghai", fleet.KindInstance, "i-2"),
		ref("cn-hangzhou", fleet.KindCall, "e-1"), ref("cn-hangzhou", fleet.KindInstance, "i-3")
	got := queue.Sort([]string{"validate-instance", "attach-role", "setup-share-role"}, []fleet.Ref{one, far, call, two})
	want := []queue.Delivery{
		{Function: "validate-instance", Refs: []fleet.Ref{one, call, two}}, {Function: "validate-instance", Refs: []fleet.Ref{far}},
		{Function: "attach-role", Refs: []fleet.Ref{one, two}}, {Function: "attach-role", Refs: []fleet.Ref{far}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
