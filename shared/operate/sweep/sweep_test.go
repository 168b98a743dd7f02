package sweep_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

var (
	hangzhou = at(one, "cn-hangzhou")
	shanghai = at(one, "cn-shanghai")
)

func TestASweepCountsEverythingAndNotifiesTheOwnersOfDrift(t *testing.T) {
	c := newCloud()
	got := c.swept(t, fine)
	want := []report.Count{
		{Control: "agent", Rule: "agent-online", Outcome: fleet.Passes, N: 8},
		{Control: "agent", Rule: "agent-online", Outcome: fleet.Violation, Severity: fleet.Medium, N: 2},
		{Control: "instance-role", Rule: "systrust-role", Outcome: fleet.Exempted, N: 1},
		{Control: "instance-role", Rule: "systrust-role", Outcome: fleet.Passes, N: 4},
		{Control: "instance-role", Rule: "systrust-role", Outcome: fleet.Pending, N: 1},
		{Control: "instance-role", Rule: "systrust-role", Outcome: fleet.Violation, Severity: fleet.High, N: 4},
	}
	if diff := cmp.Diff(want, got.shard(t, hangzhou).Counts); diff != "" {
		t.Error(diff)
	}
	seen := map[string]int{}
	for _, s := range got.Shards {
		seen[s.Scope.String()] = s.Seen
	}
	if diff := cmp.Diff(map[string]int{string(one): 11, string(one) + "/cn-hangzhou": 10, string(one) + "/cn-shanghai": 0, string(two): 3, string(two) + "/cn-hangzhou": 4}, seen); diff != "" {
		t.Error(diff)
	}
	notified := []string{
		"attach-role@cn-hangzhou: 1000000000000001/cn-hangzhou instance h10x", "attach-role@cn-hangzhou: 1000000000000001/cn-hangzhou instance h2x",
		"attach-role@cn-hangzhou: 1000000000000001/cn-hangzhou instance h5xy", "attach-role@cn-hangzhou: 1000000000000001/cn-hangzhou instance h7x",
		"attach-role@cn-hangzhou: 1000000000000002/cn-hangzhou instance g2x", "setup-share-role@: 1000000000000001 image-share",
	}
	if diff := cmp.Diff(notified, got.Notified); diff != "" {
		t.Error(diff)
	}
	if len(c.published) != 1 || got.Exempt[0].Uses != 1 {
		t.Errorf("%d reports, exemptions %v", len(c.published), got.Exempt)
	}
}

func TestWhatIsFineIsCountedAndNotKept(t *testing.T) {
	c := newCloud()
	got := c.swept(t, fine)
	for _, f := range got.Findings {
		if strings.HasSuffix(f, "pass") {
			t.Errorf("kept: %s", f)
		}
	}
	if len(got.Findings) != 4+2+1+1+1+1 {
		t.Errorf("%d findings: %v", len(got.Findings), got.Findings)
	}
	for _, r := range c.records {
		if r.Finding != nil && r.Finding.Outcome == fleet.Passes || r.Change != nil && r.Change.State == fleet.Forwarded {
			t.Errorf("logged: %+v", r)
		}
	}
}

func TestWhatNoSourceShowsIsOneLineOfTheWholeSweep(t *testing.T) {
	c := newCloud()
	c.fleets[shanghai] = []string{"s1i", "s2i", "s3u", "s4i", "s5i"}
	c.fleets[hangzhou] = append(c.fleets[hangzhou], "h90i")
	got := c.swept(t, fine)
	var kept []string
	for _, f := range got.Findings {
		if strings.Contains(f, "shanghai") || strings.Contains(f, "assessable") {
			kept = append(kept, f)
		}
	}
	if diff := cmp.Diff([]string{string(one) + "/cn-shanghai s3u agent-online unknown", "/  trust-client not-assessable"}, kept); diff != "" {
		t.Error(diff)
	}
	want := []report.Remark{{Control: policy.ControlAgent, Rule: "trust-client", Outcome: fleet.NotAssessable, Reason: "no API shows it", N: 5}}
	if diff := cmp.Diff(want, c.published[0].Summary.Remarks()); diff != "" {
		t.Error(diff)
	}
	for _, r := range c.records {
		if r.Finding != nil && r.Finding.Outcome == fleet.NotAssessable {
			t.Errorf("logged: %+v", r.Finding)
		}
	}
}

// Each page of instances repeats the verdict of a rule about the account as a whole.
func TestWhatIsSaidOfAnAccountAsAWholeCountsOnce(t *testing.T) {
	c := newCloud()
	c.fleets[shanghai] = []string{"s1k", "s2", "s3", "s4k", "s5", "s6", "s7k"}
	got := c.swept(t, fine)
	n, lines, logged := 0, 0, 0
	for _, x := range got.shard(t, shanghai).Counts {
		if x.Rule == "kms-enabled" {
			n += x.N
		}
	}
	for _, f := range got.Findings {
		if strings.Contains(f, "kms-enabled") {
			lines++
		}
	}
	for _, r := range c.records {
		if r.Finding != nil && r.Finding.Rule == "kms-enabled" {
			logged++
		}
	}
	if n != 1 || lines != 1 {
		t.Errorf("counted %d, %d lines", n, lines)
	}
	if logged != 1 {
		t.Errorf("logged %d times", logged)
	}
}

// Drift of a control in audit is kept for plans, and its owner is not notified.
func TestAControlInAuditNotifiesNoOwner(t *testing.T) {
	got := newCloud().swept(t, fine)
	want := map[string]int{"agent planned": 2, "instance-role forwarded": 4}
	if diff := cmp.Diff(want, changes(got.shard(t, hangzhou))); diff != "" {
		t.Error(diff)
	}
	if len(got.shard(t, hangzhou).Held) != 0 || !strings.Contains(strings.Join(got.Drift, "\n"), "h4y push-agent") {
		t.Errorf("held %v, drift %v", got.shard(t, hangzhou).Held, got.Drift)
	}
	for _, notified := range got.Notified {
		if strings.HasPrefix(notified, "push-agent") {
			t.Error(notified)
		}
	}
	c := newCloud()
	c.policy.Agent.Mode = policy.Enforce
	if n := changes(c.swept(t, fine).shard(t, hangzhou))["agent forwarded"]; n != 2 {
		t.Errorf("enforced, %d are forwarded", n)
	}
}

// The whole shard's drift counts against the limits, also what was found while the
// control was in audit.
func TestAControlThatIsEnforcedMidwayIsHeldToTheLimitsForAllOfItsDrift(t *testing.T) {
	c := newCloud()
	c.policy.InstanceRole.Mode, c.policy.Limits.MaxChanges = policy.Audit, 3
	run := c.begin(t, fine)
	for range len(c.inbox) {
		if _, err := c.deliver(t, fine); err != nil {
			t.Fatal(err)
		}
	}
	c.policy.InstanceRole.Mode = policy.Enforce
	c.drain(t, fine)
	if held := c.outcome(t, run).shard(t, hangzhou).Held; len(held) != 1 || held[0].N != 4 {
		t.Errorf("held %v", held)
	}
}

func TestADryRunKeepsItsDriftAndNotifiesNoOwner(t *testing.T) {
	c := newCloud()
	run, err := c.sweep(fine).Begin(t.Context(), c.where(), true)
	if err != nil {
		t.Fatal(err)
	}
	c.drain(t, fine)
	got := c.outcome(t, run)
	if len(got.Notified) != 0 || len(got.Drift) != 8 {
		t.Errorf("notified %v, drift %v", got.Notified, got.Drift)
	}
	s := got.shard(t, hangzhou)
	if diff := cmp.Diff(map[string]int{"agent planned": 2, "instance-role planned": 4}, changes(s)); diff != "" || len(s.Held) > 0 || len(c.said()) > 0 {
		t.Errorf("%s held %v, said %v", diff, s.Held, c.said())
	}
	if !c.published[0].Summary.DryRun {
		t.Error("the report does not say that the run was dry")
	}
}

func TestAPageThatComesTwiceCountsOnce(t *testing.T) {
	want := newCloud().swept(t, fine)
	for budget := 1; budget < 12; budget++ {
		c := newCloud()
		c.twice, c.budget = true, budget
		if diff := cmp.Diff(want, c.swept(t, fine)); diff != "" {
			t.Errorf("with %d calls a pass: %s", budget, diff)
		}
	}
}

func TestASumOfAPassCountsNothingAsForwardedOrPutBack(t *testing.T) {
	c := newCloud()
	c.budget = 100
	c.begin(t, fine)
	c.inbox = slicesOf(c.inbox, hangzhou)
	sum, err := c.deliver(t, fine)
	if err != nil || sum.Refs != 10 || sum.Again != 0 || sum.Outcomes[fleet.Pending] != 1 || sum.Stopped != "" {
		t.Errorf("%+v, error %v", sum, err)
	}
	if diff := cmp.Diff(map[fleet.State]int{fleet.Planned: 6}, sum.States); diff != "" {
		t.Error(diff)
	}
}

func TestAnInstanceThatStandsTwiceOnAPageOrOnTwoInARowCountsOnce(t *testing.T) {
	c := newCloud()
	c.fleets[hangzhou] = []string{"h1x", "h1x", "h2", "h2", "h3", "h1x", "h4", "h5"}
	got := c.swept(t, fine)
	if s := got.shard(t, hangzhou); s.Seen != 5 || changes(s)["instance-role forwarded"] != 1 {
		t.Errorf("seen %d, changes %v", s.Seen, changes(s))
	}
}

func TestTheCallsOfAllPassesAreSummedUp(t *testing.T) {
	for budget := 1; budget < 12; budget++ {
		c := newCloud()
		c.budget = budget
		c.begin(t, fine)
		c.drain(t, fine)
		sum := 0
		for _, call := range c.published[0].Summary.Calls() {
			sum += call.N
		}
		if sum != c.calls || sum < 9 {
			t.Errorf("%d calls a pass: the report says %d calls, made were %d", budget, sum, c.calls)
		}
	}
}

// One invocation may serve several shards: the meter is the invocation's.
func TestTheCallsOfOneInvocationAreCountedForTheShardThatMadeThem(t *testing.T) {
	c := newCloud()
	c.budget = 100
	c.begin(t, fine)
	s := c.sweep(fine)
	for _, m := range c.inbox {
		if _, err := s.Shard(t.Context(), m.ref); err != nil {
			t.Fatal(err)
		}
	}
	for _, shard := range c.published[0].Summary.Shards {
		want := map[fleet.Scope]int{hangzhou: 4, shanghai: 1, at(two, "cn-hangzhou"): 2}[shard.Scope]
		if got := shard.Calls["ecs:DescribeInstances"]["ok"]; got != want {
			t.Errorf("shard %s made %d calls, want %d", shard.Scope, got, want)
		}
	}
}
