package instancerole_test

import (
	"context"
	"slices"
	"testing"

	"fleetwarden/shared/acts/instancerole"
	"fleetwarden/shared/fleet"
)

func detaches(ids ...string) []fleet.Change {
	var out []fleet.Change
	for _, id := range ids {
		out = append(out, fleet.Change{Kind: fleet.DetachRole, Ref: fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: id}, Before: systrust})
	}
	return out
}

func detach(t *testing.T, c *cloud, cs []fleet.Change, want ...fleet.State) []fleet.Result {
	t.Helper()
	rs := instancerole.Detach(c)(t.Context(), here, cs)
	each(t, cs, rs, want...)
	return rs
}

// having is a cloud whose instances have the systrust role.
func having(ids ...string) *cloud {
	c := ready()
	for _, id := range ids {
		c.instances[id] = systrust
	}
	return c
}

func TestDetachDetachesOnlyTheNamedRole(t *testing.T) {
	c := having("i-1")
	c.role(theirs)
	c.instances["i-2"], c.instances["i-3"] = theirs, ""
	rs := detach(t, c, detaches("i-1", "i-2", "i-3"), fleet.Done, fleet.Skipped, fleet.Skipped)
	c.has(t, map[string]string{"i-1": "", "i-2": theirs, "i-3": ""})
	if !slices.Equal(rs[0].RequestIDs, []string{"q-i-1"}) || rs[1].After != theirs {
		t.Errorf("got %+v", rs)
	}
}

func TestDetachIsDoneOnlyWhenReadBack(t *testing.T) {
	c := having("i-1", "i-2")
	c.silent["i-1"] = true
	detach(t, c, detaches("i-1", "i-2"), fleet.Later, fleet.Done)
	c = having("i-1")
	c.faults["RoleNames"] = []fault{{err: denied}}
	detach(t, c, detaches("i-1"), fleet.Started)
	c = having("i-1")
	c.stale["i-1"] = systrust
	detach(t, c, detaches("i-1"), fleet.Started)
}

func TestADetachWithALostAnswerIsReadBack(t *testing.T) {
	for name, x := range map[string]struct {
		fault fault
		want  fleet.State
	}{
		"lost and done":     {fault{lost, true}, fleet.Done},
		"lost and not done": {fault{err: lost}, fleet.Later},
		"throttled":         {fault{err: throttled}, fleet.Later},
		"denied":            {fault{err: denied}, fleet.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			c := having("i-1")
			c.faults["DetachRole"] = []fault{x.fault}
			detach(t, c, detaches("i-1"), x.want)
		})
	}
}

func TestOneBadInstanceDoesNotBlockOtherDetaches(t *testing.T) {
	c := having("i-1", "i-2", "i-4")
	detach(t, c, detaches("i-1", "i-2", "i-gone", "i-4"), fleet.Done, fleet.Done, fleet.Failed, fleet.Done)
	c.has(t, map[string]string{"i-1": "", "i-2": "", "i-4": ""})
}

func (c *cloud) DetachPolicy(_ context.Context, role string, p fleet.Policy) error {
	return c.call("DetachPolicy", func() error {
		r := c.roles[role]
		if r == nil || !slices.ContainsFunc(r.Policies, func(x fleet.Policy) bool { return x.Name == p.Name && x.Type == p.Type }) {
			return failure{fleet.NotFound, "EntityNotExist.Role.Policy"}
		}
		r.Policies = slices.DeleteFunc(slices.Clone(r.Policies), func(x fleet.Policy) bool { return x.Name == p.Name })
		c.note("detach policy %s from %s", p.Name, role)
		return nil
	})
}

func TestRevokeDetachesOnePolicy(t *testing.T) {
	for name, x := range map[string]struct {
		fault fault
		gone  bool
		stale fault
		want  fleet.State
		left  int
	}{
		"done":                {want: fleet.Done, left: 1},
		"lost and done":       {fault: fault{lost, true}, want: fleet.Done, left: 1},
		"lost and not done":   {fault: fault{err: lost}, want: fleet.Later, left: 2},
		"denied":              {fault: fault{err: denied}, want: fleet.Failed, left: 2},
		"throttled":           {fault: fault{err: throttled}, want: fleet.Later, left: 2},
		"detached by others":  {gone: true, want: fleet.Skipped, left: 1},
		"not to be read back": {stale: fault{err: denied}, want: fleet.Started, left: 1},
		"lost and not read":   {fault: fault{lost, true}, stale: fault{err: denied}, want: fleet.Later, left: 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := ready()
			r := c.roles[systrust]
			r.Policies = append(r.Policies, fleet.Policy{Name: "theirs", Type: fleet.CustomPolicy})
			if x.gone {
				r.Policies = r.Policies[1:]
			}
			c.faults["DetachPolicy"], c.faults["Role"] = []fault{x.fault}, []fault{x.stale}
			change := fleet.Change{Kind: fleet.RevokeRole, Ref: fleet.Ref{Kind: fleet.KindRole, ID: systrust}, Before: ours}
			rs := instancerole.Revoke(c)(t.Context(), fleet.Scope{Account: here.Account}, []fleet.Change{change})
			if rs[0].State != x.want || len(r.Policies) != x.left {
				t.Errorf("got %+v, %d policies", rs[0], len(r.Policies))
			}
			if x.want == fleet.Done && rs[0].After != "theirs" {
				t.Errorf("after: %q", rs[0].After)
			}
		})
	}
}
