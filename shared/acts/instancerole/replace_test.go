package instancerole_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"fleetwarden/shared/acts/instancerole"
	"fleetwarden/shared/fleet"
)

// occupied is a cloud whose instances have another role.
func occupied(ids ...string) *cloud {
	c := ready()
	c.role(theirs)
	for _, id := range ids {
		c.instances[id] = theirs
	}
	return c
}

func replace(t *testing.T, c *cloud, cs []fleet.Change, want ...fleet.State) []fleet.Result {
	t.Helper()
	rs := instancerole.Replace(c)(t.Context(), here, cs)
	each(t, cs, rs, want...)
	return rs
}

func TestReplaceDetachesAndAttaches(t *testing.T) {
	c := occupied("i-1", "i-2")
	rs := replace(t, c, replaces("i-1", "i-2"), fleet.Done)
	c.has(t, map[string]string{"i-1": systrust, "i-2": systrust})
	if !slices.Equal(rs[0].RequestIDs, []string{"q-i-1", "q-i-1"}) || rs[0].After != systrust {
		t.Errorf("got %+v", rs[0])
	}
	c.once(t)
}

func TestReplaceChangesOnlyInstancesThatStillHaveTheRole(t *testing.T) {
	c := occupied("i-1")
	c.role("Third")
	c.instances["i-2"], c.instances["i-3"], c.instances["i-4"] = "Third", "", systrust
	replace(t, c, replaces("i-1", "i-2", "i-3", "i-4"), fleet.Done, fleet.Skipped, fleet.Skipped, fleet.Skipped)
	c.has(t, map[string]string{"i-1": systrust, "i-2": "Third", "i-3": "", "i-4": systrust})
}

func TestAnUnreadableRoleIsNotReplaced(t *testing.T) {
	for err, want := range map[failure]fleet.State{throttled: fleet.Later, denied: fleet.Failed} {
		c := occupied("i-1")
		c.faults["RoleNames"] = []fault{{err: err}}
		replace(t, c, replaces("i-1"), want)
		if len(c.did) != 0 {
			t.Errorf("did %v", c.did)
		}
	}
}

func TestAnAttachThatFailsIsRolledBack(t *testing.T) {
	for err, want := range map[failure]fleet.State{
		denied: fleet.Failed, throttled: fleet.Later, lost: fleet.Later,
		{fleet.Invalid, "InvalidRamRole.NotEcsRole"}: fleet.Failed, {fleet.NotFound, "InvalidRamRole.NotFound"}: fleet.Later,
	} {
		t.Run(err.Error(), func(t *testing.T) {
			c := occupied("i-1", "i-2")
			c.faults["AttachRole"] = []fault{{err: err}}
			rs := replace(t, c, replaces("i-1", "i-2"), want)
			c.has(t, map[string]string{"i-1": theirs, "i-2": theirs})
			if rs[0].After != theirs || len(rs[0].RequestIDs) != 1 || fleet.ClassOf(rs[0].Err) != err.class {
				t.Errorf("got %+v", rs[0])
			}
		})
	}
}

// An interrupt between the two calls leaves the replacement to end.
func TestAReplacementIsNotInterruptedHalfWay(t *testing.T) {
	c := occupied("i-1")
	ctx, interrupt := context.WithCancel(t.Context())
	c.between = func(api string) {
		if api == "AttachRole" {
			interrupt()
		}
	}
	cs := replaces("i-1")
	each(t, cs, instancerole.Replace(c)(ctx, here, cs), fleet.Done)
	c.has(t, map[string]string{"i-1": systrust})
}

func TestOnlyTheInstanceWhoseAttachFailedIsRolledBack(t *testing.T) {
	c := occupied("i-1", "i-2")
	refused := failure{fleet.Invalid, "OperationFailed"}
	c.between = func(api string) {
		if c.calls["AttachRole"] == 1 {
			c.refuses = nil // the roll-back is let through
		}
	}
	c.refuses["AttachRole i-1"] = refused
	replace(t, c, replaces("i-1", "i-2"), fleet.Failed, fleet.Done)
	c.has(t, map[string]string{"i-1": theirs, "i-2": systrust})
}

func TestAFailedRollBackIsCheckedAgain(t *testing.T) {
	c := occupied("i-1")
	c.faults["AttachRole"] = []fault{{err: denied}, {err: denied}}
	rs := replace(t, c, replaces("i-1"), fleet.Later)
	c.has(t, map[string]string{"i-1": ""})
	if rs[0].After != "" || rs[0].Err == nil {
		t.Errorf("got %+v", rs[0])
	}
}

func TestEveryWriteOfReplaceMayLoseItsAnswer(t *testing.T) {
	for _, api := range []string{"DetachRole", "AttachRole"} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint(api, " done: ", after), func(t *testing.T) {
				c := occupied("i-1")
				c.faults[api] = []fault{{lost, after}}
				cs := replaces("i-1")
				rs := instancerole.Replace(c)(t.Context(), here, cs)
				if after {
					each(t, cs, rs, fleet.Done)
					c.has(t, map[string]string{"i-1": systrust})
					c.once(t)
				} else {
					each(t, cs, rs, fleet.Later)
					c.has(t, map[string]string{"i-1": theirs})
					replace(t, c, cs, fleet.Done)
				}
			})
		}
	}
}

func TestADetachThatFailsLeavesEverythingAsItWas(t *testing.T) {
	for err, want := range map[failure]fleet.State{denied: fleet.Failed, throttled: fleet.Later} {
		c := occupied("i-1")
		c.faults["DetachRole"] = []fault{{err: err}}
		replace(t, c, replaces("i-1"), want)
		c.has(t, map[string]string{"i-1": theirs})
		if c.calls["AttachRole"] != 0 {
			t.Error("it attached where nothing was detached")
		}
	}
}

// A detach that certainly failed does not use the hour's limit: an instance that is busy is
// tried repeatedly.
func TestADetachThatCertainlyFailedLeavesTheInstanceUnchanged(t *testing.T) {
	for class, want := range map[fleet.Class]bool{
		fleet.Busy: true, fleet.Throttled: true, fleet.Denied: true, fleet.Absent: true, fleet.OutOfBudget: true, fleet.Lost: false, fleet.Unclassified: false,
	} {
		c := occupied("i-1")
		c.faults["DetachRole"] = []fault{{err: failure{class: class}}}
		rs := instancerole.Replace(c)(t.Context(), here, replaces("i-1"))
		if rs[0].Untouched != want {
			t.Errorf("%s: got %+v", class, rs[0])
		}
	}
}

func TestOneInstanceThatVanishesDoesNotStopItsNeighbours(t *testing.T) {
	c := occupied("i-1", "i-2", "i-3", "i-4")
	c.between = func(string) { delete(c.instances, "i-3") } // after it was read
	cs := replaces("i-1", "i-2", "i-3", "i-4")
	rs := instancerole.Replace(c)(t.Context(), here, cs)
	each(t, cs, rs, fleet.Done, fleet.Done, fleet.Later, fleet.Done)
	c.has(t, map[string]string{"i-1": systrust, "i-2": systrust, "i-4": systrust})
}

func TestAReplacementByAnotherCallerIsNotOurs(t *testing.T) {
	c := occupied("i-1")
	c.between = func(api string) {
		if api == "DetachRole" {
			c.instances["i-1"] = systrust
		}
	}
	replace(t, c, replaces("i-1"), fleet.Skipped)
	c = occupied("i-1")
	c.between = func(api string) {
		if api == "AttachRole" && c.instances["i-1"] == "" {
			c.instances["i-1"] = systrust
		}
	}
	replace(t, c, replaces("i-1"), fleet.Done) // the role of before was taken away here
}

func TestARoleThatAnotherCallerAttachesInBetweenStays(t *testing.T) {
	c := occupied("i-1")
	c.role("Third")
	c.between = func(api string) {
		if api == "AttachRole" && c.instances["i-1"] == "" {
			c.instances["i-1"] = "Third"
		}
	}
	rs := replace(t, c, replaces("i-1"), fleet.Later)
	c.has(t, map[string]string{"i-1": "Third"})
	if rs[0].After != "Third" {
		t.Errorf("got %+v", rs[0])
	}
}

// Answers may leave an instance out, and reads may be behind: neither is a reason
// to believe or to despair.
func TestAReplaceIsDoneOnlyWhenReadBack(t *testing.T) {
	for name, x := range map[string]struct {
		spoil func(*cloud)
		want  fleet.State
	}{
		"left out of the answers": {func(c *cloud) { c.silent["i-1"] = true }, fleet.Later},
		"still shows the old":     {func(c *cloud) { c.stale["i-1"] = theirs }, fleet.Started},
		"reading back fails":      {func(c *cloud) { c.faults["RoleNames"] = []fault{{}, {err: throttled}} }, fleet.Started},
		"reading back is denied":  {func(c *cloud) { c.faults["RoleNames"] = []fault{{}, {err: denied}} }, fleet.Started},
		"attach lost, not read": {func(c *cloud) {
			c.faults["RoleNames"], c.faults["AttachRole"] = []fault{{}, {err: denied}}, []fault{{lost, true}}
		}, fleet.Later},
	} {
		t.Run(name, func(t *testing.T) {
			c := occupied("i-1")
			x.spoil(c)
			rs := replace(t, c, replaces("i-1"), x.want)
			if rs[0].Err == nil {
				t.Errorf("got %+v", rs[0])
			}
			c.once(t)
		})
	}
}

func TestAReplaceThatShowsNoRoleYetIsCheckedAgain(t *testing.T) {
	c := occupied("i-1")
	c.between = func(api string) {
		if api == "AttachRole" {
			c.stale["i-1"] = ""
		}
	}
	rs := replace(t, c, replaces("i-1"), fleet.Started)
	if rs[0].Err == nil {
		t.Errorf("got %+v", rs[0])
	}
}
