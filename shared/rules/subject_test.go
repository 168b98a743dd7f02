package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

// bare is a trusted instance that lacks its role, which the policy would attach.
func bare(change func(*fleet.Listing)) *fleet.World {
	i := listed(trusted(), change)
	i.RoleName = fleet.See("")
	return world(i)
}

func TestWhoseInstanceMayBeChanged(t *testing.T) {
	as := func(l *fleet.Listing) { l.Tags[fleet.TagAutoScaling] = "asg-1" }
	ack := func(l *fleet.Listing) { l.Tags[fleet.TagACK] = "c-1" }
	plain := func(*fleet.Listing) {}
	vpc := []policy.Selector{{VPCs: []string{"vpc-1"}}}
	for name, tc := range map[string]struct {
		change func(*fleet.Listing)
		policy func(*policy.Policy)
		want   fleet.Outcome
		made   bool
	}{
		"unmanaged":      {plain, nil, fleet.Violation, true},
		"Auto Scaling's": {as, nil, fleet.Violation, false},
		"ACK's":          {ack, nil, fleet.Violation, false},
		"Auto Scaling's, named by scope": {as, func(p *policy.Policy) {
			p.InstanceRole.Include = []policy.Selector{{Managed: []string{policy.ManagedAutoScaling}}}
		}, fleet.Violation, true},
		"ACK's, where the other is named": {ack, func(p *policy.Policy) {
			p.InstanceRole.Include = append(vpc, policy.Selector{Managed: []string{policy.ManagedAutoScaling}})
		}, fleet.Violation, false},
		"outside include":          {plain, func(p *policy.Policy) { p.InstanceRole.Include = []policy.Selector{{VPCs: []string{"vpc-2"}}} }, fleet.NotApplicable, false},
		"inside exclude":           {plain, func(p *policy.Policy) { p.InstanceRole.Exclude = vpc }, fleet.NotApplicable, false},
		"exempt":                   {plain, exemption("", 1), fleet.Exempted, false},
		"exempt from this rule":    {plain, exemption(policy.RuleSystrustRole, 1), fleet.Exempted, false},
		"exempt from another rule": {plain, exemption(policy.RuleOverBroadRole, 1), fleet.Violation, true},
		"no longer exempt":         {plain, exemption("", 0), fleet.Violation, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := enforcing()
			if tc.policy != nil {
				tc.policy(p)
			}
			v := one(t, instances.Role(bare(tc.change), p), policy.RuleSystrustRole)
			if v.Outcome != tc.want || (len(v.Changes) > 0) != tc.made {
				t.Errorf("got %+v", v)
			}
		})
	}
}

// exemption exempts i-1 for so many more hours.
func exemption(rule string, hours int) func(*policy.Policy) {
	return func(p *policy.Policy) {
		p.Exemptions = []policy.Exemption{{Control: policy.ControlInstanceRole, Rule: rule, Instances: []string{"i-1"},
			Owner: "alice", Reason: "moves next week", Expires: noon.Add(time.Duration(hours) * time.Hour)}}
	}
}

func TestAnExemptionSaysWhoAndWhy(t *testing.T) {
	p := enforcing()
	exemption("", 1)(p)
	v := one(t, instances.Role(bare(func(*fleet.Listing) {}), p), policy.RuleSystrustRole)
	for _, part := range []string{"alice", "moves next week", "2026-11-20", "no RAM role"} {
		if !strings.Contains(v.Reason, part) {
			t.Errorf("%q does not say %q", v.Reason, part)
		}
	}
}

func TestAnInstanceThatCouldNotBeReadGetsOneVerdict(t *testing.T) {
	i := trusted()
	i.Listed, i.Gone = fleet.Unknown[fleet.Listing]("denied"), fleet.Fact[bool]{}
	vs := instances.Role(world(i), enforcing())
	if len(vs) != 1 || vs[0].Outcome != fleet.Undecided || !strings.Contains(vs[0].Reason, "denied") {
		t.Errorf("got %+v", vs)
	}
}

func TestAScopeThatAsksForWhatWasNotReadDecidesNothing(t *testing.T) {
	i := trusted()
	i.Listed, i.Gone = fleet.Claim(i.Listed.V), fleet.Fact[bool]{}
	p := enforcing()
	p.InstanceRole.Include = []policy.Selector{{VPCs: []string{"vpc-1"}}}
	vs := instances.Role(world(i), p)
	if len(vs) != 1 || vs[0].Outcome != fleet.Undecided {
		t.Errorf("got %+v", vs)
	}
}

func TestEachInstanceIsJudgedByItself(t *testing.T) {
	w := world(trusted(), trusted(), trusted())
	for i := range w.Instances {
		w.Instances[i].Ref.ID = []string{"i-1", "i-2", "i-3"}[i]
	}
	w.Instances[1].RoleName = fleet.See("")
	var got []string
	for _, v := range instances.Role(w, enforcing()) {
		if v.Rule == policy.RuleSystrustRole {
			got = append(got, v.Ref.ID+" "+string(v.Outcome))
		}
	}
	if want := []string{"i-1 pass", "i-2 violation", "i-3 pass"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
