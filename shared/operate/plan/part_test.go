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
	limits := policy.Limits{MaxChanges: 100, MaxPercent: 100}
	d := drifted(hangzhou, role, "i-1", fleet.Change{Kind: fleet.ReplaceRole, Ref: attach(hangzhou, "i-1").Ref, Before: "theirs", Want: "role"})
	p, err := plan.New(found(), each([]sweep.Drifted{d}, nil), plan.Filter{Part: true, Policy: &policy.Policy{Limits: limits}}, noon)
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
