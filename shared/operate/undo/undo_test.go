package undo_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// story is one kind of change, the account before it, and a later change of the same resource by
// another caller.
type story struct {
	control string
	world   func(*bench)
	change  func() fleet.Change
	// inverse is the kind that undoes it.
	inverse fleet.ChangeKind
	foreign func(*bench)
}

func tagged(key, value string) func(*bench) {
	return func(b *bench) { b.machines["i-1"].tags[key] = value }
}

func stories() map[string]story {
	custom := func(name string) fleet.Policy { return fleet.Policy{Name: name, Type: fleet.CustomPolicy} }
	image := fleet.ImageShareRole
	return map[string]story{
		"attach-role": {
			policy.ControlInstanceRole, nil,
			func() fleet.Change { return fleet.Change{Kind: fleet.AttachRole, Ref: instance("i-1"), Want: systrust} },
			fleet.DetachRole, func(b *bench) { b.machines["i-1"].role = "AppRole" },
		},
		"replace-role": {
			policy.ControlInstanceRole, func(b *bench) { b.machines["i-1"].role = "AppRole" },
			func() fleet.Change {
				return fleet.Change{Kind: fleet.ReplaceRole, Ref: instance("i-1"), Before: "AppRole", Want: systrust}
			},
			fleet.ReplaceRole, func(b *bench) { b.machines["i-1"].role = "" },
		},
		"grant-role": {
			policy.ControlInstanceRole, nil,
			func() fleet.Change { return fleet.Change{Kind: fleet.GrantRole, Ref: role(systrust), Want: least} },
			fleet.RevokeRole, nil,
		},
		"tag-instance": {
			policy.ControlTrustedInstance, nil,
			func() fleet.Change {
				return fleet.Change{Kind: fleet.TagInstance, Ref: instance("i-1"), Want: "fleetwarden:violation=trusted-instance"}
			},
			fleet.UntagInstance, tagged("fleetwarden:violation", "theirs"),
		},
		"stop-instance": {
			policy.ControlTrustedInstance, nil,
			func() fleet.Change {
				return fleet.Change{Kind: fleet.StopInstance, Ref: instance("i-1"), Before: "Running", Want: "fleetwarden:stopped=trusted-instance"}
			},
			fleet.StartInstance, func(b *bench) { delete(b.machines["i-1"].tags, "fleetwarden:stopped") },
		},
		"set-share-trust": {
			policy.ControlShareRole, nil,
			func() fleet.Change {
				return fleet.Change{Kind: fleet.SetShareTrust, Ref: role(image), Before: trusting("1000000000000009"), Want: trusting("1000000000000002")}
			},
			fleet.SetShareTrust, func(b *bench) { b.roles[image].Trust = trusting("1000000000000003") },
		},
		"mark-unused": {
			policy.ControlShareRole, func(b *bench) { b.tags[image][fleet.TagUnused] = "none" },
			func() fleet.Change {
				return fleet.Change{Kind: fleet.MarkUnused, Ref: role(image), Before: "none", Want: "20261120T120000Z-0011223344556677"}
			},
			fleet.MarkUnused, func(b *bench) { b.tags[image][fleet.TagUnused] = "theirs" },
		},
		"mark-unused for the first time": {
			policy.ControlShareRole, nil,
			func() fleet.Change {
				return fleet.Change{Kind: fleet.MarkUnused, Ref: role(image), Want: "20261120T120000Z-0011223344556677"}
			},
			fleet.MarkUnused, func(b *bench) { b.tags[image][fleet.TagUnused] = "theirs" },
		},
		"attach-key-policy": {
			policy.ControlShareRole, func(b *bench) { b.policies[shard] = granting("k-1") },
			func() fleet.Change {
				return fleet.Change{Kind: fleet.AttachKeyPolicy, Ref: policyRef(shard), Want: image}
			},
			fleet.DetachKeyPolicy, nil,
		},
		"detach-key-policy": {
			policy.ControlShareRole, func(b *bench) {
				b.policies[shard] = granting("k-1")
				b.roles[image].Policies = []fleet.Policy{custom(shard)}
			},
			func() fleet.Change {
				return fleet.Change{Kind: fleet.DetachKeyPolicy, Ref: policyRef(shard), Before: image}
			},
			fleet.AttachKeyPolicy, nil,
		},
		"set-key-policy": {
			policy.ControlShareRole, func(b *bench) { b.policies[shard] = granting("k-1") },
			func() fleet.Change {
				return fleet.Change{Kind: fleet.SetKeyPolicy, Ref: policyRef(shard), Before: granting("k-1"), Want: granting("k-2")}
			},
			fleet.SetKeyPolicy, func(b *bench) { b.policies[shard] = granting("k-3") },
		},
	}
}

// begun is the world of a story, before and after its run.
func (s story) begun(t *testing.T) (b *bench, before map[string]string) {
	t.Helper()
	b = newBench()
	b.machine("i-1")
	b.policies[least] = `{"Version":"1","Statement":[{"Effect":"Allow","Action":["yundun-systrust:GenerateNonce","yundun-systrust:GenerateAikcert","yundun-systrust:RegisterMessage","yundun-systrust:PutMessage"],"Resource":"*"}]}`
	b.roles[systrust].Trust = `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["ecs.aliyuncs.com"]}}],"Version":"1"}`
	if s.world != nil {
		s.world(b)
	}
	before = b.state()
	if d := b.make(fleet.Owner(s.control), "run-1", s.control, s.change()); d.err != nil || len(d.changes(fleet.Done)) != 1 {
		t.Fatalf("the run did not do its change: %v %+v", d.err, d.records)
	}
	if maps.Equal(before, b.state()) {
		t.Fatal("the run changed nothing")
	}
	return b, before
}

// back is the state before the run, but with the tag that an undone stop leaves.
func back(before map[string]string, s story) map[string]string {
	if s.inverse != fleet.StartInstance {
		return before
	}
	out := maps.Clone(before)
	out["i-1"] = strings.Replace(out["i-1"], "map[]", "map[fleetwarden:stopped:trusted-instance]", 1)
	return out
}

func TestEachKindOfChangeIsUndone(t *testing.T) {
	for name, s := range stories() {
		t.Run(name, func(t *testing.T) {
			b, before := s.begun(t)
			d := b.mustUndo(t, "run-1", "undo-1")
			cs := d.changes(fleet.Done)
			if len(cs) != 1 || cs[0].Kind != s.inverse || cs[0].Control != s.control {
				t.Errorf("got %v", says(cs))
			}
			if diff := cmp.Diff(back(before, s), b.state()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAResourceThatAnotherCallerChangedSinceIsLeftAlone(t *testing.T) {
	for name, s := range stories() {
		if s.foreign == nil {
			continue // it exists or not: another caller can only restore the state before the run
		}
		t.Run(name, func(t *testing.T) {
			b, _ := s.begun(t)
			s.foreign(b)
			want := b.state()
			b.wrote = nil
			d := b.mustUndo(t, "run-1", "undo-1")
			if diff := cmp.Diff(want, b.state()); diff != "" || len(b.wrote) != 0 {
				t.Error(b.wrote, diff)
			}
			for id, o := range d.outcomes() {
				if name != "replace-role" && o != fleet.Conflict || o == fleet.Violation {
					t.Errorf("%s: %s: %s", id, o, d.reason(id))
				}
			}
		})
	}
}

// Here the other caller's change happens between the read and the write.
func TestAResourceThatAnotherCallerChangesMeanwhileIsLeftAlone(t *testing.T) {
	for name, s := range stories() {
		if s.foreign == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			b, _ := s.begun(t)
			var want map[string]string
			puts := len(b.store.objects)
			b.wrote = nil
			hook := func() {
				if want == nil && len(b.store.objects) > puts { // the intent is written
					s.foreign(b)
					want = b.state()
				}
			}
			d := b.undoWith("run-1", "undo-1", hook)
			if d.err != nil || want == nil {
				t.Fatal(d.err, want)
			}
			if diff := cmp.Diff(want, b.state()); diff != "" || len(b.wrote) != 0 {
				t.Error(b.wrote, diff)
			}
			if len(d.changes(fleet.Skipped)) != 1 {
				t.Errorf("got %+v", d.records)
			}
		})
	}
}

func TestUndoingAgainChangesNothing(t *testing.T) {
	for name, s := range stories() {
		t.Run(name, func(t *testing.T) {
			b, _ := s.begun(t)
			b.mustUndo(t, "run-1", "undo-1")
			want := b.state()
			b.wrote = nil
			d := b.mustUndo(t, "run-1", "undo-2")
			if diff := cmp.Diff(want, b.state()); diff != "" || len(b.wrote) != 0 || len(d.changes(fleet.Done)) != 0 {
				t.Error(b.wrote, diff)
			}
			for id, o := range d.outcomes() {
				if o != fleet.Passes {
					t.Errorf("%s: %s: %s", id, o, d.reason(id))
				}
			}
		})
	}
}

func TestAnUndoIsUndoneByItsOwnRun(t *testing.T) {
	for name, s := range stories() {
		t.Run(name, func(t *testing.T) {
			b, _ := s.begun(t)
			want := b.state()
			b.mustUndo(t, "run-1", "undo-1")
			d := b.mustUndo(t, "undo-1", "undo-2")
			if diff := cmp.Diff(want, b.state()); diff != "" || len(d.changes(fleet.Done)) != 1 {
				t.Errorf("%v %s", says(d.changes(fleet.Done)), diff)
			}
			// The first run's change is in place again, but another run has made it.
			b.wrote = nil
			d = b.mustUndo(t, "run-1", "undo-3")
			for id, o := range d.outcomes() {
				if o != fleet.Conflict || !strings.Contains(d.reason(id), "undo-2") || len(b.wrote) != 0 {
					t.Errorf("%s: %s: %s", id, o, d.reason(id))
				}
			}
		})
	}
}
