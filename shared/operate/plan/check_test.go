package plan_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
)

func TestAnItemThatHasChangedSinceIsStale(t *testing.T) {
	p := made(t, drifted(hangzhou, role, "i-1", ensure(hangzhou), attach(hangzhou, "i-1")))
	replaced := attach(hangzhou, "i-1")
	replaced.Before = "app-role"
	wanted := attach(hangzhou, "i-1")
	wanted.Want = "another-role"
	recounted := attach(hangzhou, "i-1")
	recounted.Reason = "it has had no role for 7 minutes"
	judged := func(o fleet.Outcome) []fleet.Verdict {
		v := says(hangzhou, role, "i-1")
		v.Outcome, v.Reason = o, "the reason"
		return []fleet.Verdict{v, says(hangzhou, role, "i-1")}
	}
	for name, c := range map[string]struct {
		verdicts []fleet.Verdict
		stale    string
		over     bool
	}{
		"as planned":                 {[]fleet.Verdict{says(hangzhou, role, "i-1", ensure(hangzhou), attach(hangzhou, "i-1"))}, "", false},
		"in another order":           {[]fleet.Verdict{says(hangzhou, role, "i-1", attach(hangzhou, "i-1"), ensure(hangzhou))}, "", false},
		"for another reason":         {[]fleet.Verdict{says(hangzhou, role, "i-1", ensure(hangzhou), recounted)}, "", false},
		"halfway":                    {[]fleet.Verdict{says(hangzhou, role, "i-1", attach(hangzhou, "i-1"))}, "", false},
		"right by now":               {[]fleet.Verdict{says(hangzhou, role, "i-1")}, "nothing is left to do: it has the role", true},
		"gone":                       {nil, "nothing is left to do: its control has no verdict on it", true},
		"not known":                  {judged(fleet.Undecided), "nothing can be done now: the reason; it has the role", false},
		"not readable":               {judged(fleet.Fault), "nothing can be done now: the reason; it has the role", false},
		"too early":                  {judged(fleet.Pending), "nothing can be done now: the reason; it has the role", false},
		"of another owner by now":    {judged(fleet.Conflict), "nothing can be done now: the reason; it has the role", false},
		"exempt by now":              {judged(fleet.Exempted), "nothing is left to do: the reason; it has the role", true},
		"beyond repair":              {[]fleet.Verdict{violates(policy.RuleSystrustRole)}, "nothing can be done now: the reason", false},
		"wrong by another rule":      {[]fleet.Verdict{violates(policy.RuleOverBroadRole)}, "nothing is left to do: the reason", true},
		"within its grace":           {[]fleet.Verdict{patient(says(hangzhou, role, "i-1"))}, "nothing can be done now: it has the role", false},
		"another role before":        {[]fleet.Verdict{says(hangzhou, role, "i-1", ensure(hangzhou), replaced)}, "another change is needed now: it has no role", false},
		"another role wanted":        {[]fleet.Verdict{says(hangzhou, role, "i-1", ensure(hangzhou), wanted)}, "another change is needed now: it has no role", false},
		"more than planned":          {[]fleet.Verdict{says(hangzhou, role, "i-1", ensure(hangzhou), attach(hangzhou, "i-1"), push(hangzhou, "i-1"))}, "another change is needed now: it has no role", false},
		"another control's verdict":  {[]fleet.Verdict{says(hangzhou, agent, "i-1", ensure(hangzhou), attach(hangzhou, "i-1"))}, "nothing is left to do: its control has no verdict on it", true},
		"another resource's verdict": {[]fleet.Verdict{says(hangzhou, role, "i-2", ensure(hangzhou), attach(hangzhou, "i-2"))}, "nothing is left to do: its control has no verdict on it", true},
	} {
		got := check(t, &fakeControls{verdicts: c.verdicts}, p, enforcing())[0]
		if got.Stale != c.stale || got.Over != c.over || got.Fresh() != (c.stale == "") {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// One who names twenty instances means all of them, however few a share of the fleet may be.
func TestNamedResourcesAreNoShareOfTheFleet(t *testing.T) {
	var drift []sweep.Drifted
	var verdicts []fleet.Verdict
	for n := range 20 {
		id := fmt.Sprint("i-", n)
		drift, verdicts = append(drift, drifted(hangzhou, role, id, attach(hangzhou, id))), append(verdicts, says(hangzhou, role, id, attach(hangzhou, id)))
	}
	p := made(t, drift...)
	p.Seen = []plan.Seen{{Scope: hangzhou, N: 20}}
	for named, want := range map[bool]string{true: "", false: "20 changes of 20 seen, more than maxPercent 20"} {
		p.Named = named
		if got := check(t, &fakeControls{verdicts: verdicts}, p, enforcing())[0]; got.Held != want {
			t.Errorf("named %t: %q", named, got.Held)
		}
	}
}

// violates is the verdict of a violation without a change.
func violates(rule string) fleet.Verdict {
	v := says(hangzhou, role, "i-1")
	v.Rule, v.Outcome, v.Reason = rule, fleet.Violation, "the reason"
	return v
}

// patient is the verdict of a violation within its grace period.
func patient(v fleet.Verdict) fleet.Verdict {
	v.Outcome, v.Patience = fleet.Violation, 24*time.Hour
	return v
}

func TestOfAnItemThatIsHalfDoneTheRestIsLeftToDo(t *testing.T) {
	p := made(t, drifted(hangzhou, role, "i-1", ensure(hangzhou), attach(hangzhou, "i-1")))
	got := check(t, &fakeControls{verdicts: []fleet.Verdict{says(hangzhou, role, "i-1", attach(hangzhou, "i-1"))}}, p, enforcing())[0]
	if len(got.Item.Changes) != 1 || got.Item.Changes[0].Kind != fleet.AttachRole || !got.Fresh() {
		t.Errorf("got %+v", got)
	}
	if len(p.Items[0].Changes) != 2 {
		t.Error("the plan itself was changed")
	}
}

func TestAnItemThatCannotBeCheckedIsStaleAndNotOver(t *testing.T) {
	p := made(t, drifted(hangzhou, role, "i-1", attach(hangzhou, "i-1")), drifted(member, role, "i-3", attach(member, "i-3")))
	for name, e := range map[string]*fakeControls{
		"an account": {reaching: map[fleet.AccountID]error{member.Account: failure{fleet.Denied}}},
		"a scope":    {observing: map[fleet.Scope]error{member: failure{fleet.Denied}}},
	} {
		e.verdicts = []fleet.Verdict{says(hangzhou, role, "i-1", attach(hangzhou, "i-1"))}
		all := check(t, e, p, enforcing())
		if !all[0].Fresh() || all[1].Over || !strings.HasPrefix(all[1].Stale, "it cannot be checked: ") || !strings.HasSuffix(all[1].Stale, "denied") {
			t.Errorf("%s: got %+v", name, all)
		}
	}
}

func TestATransientErrorEndsTheCheck(t *testing.T) {
	p := made(t, drifted(hangzhou, role, "i-1", attach(hangzhou, "i-1")))
	e := &fakeControls{observing: map[fleet.Scope]error{hangzhou: failure{fleet.Throttled}}}
	if _, err := e.checker().Check(t.Context(), p, enforcing(), func(int) {}); fleet.ClassOf(err) != fleet.Throttled {
		t.Errorf("got %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	e.observing[hangzhou] = ctx.Err()
	if _, err := e.checker().Check(ctx, p, enforcing(), func(int) {}); err == nil {
		t.Error("a check that was stopped has no result")
	}
}

func TestItemsAreCheckedInBatchesOfOneScopeAndEachResourceOnce(t *testing.T) {
	var p plan.Plan
	for i := range fleet.MaxBatch + 1 {
		p.Items = append(p.Items, plan.Item{Scope: hangzhou, Control: role, Kind: fleet.KindInstance, ID: fmt.Sprint("i-", i)})
	}
	p.Items = append(p.Items, plan.Item{Scope: shanghai, Control: role, Kind: fleet.KindInstance, ID: "i-0"},
		plan.Item{Scope: shanghai, Control: agent, Kind: fleet.KindInstance, ID: "i-0"})
	e := &fakeControls{}
	checked := 0
	if _, err := e.checker().Check(t.Context(), p, enforcing(), func(n int) { checked += n }); err != nil {
		t.Fatal(err)
	}
	if want := []int{fleet.MaxBatch, 1, 1}; !slices.Equal(e.checked, want) || checked != len(p.Items) {
		t.Errorf("checked %v, want %v; %d were reported", e.checked, want, checked)
	}
}

// Limits count what is not stale, by scope and control.
func TestPolicyHolds(t *testing.T) {
	few := policy.Limits{MaxChanges: 2, MaxPercent: 100, PercentAbove: 10, MaxPerHour: 100}
	share := policy.Limits{MaxChanges: 100, MaxPercent: 2, PercentAbove: 1}
	for name, c := range map[string]struct {
		limits policy.Limits
		mode   policy.Mode
		n      int // of hangzhou
		held   string
	}{
		"at the most":          {few, policy.Enforce, 2, ""},
		"above it":             {few, policy.Enforce, 3, "3 changes, more than maxChanges 2"},
		"at the largest share": {share, policy.Enforce, 2, ""},
		"above it, of 100":     {share, policy.Enforce, 3, "3 changes of 100 seen, more than maxPercent 2"},
		"in audit":             {few, policy.Audit, 1, "set to audit"},
		"switched off":         {few, policy.Off, 1, "set to off"},
	} {
		pol := enforcing()
		pol.Limits, pol.InstanceRole.Mode = c.limits, c.mode
		var all []sweep.Drifted
		e := &fakeControls{}
		for i := range c.n {
			id := fmt.Sprint("i-", i)
			all = append(all, drifted(hangzhou, role, id, attach(hangzhou, id)))
			e.verdicts = append(e.verdicts, says(hangzhou, role, id, attach(hangzhou, id)))
		}
		all = append(all, drifted(hangzhou, role, "i-stale", attach(hangzhou, "i-stale")), drifted(hangzhou, agent, "i-0", push(hangzhou, "i-0")))
		e.verdicts = append(e.verdicts, says(hangzhou, agent, "i-0", push(hangzhou, "i-0")))
		for _, s := range check(t, e, made(t, all...), pol) {
			held := c.held
			if s.Item.Control == agent || s.Item.ID == "i-stale" {
				held = ""
			}
			if (s.Held == "") != (held == "") || !strings.Contains(s.Held, held) {
				t.Errorf("%s: %s of %s is held for %q, want %q", name, s.Item.ID, s.Item.Control, s.Held, held)
			}
		}
	}
}

// Of a control of which a part is enforced, that part is enqueued, and the limits count it alone.
func TestThePartThatIsEnforcedIsEnqueued(t *testing.T) {
	covered := func(id string) fleet.Change {
		c := attach(hangzhou, id)
		c.Covered = true
		return c
	}
	left := func(c fleet.Change) fleet.Change {
		c.Uncovered = "enforceFor does not take this"
		return c
	}
	pol := enforcing()
	pol.InstanceRole.Mode, pol.InstanceRole.EnforceFor = policy.Audit, []policy.Selector{{Tags: map[string]string{"rollout": "canary"}}}
	pol.Limits = policy.Limits{MaxChanges: 2, MaxPercent: 100, MaxPerHour: 100}
	drift := []sweep.Drifted{drifted(hangzhou, role, "i-1", covered("i-1")), drifted(hangzhou, role, "i-2", left(ensure(hangzhou)), covered("i-2"))}
	e := &fakeControls{verdicts: []fleet.Verdict{says(hangzhou, role, "i-1", covered("i-1")), says(hangzhou, role, "i-2", left(ensure(hangzhou)), covered("i-2"))}}
	for n := range 5 {
		id := fmt.Sprint("i-rest", n)
		drift = append(drift, drifted(hangzhou, role, id, left(attach(hangzhou, id))))
		e.verdicts = append(e.verdicts, says(hangzhou, role, id, left(attach(hangzhou, id))))
	}
	for _, s := range check(t, e, made(t, drift...), pol) {
		rest := strings.HasPrefix(s.Item.ID, "i-rest")
		if s.Fresh() == rest || rest && s.Held != "enforceFor does not take this: its owner would change nothing" || !rest && len(s.Item.Changes) != 1 {
			t.Errorf("%s: %+v", s.Item.ID, s)
		}
	}
	for i := range drift[:2] {
		drift[i].Covered = true
	}
	p, err := plan.New(found(), each(drift, nil), plan.Filter{Part: true, Policy: pol}, noon)
	if err != nil || len(p.Items) != 1 || p.Left != 1 { // of i-2 the limits count the role, too
		t.Errorf("%d items, %d left, %v", len(p.Items), p.Left, err)
	}
}
