package instancerole_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
)

// once checks that no change of the world was made twice.
func (c *cloud) once(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for _, d := range c.did {
		if seen[d] && !strings.HasPrefix(d, "attach "+theirs) {
			t.Errorf("done twice: %s; all: %v", d, c.did)
		}
		seen[d] = true
	}
}

func (c *cloud) has(t *testing.T, want map[string]string) {
	t.Helper()
	if !maps.Equal(c.instances, want) {
		t.Errorf("instances have the roles %v, want %v", c.instances, want)
	}
}

func instance(id string) fleet.Ref {
	return fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: id}
}

func attaches(ids ...string) []fleet.Change {
	out := make([]fleet.Change, len(ids))
	for i, id := range ids {
		out[i] = fleet.Change{Kind: fleet.AttachRole, Ref: instance(id), Want: systrust}
	}
	return out
}

func replaces(ids ...string) []fleet.Change {
	out := attaches(ids...)
	for i := range out {
		out[i].Kind, out[i].Before = fleet.ReplaceRole, theirs
	}
	return out
}

func ensures(want string) []fleet.Change {
	ref := fleet.Ref{Scope: fleet.Scope{Account: here.Account}, Kind: fleet.KindRole, ID: systrust}
	return []fleet.Change{{Kind: fleet.EnsureRole, Ref: ref, Want: want}}
}

func states(rs []fleet.Result) []fleet.State {
	out := make([]fleet.State, len(rs))
	for i, r := range rs {
		out[i] = r.State
	}
	return out
}

// each checks that there is one result a change, in their order, all in a state.
func each(t *testing.T, cs []fleet.Change, rs []fleet.Result, want ...fleet.State) {
	t.Helper()
	if len(rs) != len(cs) {
		t.Fatalf("%d results of %d changes", len(rs), len(cs))
	}
	for i, r := range rs {
		if r.Change.Ref.Key() != cs[i].Ref.Key() {
			t.Errorf("result %d is about %s, the change about %s", i, r.Change.Ref, cs[i].Ref)
		}
		if r.State != fleet.Done && r.Why == "" {
			t.Errorf("result %d is %s with the reason %q", i, r.State, r.Why)
		}
	}
	if len(want) == 1 {
		want = slices.Repeat(want, len(rs))
	}
	if got := states(rs); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: %+v", got, want, rs)
	}
}
