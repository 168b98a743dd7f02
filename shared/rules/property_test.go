package rules_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

// blurs are the ways to make one observed fact of a world unknown.
func blurs(w *fleet.World) []func(*fleet.World) {
	out := []func(*fleet.World){func(w *fleet.World) { w.KMS = fleet.Unknown[string]("blurred") }}
	for i := range w.Instances {
		out = append(out,
			func(w *fleet.World) { w.Instances[i].Listed = fleet.Unknown[fleet.Listing]("blurred") },
			func(w *fleet.World) { w.Instances[i].Gone = fleet.Unknown[bool]("blurred") },
			func(w *fleet.World) { w.Instances[i].RoleName = fleet.Unknown[string]("blurred") },
			func(w *fleet.World) { w.Instances[i].SystemDisk = fleet.Unknown[string]("blurred") },
			func(w *fleet.World) { w.Instances[i].Image = fleet.Unknown[fleet.Image]("blurred") },
			func(w *fleet.World) { w.Instances[i].Found = fleet.Unknown[map[string]time.Time]("blurred") },
		)
	}
	for name := range w.Roles {
		out = append(out, func(w *fleet.World) { w.Roles[name] = fleet.Unknown[fleet.Role]("blurred") })
	}
	return out
}

// changes names all changes of verdicts.
func changes(vs []fleet.Verdict) map[string]bool {
	out := map[string]bool{}
	for _, v := range vs {
		for _, c := range v.Changes {
			out[fmt.Sprint(c.Kind, " ", c.Ref, " ", c.Before, " ", c.Want)] = true
		}
	}
	return out
}

// within checks that all changes are among others.
func within(t *rapid.T, some, all map[string]bool) {
	for c := range some {
		if !all[c] {
			t.Errorf("a change out of nothing: %s", c)
		}
	}
}

func TestKnowingLessNeverMakesAViolationPassNorAddsAChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		before := decide(w, p)
		for _, blur := range blurs(w) {
			less := clone(w)
			blur(less)
			after := decide(less, p)
			within(t, changes(after), changes(before))
			for _, v := range before {
				if v.Outcome != fleet.Violation && v.Outcome != fleet.Conflict {
					continue
				}
				for _, a := range after {
					if a.Ref.Key() == v.Ref.Key() && a.Control == v.Control && a.Rule == v.Rule && a.Outcome == fleet.Passes {
						t.Errorf("%s of %s passes, and was a %s: %s", a.Rule, a.Ref, v.Outcome, a.Reason)
					}
				}
			}
		}
	})
}

// No tries or times of a message change a verdict or its changes; only the number of
// refreshes depends on the tries.
func TestNoMessageMaturesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		p.Agent.Mode, p.Agent.Deadline = policy.Enforce, time.Hour
		for i := range w.Instances {
			in := &w.Instances[i]
			in.Gone = fleet.See(false)
			ago := pick(t, "last heard of", 0, time.Minute, 2*time.Hour)
			in.Agent = pick(t, "agent", fleet.See(fleet.Agent{}), fleet.See(fleet.Agent{Known: true, Status: "offline", Sub: "offline", LastOnline: noon.Add(-ago)}),
				fleet.See(fleet.Agent{Known: true, Status: "offline", Sub: "offline"}), fleet.See(fleet.Agent{Known: true, Status: "offline", Sub: "uninstalled"}))
			in.Assistant = pick(t, "assistant", fleet.See(fleet.Assistant{Online: true}), fleet.See(fleet.Assistant{LastHeartbeat: noon.Add(-ago)}), fleet.See(fleet.Assistant{}))
			in.Invocations, in.Listed.V.OSType = fleet.See[[]fleet.Invocation](nil), "linux"
		}
		judged := func(try fleet.Try) (out []string) {
			c := clone(w)
			for i := range c.Instances {
				c.Instances[i].Ref.Try = try
			}
			for _, v := range append(decide(c, p), instances.Agent(c, p)...) {
				said := fmt.Sprint(v.Ref, v.Rule, v.Outcome, v.Severity, v.Reason, v.Remedy, v.Since)
				for _, x := range v.Changes {
					if x.Kind != fleet.RefreshAssets {
						said += fmt.Sprint(x.Kind, x.Ref.ID, x.Before, x.Want)
					}
				}
				out = append(out, said)
			}
			return out
		}
		forged := fleet.Try{N: rapid.IntRange(0, 100).Draw(t, "forged tries"), FirstSeen: noon.Add(-pick(t, "forged age", time.Minute, 2*time.Hour, 8000*time.Hour)), Run: "x"}
		if want, got := judged(fleet.Try{}), judged(forged); !slices.Equal(want, got) {
			t.Errorf("%+v changes\n%q to\n%q", forged, want, got)
		}
	})
}

func TestNothingIsChangedForWhatARequestClaimed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		without := clone(w)
		for i := range without.Instances {
			without.Instances[i].Ref.Call = nil
		}
		within(t, changes(decide(w, p)), changes(decide(without, p)))
	})
}

func TestNothingIsChangedForFactsThatAreOnlyClaimed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		for i := range w.Instances {
			in := &w.Instances[i]
			in.Listed.Source, in.RoleName.Source, in.SystemDisk.Source, in.Image.Source = fleet.Claimed, fleet.Claimed, fleet.Claimed, fleet.Claimed
		}
		if c := changes(decide(w, p)); len(c) != 0 {
			t.Errorf("changes: %v", c)
		}
	})
}

func TestARoleThatIsOnlyClaimedToBeMissingIsNotMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		for name, f := range w.Roles {
			f.Source = fleet.Claimed
			w.Roles[name] = f
		}
		for _, v := range decide(w, p) {
			if v.Control == policy.ControlInstanceRole && len(v.Changes) != 0 {
				t.Errorf("changes: %+v", v)
			}
		}
	})
}

func TestOnceTheChangesAreMadeThereIsNothingToChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		w = clone(w)
		for range 2 { // where a role is to be replaced, the new one is made fit first
			apply(w, decide(w, p))
		}
		if c := changes(decide(w, p)); len(c) != 0 {
			t.Errorf("still to change: %v", c)
		}
	})
}

func TestWhatThePolicyLeavesAloneIsNotChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		named := len(p.InstanceRole.Include) > 0
		for _, v := range decide(w, p) {
			if len(v.Changes) == 0 {
				continue
			}
			at := slices.IndexFunc(w.Instances, func(i fleet.Instance) bool { return i.Ref.Key() == v.Ref.Key() })
			i := w.Instances[at]
			_, auto := i.Listed.V.Tags[fleet.TagAutoScaling]
			_, ack := i.Listed.V.Tags[fleet.TagACK]
			switch {
			case i.Ref.ID == "i-0":
				t.Errorf("an exempt instance: %+v", v)
			case i.Listed.V.VPC == "vpc-out":
				t.Errorf("an excluded instance: %+v", v)
			case i.Listed.V.VPC == "vpc-self" && v.Control == policy.ControlInstanceRole:
				t.Errorf("a self-managed instance: %+v", v)
			case auto && !named, ack && !auto:
				t.Errorf("an instance of %s: %+v", i.Listed.V.Manager(), v)
			}
		}
	})
}

func TestEveryVerdictIsSound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		for _, v := range decide(anyWorld(rt), anyPolicy(rt)) {
			sound(t, v)
		}
	})
}

func TestDecidingLeavesTheWorldAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		before := fmt.Sprintf("%+v", clone(w))
		decide(w, p)
		if after := fmt.Sprintf("%+v", w); after != before {
			t.Errorf("the world was %s and is %s", before, after)
		}
	})
}

func TestAnInstanceIsStoppedOnceHoweverManyRulesItViolates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		wants := map[string]string{}
		for _, v := range decide(w, p) {
			for _, c := range v.Changes {
				if c.Kind != fleet.StopInstance {
					continue
				}
				if want, ok := wants[c.Ref.ID]; ok && want != c.Want {
					t.Errorf("%s is stopped for %q and for %q: that is two changes", c.Ref.ID, want, c.Want)
				}
				wants[c.Ref.ID] = c.Want
			}
		}
	})
}
