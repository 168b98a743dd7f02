package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
)

// The command that a held finding names lets a part through whatever the limit is, and again
// until nothing is left.
func TestAPartIsWhatTheLimitsLetThroughUntilAllIsDone(t *testing.T) {
	for name, limits := range map[string]policy.Limits{
		"maxChanges": {MaxChanges: 7, MaxPercent: 100, MaxPerHour: 100},
		"maxPercent": {MaxChanges: 100, MaxPercent: 8, PercentAbove: 2, MaxPerHour: 100},
		"maxPerHour": {MaxChanges: 100, MaxPercent: 100, MaxPerHour: 3},
	} {
		t.Run(name, func(t *testing.T) {
			pol := enforcing()
			pol.Limits = limits
			left := map[string]sweep.Drifted{}
			for i := range 30 {
				id := fmt.Sprintf("i-%02d", i)
				d := drifted(hangzhou, role, id, ensure(hangzhou), attach(hangzhou, id))
				if i%2 == 0 {
					d = drifted(hangzhou, role, id, fleet.Change{Kind: fleet.ReplaceRole, Ref: d.Changes[1].Ref, Before: "theirs", Want: "role"})
				}
				left[id] = d
			}
			for round := 0; len(left) > 0; round++ {
				if round == 40 {
					t.Fatalf("%d are left", len(left))
				}
				var all []sweep.Drifted
				e := &fakeControls{}
				for i := range 30 {
					if d, ok := left[fmt.Sprintf("i-%02d", i)]; ok {
						all = append(all, d)
						e.verdicts = append(e.verdicts, says(hangzhou, role, d.ID, d.Changes...))
					}
				}
				p, err := plan.New(found(), each(all, nil), plan.Filter{Part: true, Policy: pol}, noon)
				if err != nil || len(p.Items) == 0 || len(p.Items)+p.Left != len(all) || p.Left > 0 && !strings.Contains(p.Why, name) {
					t.Fatalf("round %d: %d items, %d left out (%s), %v", round, len(p.Items), p.Left, p.Why, err)
				}
				for _, s := range check(t, e, p, pol) {
					if !s.Fresh() {
						t.Fatalf("round %d: %s is held: %s%s", round, s.Item.ID, s.Held, s.Stale)
					}
					delete(left, s.Item.ID)
				}
			}
		})
	}
}

// A limit of 0 lets nothing through, and the plan says that it is empty because of it.
func TestAPartOfNothingSaysWhichLimitIsInTheWay(t *testing.T) {
	pol := enforcing()
	pol.Limits = policy.Limits{MaxChanges: 100, MaxPercent: 100}
	d := drifted(hangzhou, role, "i-1", fleet.Change{Kind: fleet.ReplaceRole, Ref: attach(hangzhou, "i-1").Ref, Before: "theirs", Want: "role"})
	p, err := plan.New(found(), each([]sweep.Drifted{d}, nil), plan.Filter{Part: true, Policy: pol}, noon)
	if err != nil || len(p.Items) != 0 || p.Left != 1 || !strings.Contains(p.Why, "maxPerHour 0") {
		t.Errorf("%d items, %d left out (%s), %v", len(p.Items), p.Left, p.Why, err)
	}
}

func TestAPlanCountsASharedRoleOnce(t *testing.T) {
	var all []sweep.Drifted
	for i := range 5 {
		id := fmt.Sprint("i-", i)
		all = append(all, drifted(hangzhou, role, id, ensure(hangzhou), attach(hangzhou, id)))
	}
	if n := made(t, all...).Changes(); n != 6 {
		t.Errorf("%d changes, want 6", n)
	}
}

// A change that a control would not make is in a plan of all, and uses up no part of one: neither of a
// control that only audits, nor of one that enforces another part.
func TestAPartOfAPlanIsOfWhatThePolicyMakes(t *testing.T) {
	var all []sweep.Drifted
	for n := range 5 {
		id := fmt.Sprint("i-", n)
		covered := drifted(hangzhou, agent, id, push(hangzhou, id))
		covered.Covered = n > 2
		all = append(all, drifted(hangzhou, role, id, attach(hangzhou, id)), covered)
	}
	canary := []policy.Selector{{Tags: map[string]string{"rollout": "canary"}}}
	for name, c := range map[string]struct {
		role, agent policy.Mode
		only        []policy.Selector
		filter      plan.Filter
		want        string
	}{
		"one audits, at most two":     {policy.Audit, policy.Enforce, nil, plan.Filter{Most: 2}, "agent i-0, agent i-1"},
		"one audits, a part":          {policy.Audit, policy.Enforce, nil, plan.Filter{Part: true}, "agent i-0, agent i-1, agent i-2"},
		"one audits, all":             {policy.Audit, policy.Enforce, nil, plan.Filter{Controls: []string{role}, IDs: []string{"i-1"}}, "instance-role i-1"},
		"both audit, at most two":     {policy.Audit, policy.Audit, nil, plan.Filter{Most: 2}, ""},
		"a part and audit":            {policy.Audit, policy.Audit, canary, plan.Filter{Most: 3}, "agent i-3, agent i-4"},
		"a part and one that is off":  {policy.Off, policy.Audit, canary, plan.Filter{Most: 3}, "agent i-3, agent i-4"},
		"a part and one that is made": {policy.Enforce, policy.Audit, canary, plan.Filter{Most: 5}, "instance-role i-0, instance-role i-1, instance-role i-2, instance-role i-3, agent i-3"},
	} {
		c.filter.Policy = enforcing()
		c.filter.Policy.InstanceRole.Mode, c.filter.Policy.Agent.Mode, c.filter.Policy.Agent.EnforceFor = c.role, c.agent, c.only
		c.filter.Policy.Limits = policy.Limits{MaxChanges: 3, MaxPercent: 100, MaxPerHour: 100}
		p, err := plan.New(found(), each(all, nil), c.filter, noon)
		var got []string
		for _, i := range p.Items {
			got = append(got, i.Control+" "+i.ID)
		}
		if strings.Join(got, ", ") != c.want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A number limits a plan by itself, and beside the limits.
func TestAPlanTakesAtMostANumberOfResources(t *testing.T) {
	var all []sweep.Drifted
	for n := range 10 {
		id := fmt.Sprint("i-", n)
		all = append(all, drifted(hangzhou, role, id, attach(hangzhou, id)))
	}
	pol := enforcing()
	pol.Limits = policy.Limits{MaxChanges: 4, MaxPercent: 100, MaxPerHour: 100}
	for name, c := range map[string]struct {
		filter plan.Filter
		want   int
		why    string
	}{
		"three":            {plan.Filter{Most: 3, Policy: pol}, 3, "more than --max 3"},
		"three of a part":  {plan.Filter{Most: 3, Part: true, Policy: pol}, 3, "more than --max 3"},
		"five of a part":   {plan.Filter{Most: 5, Part: true, Policy: pol}, 4, "maxChanges 4"},
		"more than needed": {plan.Filter{Most: 20, Policy: pol}, 10, ""},
	} {
		p, err := plan.New(found(), each(all, nil), c.filter, noon)
		if err != nil || len(p.Items) != c.want || len(p.Items)+p.Left != len(all) || !strings.Contains(p.Why, c.why) {
			t.Errorf("%s: %d items, %d left out (%s), %v", name, len(p.Items), p.Left, p.Why, err)
		}
	}
}
