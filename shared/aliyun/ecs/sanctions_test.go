package ecs_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/shared/fleet"
)

func TestATagIsTakenOffByTheFiftyAndOthersStay(t *testing.T) {
	b := newBench(t)
	ids := b.seed(t, simecs.FleetSpec{Count: 120, Tags: map[string]string{"fleetwarden:violation": "trusted-instance", "team": "a"}}).IDs
	bare := b.seed(t, simecs.FleetSpec{Count: 1}).IDs[0]
	if err := b.Untag(t.Context(), region, "fleetwarden:violation", append(ids, bare)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{50, 50, 21}, b.batches("UntagResources")); diff != "" {
		t.Error(diff)
	}
	got, err := b.Listings(t.Context(), region, ids)
	if err != nil {
		t.Fatal(err)
	}
	for id, l := range got {
		if _, tagged := l.Tags["fleetwarden:violation"]; tagged || l.Tags["team"] != "a" {
			t.Errorf("%s: got %v", id, l.Tags)
		}
	}
}

func TestInstancesAreStartedAndEachHasItsAnswer(t *testing.T) {
	b := newBench(t)
	stopped := b.seed(t, simecs.FleetSpec{Count: 2, Status: "Stopped"}).IDs
	runs := b.seed(t, simecs.FleetSpec{Count: 1}).IDs[0]
	got, err := b.Start(t.Context(), region, append(slices.Clone(stopped), runs, "i-unknown"))
	if err != nil {
		t.Fatal(err)
	}
	failed := map[string]bool{}
	for id, a := range got {
		failed[id] = a.Err != nil
		if a.RequestID == "" {
			t.Errorf("%s: no request id", id)
		}
	}
	if diff := cmp.Diff(map[string]bool{stopped[0]: false, stopped[1]: false, runs: true, "i-unknown": true}, failed); diff != "" {
		t.Error(diff)
	}
	listed, err := b.Listings(t.Context(), region, stopped)
	if err != nil || listed[stopped[0]].Status == "Stopped" || listed[stopped[1]].Status == "Stopped" {
		t.Errorf("got %+v, %v", listed, err)
	}
}

func TestStartingAndUntaggingFailWithTheirClassAndAreSentOnce(t *testing.T) {
	for kind, class := range map[simcloud.FaultKind]fleet.Class{simcloud.Deny: fleet.Denied, simcloud.TimeoutAfter: fleet.Lost, simcloud.TimeoutBefore: fleet.Lost} {
		b := newBench(t)
		id := b.seed(t, simecs.FleetSpec{Count: 1, Status: "Stopped", Tags: map[string]string{"k": "v"}}).IDs
		if err := b.Faults.Set(1, []simcloud.Fault{{Product: "ecs", Kind: kind}}, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
		for action, call := range map[string]func(context.Context) error{
			"UntagResources": func(ctx context.Context) error { return b.Untag(ctx, region, "k", id) },
			"StartInstances": func(ctx context.Context) error { _, err := b.Start(ctx, region, id); return err },
		} {
			err := call(t.Context())
			sent := 0
			for _, n := range b.session.Calls()["ecs:"+action] {
				sent += n
			}
			if fleet.ClassOf(err) != class || sent != 1 {
				t.Errorf("%s, %s: got %v, sent %d times", kind, action, err, sent)
			}
		}
	}
}
