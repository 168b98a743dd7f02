package undo_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// thing is one property in the account that a run or another caller can change.
type thing struct {
	name, control, function string
	values                  []string
	get                     func(*bench) string
	set                     func(*bench, string)
	// change is what a run does to bring it to another value; false if none does.
	change func(from, to string) (fleet.Change, bool)
}

const stopMark = "fleetwarden:stopped=trusted-instance"

func ofInstance(id string) []thing {
	get := func(b *bench) *machine { return b.machines[id] }
	return []thing{
		{
			id + " role", policy.ControlInstanceRole, "attach-role", []string{"", "AppRole", systrust},
			func(b *bench) string { return get(b).role }, func(b *bench, v string) { get(b).role = v },
			func(from, to string) (fleet.Change, bool) {
				kind := fleet.ReplaceRole
				if from == "" {
					kind = fleet.AttachRole
				}
				return fleet.Change{Kind: kind, Ref: instance(id), Before: from, Want: to}, to == systrust
			},
		},
		{
			id + " tag", policy.ControlTrustedInstance, "validate-instance", []string{"", "trusted-instance", "theirs"},
			func(b *bench) string { return get(b).tags["fleetwarden:violation"] },
			func(b *bench, v string) {
				get(b).tags["fleetwarden:violation"] = v
				if v == "" {
					delete(get(b).tags, "fleetwarden:violation")
				}
			},
			func(from, to string) (fleet.Change, bool) {
				return fleet.Change{Kind: fleet.TagInstance, Ref: instance(id), Want: "fleetwarden:violation=" + to}, from == "" && to != ""
			},
		},
		{
			id + " power", policy.ControlTrustedInstance, "validate-instance", []string{"Running", "Stopped"},
			func(b *bench) string { return get(b).status }, func(b *bench, v string) { get(b).status = v },
			func(from, to string) (fleet.Change, bool) {
				return fleet.Change{Kind: fleet.StopInstance, Ref: instance(id), Before: "Running", Want: stopMark}, from == "Running" && to == "Stopped"
			},
		},
	}
}

func ofRole(name, shard string) []thing {
	has := func(b *bench, policy string) bool {
		return slices.ContainsFunc(b.roles[name].Policies, func(p fleet.Policy) bool { return p.Name == policy })
	}
	attached := func(policy string) thing {
		return thing{
			name + " has " + policy, "", "setup-share-role", []string{"", name},
			func(b *bench) string { return map[bool]string{true: name}[has(b, policy)] },
			func(b *bench, v string) {
				r := b.roles[name]
				r.Policies = slices.DeleteFunc(r.Policies, func(p fleet.Policy) bool { return p.Name == policy })
				if v != "" {
					r.Policies = append(r.Policies, fleet.Policy{Name: policy, Type: fleet.CustomPolicy})
				}
			},
			func(from, to string) (fleet.Change, bool) {
				if to == "" {
					return fleet.Change{Kind: fleet.DetachKeyPolicy, Ref: policyRef(policy), Before: from}, true
				}
				return fleet.Change{Kind: fleet.AttachKeyPolicy, Ref: policyRef(policy), Want: to}, true
			},
		}
	}
	out := []thing{
		attached(shard), attached("AliyunKMSFullAccess"),
		{
			name + " trust", "", "setup-share-role", []string{trusting("1"), trusting("2"), trusting("3")},
			func(b *bench) string { return b.roles[name].Trust }, func(b *bench, v string) { b.roles[name].Trust = v },
			func(from, to string) (fleet.Change, bool) {
				return fleet.Change{Kind: fleet.SetShareTrust, Ref: role(name), Before: from, Want: to}, true
			},
		},
		{
			name + " mark", "", "setup-share-role", []string{"", "none", "20261120T120000Z-0011223344556677"},
			func(b *bench) string { return b.tags[name][fleet.TagUnused] },
			func(b *bench, v string) {
				b.tags[name][fleet.TagUnused] = v
				if v == "" {
					delete(b.tags[name], fleet.TagUnused)
				}
			},
			func(from, to string) (fleet.Change, bool) {
				return fleet.Change{Kind: fleet.MarkUnused, Ref: role(name), Before: from, Want: to}, to != ""
			},
		},
		{
			shard, "", "setup-share-role", []string{granting("k-1"), granting("k-2"), granting("k-3")},
			func(b *bench) string { return b.policies[shard] }, func(b *bench, v string) { b.policies[shard] = v },
			func(from, to string) (fleet.Change, bool) {
				return fleet.Change{Kind: fleet.SetKeyPolicy, Ref: policyRef(shard), Before: from, Want: to}, true
			},
		},
	}
	for i := range out {
		out[i].control = policy.ControlShareRole
	}
	return out
}

func things() (out []thing) {
	for _, id := range []string{"i-1", "i-2"} {
		out = append(out, ofInstance(id)...)
	}
	out = append(out, ofRole(fleet.ImageShareRole, "fleetwarden-share-image-1")...)
	return append(out, ofRole(fleet.SnapshotShareRole, "fleetwarden-share-snapshot-1")...)
}

// expectation is the model: the value of one thing after undoing the run.
type expectation struct {
	ran      bool
	from, to string // of the last of the run's changes that follow on one another
}

func (e *expectation) changed(from, to string) {
	if !e.ran || from != e.to {
		e.from = from
	}
	e.ran, e.to = true, to
}

func (e expectation) after(now string) string {
	if e.ran && now == e.to {
		return e.from
	}
	return now
}

func TestUndoingRestoresTheRunsChangesAndNoOthers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := things()
		b := newBench()
		b.machine("i-1")
		b.machine("i-2")
		pick := func(label string) (thing, string) {
			x := rapid.SampledFrom(all).Draw(rt, label)
			return x, rapid.SampledFrom(x.values).Draw(rt, label+" to")
		}
		for _, x := range all {
			v := rapid.SampledFrom(x.values).Draw(rt, "world")
			if strings.HasSuffix(x.name, "power") {
				v = "Running"
			}
			x.set(b, v)
		}
		want := map[string]*expectation{}
		for _, x := range all {
			want[x.name] = &expectation{}
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			x, to := pick("step")
			from := x.get(b)
			if rapid.IntRange(0, 3).Draw(rt, "who") == 0 {
				x.set(b, to) // another caller, in between
				continue
			}
			c, ok := x.change(from, to)
			if !ok || from == to {
				continue
			}
			if d := b.make(x.function, "run-1", x.control, c); d.err != nil || len(d.changes(fleet.Done)) != 1 {
				rt.Fatalf("%+v was not done: %v %+v", c, d.err, d.records)
			}
			want[x.name].changed(from, to)
		}
		for range rapid.IntRange(0, 4).Draw(rt, "others") {
			x, to := pick("other")
			x.set(b, to)
		}
		expect := map[string]string{}
		for _, x := range all {
			expect[x.name] = want[x.name].after(x.get(b))
		}
		before := worth(b, all)
		d := b.undo("run-1", "undo-1")
		if d.err != nil {
			rt.Fatal(d.err)
		}
		if diff := cmp.Diff(expect, worth(b, all)); diff != "" {
			rt.Errorf("undone: %s\n%+v", diff, says(d.changes(fleet.Done)))
		}
		b.wrote = nil
		if d := b.undo("run-1", "undo-2"); d.err != nil || len(b.wrote) != 0 {
			rt.Errorf("again: %v, wrote %v", d.err, b.wrote)
		}
		if d := b.undo("undo-1", "undo-3"); d.err != nil {
			rt.Error(d.err)
		}
		if diff := cmp.Diff(before, worth(b, all)); diff != "" {
			rt.Errorf("the undo undone: %s", diff)
		}
	})
}

func worth(b *bench, all []thing) map[string]string {
	out := map[string]string{}
	for _, x := range all {
		out[x.name] = x.get(b)
	}
	return out
}

// An undo may be killed at any of its writes, before it or right after. After a second undo the
// account is as before the run, and the ledger has no open intent.
func TestAnUndoThatWasKilledIsFinishedByTheNext(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := range 100 {
			b, before := busy(t)
			b.left, b.after = n, after
			died := b.undo("run-1", "undo-1").err != nil || b.dead
			b.left, b.dead = -1, false
			b.now = b.now.Add(ledger.LongestPass)
			d := b.mustUndo(t, "run-1", "undo-2")
			if diff := cmp.Diff(before, worth(b, things())); diff != "" {
				t.Errorf("killed at write %d, after it: %t: %s\n%v", n, after, diff, says(d.changes(fleet.Done)))
			}
			b.isRecorded(t, fmt.Sprintf("killed at write %d, after it: %t", n, after))
			if !died {
				if n < 10 {
					t.Errorf("the undo takes only %d writes", n)
				}
				break
			}
		}
	}
}

// busy is a world after a run that changed everything in it.
func busy(t *testing.T) (b *bench, before map[string]string) {
	t.Helper()
	b = newBench()
	b.machine("i-1")
	b.machine("i-2").role = "AppRole"
	b.policies["fleetwarden-share-image-1"], b.policies["fleetwarden-share-snapshot-1"] = granting("k-1"), granting("k-1")
	before = worth(b, things())
	for _, x := range things() {
		from := x.get(b)
		to := x.values[slices.IndexFunc(x.values, func(v string) bool {
			_, ok := x.change(from, v)
			return ok && v != from
		})]
		if c, ok := x.change(from, to); ok {
			if d := b.make(x.function, "run-1", x.control, c); d.err != nil || len(d.changes(fleet.Done)) != 1 {
				t.Fatalf("%s: %v %+v", x.name, d.err, d.records)
			}
		}
	}
	if now := worth(b, things()); maps.Equal(before, now) {
		t.Fatal("the run changed nothing")
	}
	return b, before
}

// isRecorded checks that the ledger has an outcome of each change. It may be unclear only for a
// role that was detached and not replaced: the attaching is recorded by itself.
func (b *bench) isRecorded(t *testing.T, when string) {
	t.Helper()
	for a, err := range ledger.Across(t.Context(), b.store, all, ledger.Query{}) {
		if err != nil || a.Last == nil {
			t.Errorf("%s: %v, open: %+v", when, err, a.Intent)
			continue
		}
		for _, c := range a.Last.Changes {
			if c.State == fleet.Unclear && c.Kind != fleet.ReplaceRole {
				t.Errorf("%s: %s %s is unclear: %s", when, c.Kind, c.ID, c.Why)
			}
		}
	}
}
