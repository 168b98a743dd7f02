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
	if got := p.Expired(lastDay.Add(-time.Second)); got != nil {
		t.Errorf("expired early: %v", got)
	}
}

func TestLimitsStopARunThatWouldChangeTooMuch(t *testing.T) {
	l := policy.Limits{MaxChanges: 100, MaxPercent: 20, PercentAbove: 10}
	for _, c := range []struct {
		name          string
		changes, seen int
		want          string
	}{
		{"nothing of nothing", 0, 0, ""},
		{"at maxPercent", 40, 200, ""},
		{"above maxPercent", 41, 200, "41 changes of 200 seen, more than maxPercent 20"},
		{"all of a small fleet", 10, 10, ""},
		{"all of a fleet that is not small", 11, 11, "11 changes of 11 seen, more than maxPercent 20"},
		{"at maxChanges", 100, 100_000, ""},
		{"above maxChanges", 101, 100_000, "101 changes, more than maxChanges 100"},
	} {
		if got := l.Exceeded(c.changes, c.seen); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if (policy.Limits{}).Exceeded(1, 100) == "" {
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

func TestARuleIsAskedUnlessItIsSkippedAndIMDSOnlyOnDemand(t *testing.T) {
	c := policy.TrustedInstance{Skip: []string{"vpc"}, Families: []policy.Family{{Name: "g7t"}}}
	if c.Asks("vpc") || !c.Asks("image") || c.Asks("imds") {
		t.Error("want image asked; vpc and imds not")
	}
	c.IMDS = true
	if !c.Asks("imds") {
		t.Error("imds is on and not asked")
	}
	c.Skip = append(c.Skip, "imds")
	if c.Asks("imds") {
		t.Error("imds is skipped and asked")
	}
	if !c.Trusted("g7t") || c.Trusted("g7") {
		t.Error("want g7t trusted and g7 not")
	}
}

func TestOnlyANamedAccountIsApprovedByItself(t *testing.T) {
	a := policy.Approved{Accounts: []policy.ApprovedAccount{{ID: "2", Trust: policy.TrustAhead}}, Directory: policy.TrustNow}
	if got, ok := a.Account("2"); !ok || got.Trust != policy.TrustAhead {
		t.Errorf("account 2: %+v, %v", got, ok)
	}
	if _, ok := a.Account("3"); ok {
		t.Error("account 3 is approved by nobody")
	}
}
