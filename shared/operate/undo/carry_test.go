package undo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/undo"
)

// throttled is a cloud whose first listing is throttled.
type throttled struct {
	*cloud
	times int
}

func (c *throttled) Listings(ctx context.Context, r fleet.Region, ids []string) (map[string]fleet.Listing, error) {
	if c.times > 0 {
		c.times--
		return nil, failure{fleet.Throttled}
	}
	return c.cloud.Listings(ctx, r, ids)
}

func TestAnUndoIsResumedWhereAPassHadToStop(t *testing.T) {
	b := newBench()
	elsewhere := instance("i-2")
	elsewhere.Scope.Region = "cn-shanghai"
	var cs []fleet.Change
	for _, ref := range []fleet.Ref{instance("i-1"), elsewhere} {
		b.machine(ref.ID)
		cs = append(cs, fleet.Change{Kind: fleet.AttachRole, Ref: ref, Want: systrust})
	}
	if d := b.make("attach-role", "run-1", "instance-role", cs...); d.err != nil || len(d.changes(fleet.Done)) != 2 {
		t.Fatalf("%v %+v", d.err, d.records)
	}
	p, err := undo.Read(t.Context(), b.store, undo.Order{Run: "run-1", Functions: all, Policy: pol()})
	if err != nil {
		t.Fatal(err)
	}
	var d done
	var slept []time.Duration
	hands := undo.Hands{ECS: &throttled{b.cloud, 1}, RAM: b.cloud}
	c := undo.Carrier{
		Hands:   func(context.Context, fleet.AccountID) (undo.Hands, error) { return hands, nil },
		Options: b.parts().options("backfill", "undo-1", &d),
		Seen:    func(int) {},
	}
	if err := c.Carry(t.Context(), p); !errors.Is(err, undo.ErrUnfinished) {
		t.Errorf("without a clock: %v", err)
	}
	hands.ECS = &throttled{b.cloud, 2}
	c.Sleep = func(_ context.Context, d time.Duration) error {
		slept = append(slept, d)
		return nil
	}
	if err := c.Carry(t.Context(), p); err != nil || len(slept) != 2 || slept[0] <= 0 {
		t.Errorf("%v, slept %v: %+v", err, slept, d.records)
	}
	for id, m := range b.machines {
		if m.role != "" {
			t.Errorf("%s still has role %s", id, m.role)
		}
	}
}

func TestAnUndoRechecksWhatItCouldNotFinish(t *testing.T) {
	b, before := stories()["replace-role"].begun(t)
	p, err := undo.Read(t.Context(), b.store, undo.Order{Run: "run-1", Functions: all, Policy: pol()})
	if err != nil {
		t.Fatal(err)
	}
	b.fails["AttachRole"] = 2 // the new role, and restoring the old one
	var d done
	c := undo.Carrier{
		Hands: func(context.Context, fleet.AccountID) (undo.Hands, error) {
			return undo.Hands{ECS: b.cloud, RAM: b.cloud}, nil
		},
		Options: b.parts().options("backfill", "undo-1", &d),
		Sleep:   func(context.Context, time.Duration) error { return nil },
		Seen:    func(int) {},
	}
	if err := c.Carry(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if got := b.state()["i-1"]; got != before["i-1"] {
		t.Errorf("got %s, want %s: %+v", got, before["i-1"], d.records)
	}
}
