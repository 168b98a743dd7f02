package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

var (
	lastDay  = time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC)
	dayAfter = time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	instance = fleet.Ref{Scope: hangzhou, Kind: fleet.KindInstance, ID: "i-1"}
)

func TestAnExemptionWorksForItsRuleAndThingsUntilItsLastDayIsOver(t *testing.T) {
	byID := policy.Exemption{Control: "agent", Rule: "agent-online", Instances: []string{"i-1"}, Expires: dayAfter}
	everyRule := policy.Exemption{Control: "agent", Instances: []string{"i-1"}, Expires: dayAfter}
	byTag := policy.Exemption{Control: "agent", Selector: policy.Selector{Tags: map[string]string{"env": "prod"}}, Expires: dayAfter}
	both := policy.Exemption{Control: "agent", Instances: []string{"i-1"}, Expires: dayAfter,
		Selector: policy.Selector{Regions: []fleet.Region{"cn-beijing"}}}
	nothing := policy.Exemption{Control: "agent", Expires: dayAfter}
	for _, c := range []struct {
		name          string
		exemption     policy.Exemption
		control, rule string
		ref           fleet.Ref
		listing       fleet.Fact[fleet.Listing]
		at            time.Time
		want          bool
	}{
		{"on its last day", byID, "agent", "agent-online", instance, unread, lastDay, true},
		{"on the day after", byID, "agent", "agent-online", instance, unread, dayAfter, false},
		{"another rule", byID, "agent", "trust-client", instance, unread, lastDay, false},
		{"another control", byID, "instance-role", "agent-online", instance, unread, lastDay, false},
		{"another instance", byID, "agent", "agent-online", fleet.Ref{Scope: hangzhou, Kind: fleet.KindInstance, ID: "i-2"}, unread, lastDay, false},
		{"a thing of that id that is no instance", byID, "agent", "agent-online", fleet.Ref{Scope: hangzhou, Kind: fleet.KindRole, ID: "i-1"}, unread, lastDay, false},
		{"each rule", everyRule, "agent", "trust-client", instance, unread, lastDay, true},
		{"by tag", byTag, "agent", "agent-online", instance, plain, lastDay, true},
		{"by tag, without it", byTag, "agent", "agent-online", instance, scaled, lastDay, false},
		{"by tag, unread", byTag, "agent", "agent-online", instance, unread, lastDay, false},
		{"by tag, claimed", byTag, "agent", "agent-online", instance, fleet.Claim(plain.V), lastDay, false},
		{"by id in another region", both, "agent", "agent-online", instance, plain, lastDay, false},
		{"without a selector", nothing, "agent", "agent-online", instance, plain, lastDay, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &policy.Policy{Exemptions: []policy.Exemption{c.exemption}}
			got, ok := p.Exempt(c.control, c.rule, c.ref, c.listing, c.at)
			if ok != c.want {
				t.Fatalf("exempt %v, want %v", ok, c.want)
			}
			if diff := cmp.Diff(c.exemption, got); ok && diff != "" {
				t.Errorf("exemption (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnExpiredExemptionDoesNotHideOneThatWorks(t *testing.T) {
	old := policy.Exemption{Control: "agent", Instances: []string{"i-1"}, Owner: "then", Expires: lastDay}
	current := policy.Exemption{Control: "agent", Instances: []string{"i-1"}, Owner: "now", Expires: dayAfter}
	p := &policy.Policy{Exemptions: []policy.Exemption{old, current}}
	if got, ok := p.Exempt("agent", "agent-online", instance, unread, lastDay); !ok || got.Owner != "now" {
		t.Errorf("exempt %v by %q, want by now", ok, got.Owner)
	}
	if diff := cmp.Diff([]policy.Exemption{old}, p.Expired(lastDay)); diff != "" {
		t.Errorf("expired (-want +got):\n%s", diff)
	}
	if got := p.Expired(lastDay.Add(-time.Second)); len(got) > 0 {
		t.Errorf("expired early: %v", got)
	}
}

func TestLimitsStopARunThatWouldChangeTooMuch(t *testing.T) {
	l := policy.Limits{MaxChanges: 100, MaxPercent: 20, PercentAbove: 10, MaxPerHour: 30}
	for _, c := range []struct {
		name    string
		changes fleet.Total
		seen    int
		want    string
	}{
		{"nothing of nothing", fleet.Total{N: 0}, 0, ""},
		{"at maxPercent", fleet.Total{N: 40}, 200, ""},
		{"above maxPercent", fleet.Total{N: 41}, 200, "41 changes of 200 seen, more than maxPercent 20"},
		{"all of a small fleet", fleet.Total{N: 10}, 10, ""},
		{"all of a fleet that is not small", fleet.Total{N: 11}, 11, "11 changes of 11 seen, more than maxPercent 20"},
		{"at maxChanges", fleet.Total{N: 100}, 100_000, ""},
		{"above maxChanges", fleet.Total{N: 101}, 100_000, "101 changes, more than maxChanges 100"},
		{"at maxPerHour", fleet.Total{N: 40, Disturbing: 30}, 200, ""},
		{"above maxPerHour", fleet.Total{N: 40, Disturbing: 31}, 200, "31 changes that may disturb a workload, more than maxPerHour 30"},
	} {
		if got := l.Exceeded(c.changes, c.seen); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if (policy.Limits{}).Exceeded(fleet.Total{N: 1}, 100) == "" {
		t.Error("limits of 0 let a change through")
	}
}

func TestABudgetIsThatOfTheAPIOrTheCommonOne(t *testing.T) {
	p := policy.Pacing{CallsPerInvocation: 50, Calls: map[string]int{"DescribeInstances": 7}}
	if got := p.Budget("DescribeInstances"); got != 7 {
		t.Errorf("named: %d, want 7", got)
	}
	if got := p.Budget("DescribeDisks"); got != 50 {
		t.Errorf("not named: %d, want 50", got)
	}
}

func TestARuleIsAskedUnlessItIsSkippedOrItsSwitchIsOff(t *testing.T) {
	for control, rule := range map[string]string{policy.ControlTrustedInstance: "imds", policy.ControlInstanceRole: "over-broad-role", policy.ControlAgent: "trust-client"} {
		p := policy.Default()
		turn := func(on bool) { p.TrustedInstance.IMDS, p.InstanceRole.WarnOverBroad, p.Agent.TrustClient = on, on, on }
		skip := func(rules ...string) { p.TrustedInstance.Skip, p.InstanceRole.Skip, p.Agent.Skip = rules, rules, rules }
		turn(false)
		if p.Asks(control, rule) {
			t.Errorf("%s is off and asked", rule)
		}
		turn(true)
		if !p.Asks(control, rule) || p.Asks("no control", rule) {
			t.Errorf("%s is on: asked %v; of no control: %v", rule, p.Asks(control, rule), p.Asks("no control", rule))
		}
		skip(rule)
		if p.Asks(control, rule) {
			t.Errorf("%s is skipped and asked", rule)
		}
		skip("vpc")
		if !p.Asks(control, rule) {
			t.Errorf("another rule is skipped, and %s is not asked", rule)
		}
	}
}

func TestTheFamiliesThatCanBeTrustedAreThePolicys(t *testing.T) {
	c := policy.TrustedInstance{Families: []policy.Family{{Name: "g7t"}}}
	if !c.Trusted("g7t") || c.Trusted("g7") {
		t.Error("want g7t trusted and g7 not")
	}
}

func TestAPolicyGuardsItsAccountsAndRegions(t *testing.T) {
	at := func(account fleet.AccountID, region fleet.Region) fleet.Scope {
		return fleet.Scope{Account: account, Region: region}
	}
	for name, c := range map[string]struct {
		policy policy.Policy
		scope  fleet.Scope
		want   bool
	}{
		"nothing is named":            {policy.Policy{}, at("9", "cn-x"), true},
		"one of the accounts":         {policy.Policy{Accounts: []policy.Account{{ID: "1"}}}, at("1", "cn-x"), true},
		"none of the accounts":        {policy.Policy{Accounts: []policy.Account{{ID: "1"}}}, at("2", "cn-x"), false},
		"of the directory":            {policy.Policy{Accounts: []policy.Account{{ID: "1"}}, Directory: policy.Directory{Role: "r"}}, at("2", "cn-x"), true},
		"one of the regions":          {policy.Policy{Regions: []fleet.Region{"cn-x", "cn-y"}}, at("1", "cn-y"), true},
		"none of the regions":         {policy.Policy{Regions: []fleet.Region{"cn-x", "cn-y"}}, at("1", "cn-z"), false},
		"global, whatever the region": {policy.Policy{Regions: []fleet.Region{"cn-x"}}, at("1", ""), true},
	} {
		if got := c.policy.Guards(c.scope); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// The scope of hardening-asked may be wider than its control's; what the control leaves
// alone, and where the policy does not reach, it is not.
func TestHardeningHasAScopeOfItsOwn(t *testing.T) {
	all, lab := []policy.Selector{{Accounts: []fleet.AccountID{"1"}}}, []policy.Selector{{Regions: []fleet.Region{"cn-lab"}}}
	some := []policy.Selector{{Regions: []fleet.Region{"cn-x"}}}
	for name, c := range map[string]struct {
		control policy.Control
		own     policy.Hardening
		region  fleet.Region
		want    policy.Match
	}{
		"the control's":             {policy.Control{Mode: policy.Audit, Include: some}, policy.Hardening{}, "cn-y", policy.No},
		"wider":                     {policy.Control{Mode: policy.Audit, Include: some}, policy.Hardening{Include: all}, "cn-y", policy.Yes},
		"narrower":                  {policy.Control{Mode: policy.Audit}, policy.Hardening{Include: some}, "cn-y", policy.No},
		"its own exclude":           {policy.Control{Mode: policy.Audit}, policy.Hardening{Exclude: lab}, "cn-lab", policy.No},
		"the control's exclude":     {policy.Control{Mode: policy.Audit, Exclude: lab}, policy.Hardening{Include: all}, "cn-lab", policy.No},
		"a control that is off":     {policy.Control{Mode: policy.Off}, policy.Hardening{Include: all}, "cn-x", policy.No},
		"skipped":                   {policy.Control{Mode: policy.Audit, Skip: []string{"hardening-asked"}}, policy.Hardening{Include: all}, "cn-x", policy.No},
		"where no region is listed": {policy.Control{Mode: policy.Audit}, policy.Hardening{Include: all}, "cn-far", policy.No},
	} {
		p := policy.Policy{Regions: []fleet.Region{"cn-x", "cn-y", "cn-lab"}}
		p.TrustedInstance.Control, p.TrustedInstance.Hardening = c.control, c.own
		if got := p.Covers(policy.ControlTrustedInstance, "hardening-asked", fleet.Scope{Account: "1", Region: c.region}, fleet.Fact[fleet.Listing]{}); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestOnlyANamedAccountIsApprovedByItself(t *testing.T) {
	a := policy.Approved{Accounts: []policy.ApprovedAccount{{ID: "2", Trust: policy.TrustAhead}}, Directory: policy.TrustNow}
	if got, ok := a.Account("2"); !ok || got.Trust != policy.TrustAhead {
		t.Errorf("account 2: %+v, %v", got, ok)
	}
	if _, ok := a.Account("3"); ok {
		t.Error("account 3 is not approved")
	}
}
