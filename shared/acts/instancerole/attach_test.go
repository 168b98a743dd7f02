package instancerole_test

import (
	"fmt"
	"maps"
	"testing"

	"fleetwarden/shared/acts/instancerole"
	"fleetwarden/shared/fleet"
)

func TestAttachGivesAHundredInstancesTheRoleInOneCall(t *testing.T) {
	var ids []string
	for i := range fleet.MaxBatch {
		ids = append(ids, fmt.Sprintf("i-%03d", i))
	}
	c := ready(ids...)
	cs := attaches(ids...)
	rs := instancerole.Attach(c)(t.Context(), here, cs)
	each(t, cs, rs, fleet.Done)
	if want := map[string]int{"AttachRole": 1, "RoleNames": 1}; !maps.Equal(c.calls, want) {
		t.Errorf("calls %v, want %v", c.calls, want)
	}
	c.once(t)
	if rs[7].After != systrust || len(rs[7].RequestIDs) != 1 || rs[7].RequestIDs[0] != "q-i-007" {
		t.Errorf("got %+v", rs[7])
	}
}

func TestAttachWithoutChangesWritesNothing(t *testing.T) {
	c := ready()
	if rs := instancerole.Attach(c)(t.Context(), here, nil); len(rs) != 0 || c.calls["AttachRole"] != 0 {
		t.Errorf("got %v, calls %v", rs, c.calls)
	}
}

func TestAttachNeverTakesAnotherRoleAway(t *testing.T) {
	c := ready("i-1", "i-2", "i-3")
	c.role(theirs)
	c.instances["i-2"], c.instances["i-3"] = theirs, systrust
	cs := attaches("i-1", "i-2", "i-3")
	each(t, cs, instancerole.Attach(c)(t.Context(), here, cs), fleet.Done, fleet.Skipped, fleet.Skipped)
	c.has(t, map[string]string{"i-1": systrust, "i-2": theirs, "i-3": systrust})
}

func TestOneUnknownInstanceDoesNotStopItsNeighbours(t *testing.T) {
	c := ready("i-0", "i-1", "i-2", "i-4", "i-5", "i-6", "i-7")
	cs := attaches("i-0", "i-1", "i-2", "i-gone", "i-4", "i-5", "i-6", "i-7")
	rs := instancerole.Attach(c)(t.Context(), here, cs)
	each(t, cs, rs, fleet.Done, fleet.Done, fleet.Done, fleet.Later, fleet.Done, fleet.Done, fleet.Done, fleet.Done)
	if c.calls["AttachRole"] > 7 {
		t.Errorf("%d calls for one bad id of eight", c.calls["AttachRole"])
	}
	c.once(t)
}

func TestAFailureInsideAnAnswerIsThatInstancesOnly(t *testing.T) {
	c := ready("i-1", "i-2", "i-3")
	c.refuses["AttachRole i-1"] = failure{fleet.Unclassified, "OperationFailed"}
	c.refuses["AttachRole i-2"] = throttled
	cs := attaches("i-1", "i-2", "i-3")
	rs := instancerole.Attach(c)(t.Context(), here, cs)
	each(t, cs, rs, fleet.Failed, fleet.Later, fleet.Done)
	if fleet.CodeOf(rs[0].Err) != "OperationFailed" {
		t.Errorf("the cause is lost: %+v", rs[0])
	}
}

func TestAnAttachWithALostAnswerIsReadAndNotRepeated(t *testing.T) {
	for after, want := range map[bool]fleet.State{true: fleet.Done, false: fleet.Later} {
		t.Run(fmt.Sprint("done: ", after), func(t *testing.T) {
			c := ready("i-1", "i-2")
			c.faults["AttachRole"] = []fault{{lost, after}}
			cs := attaches("i-1", "i-2")
			each(t, cs, instancerole.Attach(c)(t.Context(), here, cs), want)
			if c.calls["AttachRole"] != 1 {
				t.Errorf("%d calls", c.calls["AttachRole"])
			}
			each(t, cs, instancerole.Attach(c)(t.Context(), here, cs), map[bool]fleet.State{true: fleet.Skipped, false: fleet.Done}[after])
			c.once(t)
		})
	}
}

func TestARefusedAttachIsSettledByItsClass(t *testing.T) {
	for err, want := range map[failure]fleet.State{
		denied: fleet.Failed, throttled: fleet.Later, {class: fleet.OutOfBudget}: fleet.Later,
		{fleet.Denied, "InvalidUser.PassRoleForbidden"}:      fleet.Failed,
		{fleet.Invalid, "InvalidRamRole.NotEcsRole"}:         fleet.Failed,
		{fleet.Denied, "InvalidNetworkType.MismatchRamRole"}: fleet.Failed,
		{fleet.Busy, "IncorrectInstanceStatus"}:              fleet.Later,
		{fleet.Unclassified, "AnUnknownCode.New"}:            fleet.Failed,
	} {
		t.Run(err.Error(), func(t *testing.T) {
			c := ready("i-1")
			c.faults["AttachRole"] = []fault{{err: err}}
			cs := attaches("i-1")
			rs := instancerole.Attach(c)(t.Context(), here, cs)
			each(t, cs, rs, want)
			if fleet.ClassOf(rs[0].Err) != err.class {
				t.Errorf("got %+v", rs[0])
			}
			c.has(t, map[string]string{"i-1": ""})
		})
	}
}

func TestACertainFailureIsNotReadBack(t *testing.T) {
	for err, want := range map[failure]int{denied: 0, throttled: 0, {class: fleet.Busy}: 0, {class: fleet.OutOfBudget}: 0, lost: 1, {class: fleet.Unclassified}: 1} {
		c := ready("i-1")
		c.faults["AttachRole"] = []fault{{err: err}}
		instancerole.Attach(c)(t.Context(), here, attaches("i-1"))
		if len(c.read) != want {
			t.Errorf("%v: read %v", err, c.read)
		}
	}
}

func TestARoleThatECSDoesNotSeeYetIsTriedAgainSoon(t *testing.T) {
	c := ready("i-1")
	c.unseen[systrust] = 1
	cs := attaches("i-1")
	rs := instancerole.Attach(c)(t.Context(), here, cs)
	each(t, cs, rs, fleet.Later)
	if rs[0].Again == 0 {
		t.Errorf("got %+v", rs[0])
	}
	each(t, cs, instancerole.Attach(c)(t.Context(), here, cs), fleet.Done)
}

func TestAnAttachIsDoneOnlyWhenReadBack(t *testing.T) {
	for name, x := range map[string]struct {
		spoil func(*cloud)
		want  fleet.State
	}{
		"not visible":            {func(c *cloud) { c.stale["i-1"] = "" }, fleet.Started},
		"not in the answer":      {func(c *cloud) { c.silent["i-1"] = true }, fleet.Later},
		"reading back fails":     {func(c *cloud) { c.faults["RoleNames"] = []fault{{err: throttled}} }, fleet.Started},
		"reading back is denied": {func(c *cloud) { c.faults["RoleNames"] = []fault{{err: denied}} }, fleet.Started},
	} {
		t.Run(name, func(t *testing.T) {
			c := ready("i-1")
			x.spoil(c)
			cs := attaches("i-1")
			rs := instancerole.Attach(c)(t.Context(), here, cs)
			each(t, cs, rs, x.want)
			if rs[0].Err == nil {
				t.Errorf("got %+v", rs[0])
			}
		})
	}
}

func TestAttachKeepsTheRolesOfDifferentChangesApart(t *testing.T) {
	c := ready("i-1", "i-2")
	c.role(theirs)
	cs := attaches("i-1", "i-2")
	cs[1].Want = theirs
	each(t, cs, instancerole.Attach(c)(t.Context(), here, cs), fleet.Done)
	c.has(t, map[string]string{"i-1": systrust, "i-2": theirs})
}

func TestRoleNamesAreComparedAsRAMDoes(t *testing.T) {
	c := ready("i-1")
	c.stale["i-1"] = "aliyunecsinstanceforyundunsystrustrole"
	cs := attaches("i-1")
	each(t, cs, instancerole.Attach(c)(t.Context(), here, cs), fleet.Done)
}
