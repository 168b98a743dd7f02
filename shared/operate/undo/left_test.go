package undo_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/undo"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

func TestAResourceThatIsGoneIsLeftAloneAndSaysSo(t *testing.T) {
	for name, gone := range map[string]func(*bench){
		"attach-role": func(b *bench) { delete(b.machines, "i-1") }, "tag-instance": func(b *bench) { delete(b.machines, "i-1") },
		"stop-instance": func(b *bench) { delete(b.machines, "i-1") }, "grant-role": func(b *bench) { delete(b.roles, systrust) },
		"set-share-trust":   func(b *bench) { delete(b.roles, fleet.ImageShareRole) },
		"mark-unused":       func(b *bench) { delete(b.roles, fleet.ImageShareRole) },
		"attach-key-policy": func(b *bench) { delete(b.roles, fleet.ImageShareRole) },
		"set-key-policy":    func(b *bench) { delete(b.policies, shard) },
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := stories()[name].begun(t)
			gone(b)
			b.wrote = nil
			d := b.mustUndo(t, "run-1", "undo-1")
			for id, o := range d.outcomes() {
				if o != fleet.NotApplicable || !strings.Contains(d.reason(id), "gone") || len(b.wrote) != 0 {
					t.Errorf("%s: %s: %s, wrote %v", id, o, d.reason(id), b.wrote)
				}
			}
		})
	}
}

func TestAnInstanceThatIsStillStoppingIsStartedByALaterUndo(t *testing.T) {
	b, _ := stories()["stop-instance"].begun(t)
	b.machines["i-1"].status, b.wrote = "Stopping", nil
	d := b.mustUndo(t, "run-1", "undo-1")
	if o := d.outcomes()["i-1"]; o != fleet.Undecided || len(b.wrote) != 0 {
		t.Errorf("%s: %s, wrote %v", o, d.reason("i-1"), b.wrote)
	}
	b.machines["i-1"].status = "Stopped"
	if b.mustUndo(t, "run-1", "undo-2"); b.machines["i-1"].status != "Running" {
		t.Errorf("got %s", b.machines["i-1"].status)
	}
}

func TestARoleThatWasDetachedAndNotReplacedIsAttachedAtTheNextCheck(t *testing.T) {
	b, before := stories()["replace-role"].begun(t)
	p, err := undo.Read(t.Context(), b.store, undo.Order{Run: "run-1", Functions: all, Policy: pol()})
	if err != nil {
		t.Fatal(err)
	}
	of := func(context.Context, fleet.AccountID) (reconcile.Control[undo.World], error) {
		return p.Control(undo.Hands{ECS: b.cloud, RAM: b.cloud}), nil
	}
	b.fails["AttachRole"] = 2 // the new role, and restoring the old one
	for _, want := range []string{"", "AppRole"} {
		var d done
		if _, _, err := reconcile.Run(t.Context(), of, p.Source(""), b.parts().options("backfill", "undo-1", &d)); err != nil {
			t.Fatal(err)
		}
		if got := b.machines["i-1"].role; got != want {
			t.Errorf("the role is %q, want %q: %+v", got, want, d.records)
		}
	}
	if got := b.state()["i-1"]; got != before["i-1"] {
		t.Errorf("got %s, want %s", got, before["i-1"])
	}
}

// Another caller may have detached the role on purpose.
func TestARoleThatAnotherCallerDetachedIsNotAttached(t *testing.T) {
	b, _ := stories()["replace-role"].begun(t)
	b.machines["i-1"].role = ""
	if d := b.mustUndo(t, "run-1", "undo-1"); b.machines["i-1"].role != "" || d.outcomes()["i-1"] != fleet.Conflict {
		t.Errorf("the role is %q: %s", b.machines["i-1"].role, d.reason("i-1"))
	}
}

func TestObjectsThatCannotBeReadAreReportedAndTheRestIsUndone(t *testing.T) {
	b, before := stories()["attach-role"].begun(t)
	b.store.objects["attach-role/2026-11-20/130000.run-1.q.p.bad.intent.json"] = []byte("canary")
	b.store.objects["push-agent/2026-11-20/130000.other.q.p.newer.intent.json"] = []byte(`{"v":99}`)
	p, err := undo.Read(t.Context(), b.store, undo.Order{Run: "run-1", Functions: all, Policy: pol()})
	if err != nil || len(p.Items) != 1 || len(p.Unread) != 2 || !errors.Is(p.Unread[1], ledger.ErrNewer) {
		t.Fatalf("got %+v, %v", p, err)
	}
	b.mustUndo(t, "run-1", "undo-1")
	if got := b.state()["i-1"]; got != before["i-1"] {
		t.Errorf("got %s", got)
	}
}

func TestWithHalfALedgerNothingIsPlanned(t *testing.T) {
	b, _ := stories()["attach-role"].begun(t)
	b.dead = true
	if p, err := undo.Read(t.Context(), b.store, undo.Order{Run: "run-1", Functions: all, Policy: pol()}); err == nil {
		t.Errorf("got %+v", p)
	}
}

func TestARunThatChangedNothingHasNothingToUndo(t *testing.T) {
	b, _ := stories()["attach-role"].begun(t)
	p, err := undo.Read(t.Context(), b.store, undo.Order{Run: "run-9", Functions: all, Policy: pol()})
	if err != nil || len(p.Items)+len(p.Unread) != 0 || !p.Oldest().IsZero() {
		t.Errorf("got %+v, %v", p, err)
	}
	for range p.Source("") {
		t.Error("there is a batch")
	}
}

func TestAnOrderIsNotHeldByModesNorByTheLimitOfAPass(t *testing.T) {
	audit := policy.Default()
	audit.Limits.PerPass = 1
	o := undo.Ordered(audit)
	for _, c := range policy.Controls() {
		if o.ModeOf(c) != policy.Enforce || audit.ModeOf(c) != policy.Audit {
			t.Errorf("%s: %s, of %s", c, o.ModeOf(c), audit.ModeOf(c))
		}
	}
	if o.Limits.PerPass != 0 || audit.Limits.PerPass != 1 || o.Digest != audit.Digest {
		t.Errorf("got %+v", o.Limits)
	}
}

func TestADryRunPlansAndWritesNothing(t *testing.T) {
	b, _ := stories()["attach-role"].begun(t)
	p, err := undo.Read(t.Context(), b.store, undo.Order{Run: "run-1", Functions: all, Policy: pol()})
	if err != nil {
		t.Fatal(err)
	}
	var d done
	o := b.parts().options("backfill", "undo-1", &d)
	o.DryRun = true
	objects := len(b.store.objects)
	b.wrote = nil
	of := func(context.Context, fleet.AccountID) (reconcile.Control[undo.World], error) {
		return p.Control(undo.Hands{ECS: b.cloud, RAM: b.cloud}), nil
	}
	if _, _, err := reconcile.Run(t.Context(), of, p.Source(""), o); err != nil {
		t.Fatal(err)
	}
	if len(b.wrote) != 0 || len(b.store.objects) != objects || len(d.changes(fleet.Planned)) != 1 {
		t.Errorf("wrote %v, records %+v", b.wrote, d.records)
	}
}

// RAM may return a document in another format than it was given.
func TestADocumentIsTheSameInOtherBytes(t *testing.T) {
	for name, rewrite := range map[string]func(*bench){
		"set-share-trust": func(b *bench) { b.roles[fleet.ImageShareRole].Trust = " " + b.roles[fleet.ImageShareRole].Trust },
		"set-key-policy":  func(b *bench) { b.policies[shard] = " " + b.policies[shard] },
	} {
		b, before := stories()[name].begun(t)
		rewrite(b)
		d := b.mustUndo(t, "run-1", "undo-1")
		if diff := cmp.Diff(before, b.state()); diff != "" {
			t.Errorf("%s: %s %+v", name, diff, d.records)
		}
	}
}

// deaf is a cloud whose next read of roles fails.
type deaf struct{ *cloud }

func (deaf) RoleNames(context.Context, fleet.Region, []string) (map[string]string, error) {
	return nil, failure{fleet.Throttled}
}

func TestAChangeThatWasNeverReadBackIsUndone(t *testing.T) {
	for name, x := range map[string]struct {
		meanwhile func(*bench)
		want      string
	}{
		"unchanged":                  {func(*bench) {}, ""},
		"another caller replaced it": {func(b *bench) { b.machines["i-1"].role = "AppRole" }, "AppRole"},
		"another caller detached it": {func(b *bench) { b.machines["i-1"].role = "" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench()
			b.machines["i-1"] = &machine{status: "Running", tags: map[string]string{}}
			w := b.parts()
			w.ecs = deaf{b.cloud}
			d := w.make("attach-role", "run-1", policy.ControlInstanceRole, fleet.Change{Kind: fleet.AttachRole, Ref: instance("i-1"), Want: systrust})
			if d.err != nil || len(d.changes(fleet.Started)) != 1 || b.machines["i-1"].role != systrust {
				t.Fatalf("got %v, %v", d.err, says(d.changes(fleet.Later)))
			}
			x.meanwhile(b)
			b.mustUndo(t, "run-1", "undo-1")
			if got := b.machines["i-1"].role; got != x.want {
				t.Errorf("the role is %q, want %q", got, x.want)
			}
		})
	}
}

// A change that another caller made before the run is not undone with it.
func TestAChangeThatTheRunFoundInPlaceIsNotUndone(t *testing.T) {
	b := newBench()
	b.machines["i-1"] = &machine{role: systrust, status: "Running", tags: map[string]string{"fleetwarden:violation": "trusted-instance"}}
	b.policies[least] = granting("k")
	for control, c := range map[string]fleet.Change{
		policy.ControlInstanceRole:    {Kind: fleet.AttachRole, Ref: instance("i-1"), Want: systrust},
		policy.ControlTrustedInstance: {Kind: fleet.TagInstance, Ref: instance("i-1"), Want: "fleetwarden:violation=trusted-instance"},
		policy.ControlShareRole:       {Kind: fleet.AttachKeyPolicy, Ref: policyRef(shard), Want: fleet.ImageShareRole},
	} {
		if c.Kind == fleet.AttachKeyPolicy {
			b.roles[fleet.ImageShareRole].Policies = []fleet.Policy{{Name: shard, Type: fleet.CustomPolicy}}
		}
		if d := b.make(fleet.Owner(control), "run-1", control, c); d.err != nil || len(d.changes(fleet.Skipped)) != 1 {
			t.Errorf("%s: %+v", c.Kind, d)
		}
	}
	before := b.state()
	b.mustUndo(t, "run-1", "undo-1")
	if diff := cmp.Diff(before, b.state()); diff != "" {
		t.Error(diff)
	}
}
