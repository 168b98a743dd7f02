package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// pauses is what is paused: each control or, as "", all of them.
type pauses struct {
	orders map[string]fleet.Order
	err    error
	asked  int
	said   map[string]bool
}

func (p *pauses) Paused(_ context.Context, control string, account fleet.AccountID, _ time.Time) (*fleet.Order, bool, error) {
	p.asked++
	o, ok := p.orders[control]
	if p.err != nil || !ok || !o.Covers(control, account) {
		return nil, false, p.err
	}
	fresh := !p.said[control]
	p.said[control] = true
	return &o, fresh, nil
}

func paused(mode policy.Mode, controls ...string) (*bench, *shelf, *pauses) {
	b, s := withLedger(mode)
	p := &pauses{orders: map[string]fleet.Order{}, said: map[string]bool{}}
	for _, c := range controls {
		p.orders[c] = fleet.Order{Control: c, At: noon.Add(-time.Hour), Until: noon.Add(2 * time.Hour), By: "acs:ram::1:user/ops", Reason: "the release"}
	}
	b.o.Pauses = p
	return b, s, p
}

func TestWhatIsPausedIsLeftToAPassAfterThePause(t *testing.T) {
	b, s, _ := paused(policy.Enforce, policy.ControlInstanceRole)
	b.mends("i-1", "i-2")
	for range 2 {
		if _, _, err := b.run(t.Context(), item{batch: batch("i-1", "i-2", "i-3")}); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.acted) != 0 || len(s.written) != 0 {
		t.Errorf("acted %v with %d entries in the ledger", b.acted, len(s.written))
	}
	if diff := cmp.Diff([]fleet.State{fleet.Later, fleet.Later, fleet.Later, fleet.Later}, b.ends()); diff != "" {
		t.Error(diff)
	}
	if len(b.again) != 2 || len(b.again[0].Refs) != 2 {
		t.Fatalf("put back: %+v", b.again)
	}
	for _, a := range b.again {
		if a.After < 2*time.Hour || a.After >= 2*time.Hour+time.Minute {
			t.Errorf("put back for %s, want the end of the pause and less than a minute", a.After)
		}
	}
	found := 0
	for _, r := range b.records {
		switch {
		case r.Finding != nil && r.Finding.Rule == "pause":
			found++
			if f := r.Finding; f.Severity != fleet.High || !strings.Contains(f.Reason, "acs:ram::1:user/ops has paused") || !strings.Contains(f.Remedy, "fleetwarden resume --control instance-role") {
				t.Errorf("%+v", f)
			}
		case r.Change != nil && !strings.Contains(r.Change.Why, "until 2026-11-20T14:00:00Z: the release"):
			t.Errorf("%+v", r.Change)
		}
	}
	if found != 1 {
		t.Errorf("%d findings about one pause", found)
	}
}

// A pass that would change nothing asks nothing, whatever it judges.
func TestOnlyWhatWouldBeChangedAsksForPauses(t *testing.T) {
	for name, prepare := range map[string]func(b *bench){
		"nothing to do": func(*bench) {},
		"audit":         func(b *bench) { b.mends("i-1"); b.o.Policy.InstanceRole.Mode = policy.Audit },
		"a dry run":     func(b *bench) { b.mends("i-1"); b.o.DryRun = true },
		"another's change": func(b *bench) {
			b.mends("i-1")
			b.steps = nil
		},
	} {
		b, _, p := paused(policy.Enforce, policy.ControlInstanceRole)
		prepare(b)
		b.ran(t, batch("i-1", "i-2"))
		if p.asked != 0 {
			t.Errorf("%s: asked %d times", name, p.asked)
		}
	}
	b, _, p := paused(policy.Enforce)
	b.mends("i-1", "i-2")
	b.ran(t, batch("i-1"), batch("i-2"))
	if p.asked != 2 || len(b.acted) != 2 {
		t.Errorf("asked %d times for 2 batches, acted %v", p.asked, b.acted)
	}
}

func TestAPauseOfOneControlLeavesTheOthers(t *testing.T) {
	b, _, _ := paused(policy.Enforce, policy.ControlAgent)
	b.mends("i-1")
	b.ran(t, batch("i-1"))
	if diff := cmp.Diff([][]string{{string(mend), "i-1"}}, b.acted); diff != "" {
		t.Error(diff)
	}
}

// A ref that was paused often is still re-queued: a forged count must not lose it.
func TestWhatIsPausedIsRequeuedHoweverOften(t *testing.T) {
	b, _, _ := paused(policy.Enforce, policy.ControlInstanceRole)
	b.mends("i-1")
	in := batch("i-1")
	in.Refs[0].Try.N = 1000
	b.ran(t, in)
	if len(b.again) != 1 {
		t.Errorf("put back: %+v", b.again)
	}
	b, _, _ = paused(policy.Enforce, policy.ControlInstanceRole)
	in.Refs[0].Try.N = 3
	b.mends("i-1")
	b.ran(t, in)
	if len(b.again) != 1 || b.again[0].Refs[0].Try.N != 3 {
		t.Errorf("put back: %+v", b.again)
	}
}

// A rule that rechecks what it has changed does not recheck what is paused.
func TestWhatIsPausedIsNotCheckedBeforeTheEnd(t *testing.T) {
	b, _, _ := paused(policy.Enforce, policy.ControlInstanceRole)
	v := broken("i-1")
	v.Again = time.Minute
	b.verdicts["i-1"] = []fleet.Verdict{v}
	b.ran(t, batch("i-1"))
	if len(b.again) != 1 || b.again[0].After < 2*time.Hour {
		t.Errorf("put back: %+v", b.again)
	}
}

// The rate of a pass leaves some to later ones, for as long as the pause lasts.
func TestWhatFollowsIsWaitedForDuringAPause(t *testing.T) {
	b, _, _ := paused(policy.Enforce, policy.ControlInstanceRole)
	b.o.Policy.Limits.PerPass = 1
	b.mends("i-1", "i-2", "i-3")
	in := batch("i-1", "i-2", "i-3")
	for i := range in.Refs {
		in.Refs[i].Try.N = 1000
	}
	b.ran(t, in)
	refs := 0
	for _, a := range b.again {
		refs += len(a.Refs)
	}
	if refs != 3 {
		t.Errorf("put back: %+v", b.again)
	}
}

func TestNothingIsChangedWhileItIsUnknownWhatIsPaused(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		state fleet.State
		again time.Duration
	}{
		"an order that cannot be read": {fmt.Errorf("reading: %w", &fleet.BadInput{Where: "control/1", What: "it is no order"}), fleet.Later, 15 * time.Minute},
		"a throttle":                   {classed(fleet.Throttled), fleet.Later, 15 * time.Second},
		"a missing right":              {classed(fleet.Denied), fleet.Failed, 0},
		"any other":                    {errors.New("?"), fleet.Failed, 0},
	} {
		b, s, p := paused(policy.Enforce)
		p.err = c.err
		b.mends("i-1")
		b.ran(t, batch("i-1"))
		if len(b.acted) != 0 || len(s.written) != 0 {
			t.Errorf("%s: acted %v with %d entries", name, b.acted, len(s.written))
		}
		if got := b.ends(); len(got) != 1 || got[0] != c.state {
			t.Errorf("%s: %v, want %s", name, got, c.state)
		}
		if c.again == 0 && len(b.again) != 0 || c.again > 0 && (len(b.again) != 1 || b.again[0].After < c.again || b.again[0].After >= c.again+time.Minute) {
			t.Errorf("%s: put back %+v, want after %s", name, b.again, c.again)
		}
		said := 0
		for _, r := range b.records {
			if r.Finding != nil && strings.Contains(r.Finding.Reason, "nothing was changed: "+c.err.Error()) {
				said++
			}
		}
		if said != 1 {
			t.Errorf("%s: %d findings", name, said)
		}
	}
}

// An hour's allowance is not spent on what is paused.
func TestAPauseComesBeforeTheStopOfAnHour(t *testing.T) {
	b, s, _ := paused(policy.Enforce, policy.ControlInstanceRole)
	b.ran(t, b.disturbs(3))
	if s.asked != 0 || len(b.limits(t)) != 0 {
		t.Errorf("the hour was asked %d times", s.asked)
	}
}
