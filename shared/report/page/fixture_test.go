package page_test

import (
	"bytes"
	"fmt"
	"iter"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
	"fleetwarden/shared/report/page"
)

var now = time.Date(2026, 11, 20, 3, 12, 40, 0, time.UTC)

// sweep is a summary of some accounts in some regions; the greater the day, the
// better they fare.
func sweep(day, accounts int, regions ...fleet.Region) report.Summary {
	at := now.AddDate(0, 0, day)
	s := report.Summary{V: report.SummaryVersion, Run: fmt.Sprint("sweep-", at.Format("2006-01-02")), Started: at.Add(-7 * time.Minute), Ended: at, Policy: "sha256:1f0c92aa"}
	for a := range accounts {
		for i, r := range regions {
			s.Shards = append(s.Shards, shard(fleet.AccountID(fmt.Sprint(1000000000000001+a)), r, 30+7*a+i, max(0, (a*3+i*5-day)%11)))
		}
	}
	return s
}

// shard is a shard in which some checks fail and the rest hold.
func shard(account fleet.AccountID, region fleet.Region, seen, failing int) report.Shard {
	counts := []report.Count{
		{Control: "trusted-instance", Rule: "system-disk", Outcome: fleet.Passes, N: seen - failing},
		{Control: "trusted-instance", Rule: "system-disk", Outcome: fleet.Violation, Severity: fleet.Medium, N: failing},
		{Control: "trusted-instance", Rule: "image", Outcome: fleet.Passes, N: seen},
		{Control: "trusted-instance", Rule: "image", Outcome: fleet.NotApplicable, N: 400},
		{Control: "instance-role", Rule: "systrust-role", Outcome: fleet.Passes, N: seen - failing/2},
		{Control: "instance-role", Rule: "systrust-role", Outcome: fleet.Violation, Severity: fleet.High, N: failing / 2},
		{Control: "instance-role", Rule: "over-broad-role", Outcome: fleet.Violation, Severity: fleet.Critical, N: failing / 4},
		{Control: "agent", Rule: "agent-online", Outcome: fleet.Passes, N: seen - failing},
		{Control: "agent", Rule: "agent-online", Outcome: fleet.Pending, Severity: fleet.Low, N: failing / 2},
		{Control: "agent", Rule: "agent-online", Outcome: fleet.Exempted, Severity: fleet.Medium, N: 2},
	}
	if region == "" {
		seen = 4
		counts = []report.Count{{Control: "share-role", Rule: "trusted-sharee", Outcome: fleet.Passes, N: 4},
			{Control: "share-role", Rule: "trusted-sharee", Outcome: fleet.Violation, Severity: fleet.Low, N: failing / 3}}
	}
	return report.Shard{Scope: fleet.Scope{Account: account, Region: region}, Seen: seen, Counts: counts,
		Calls: map[string]map[string]int{"ecs:DescribeInstances": {"ok": 3}, "ram:GetRole": {"ok": 2, "throttled": 1}}}
}

var reasons = []string{
	"the system disk is cloud_efficiency; trusted instances need cloud_essd",
	"the instance has no role; AliyunECSInstanceForYundunSysTrustRole is missing",
	"the role app-production allows ram:* on everything",
	"Security Center's agent is offline since its last heartbeat",
}

// some yields n findings of all severities.
func some(n int) iter.Seq2[fleet.Record, error] {
	return func(yield func(fleet.Record, error) bool) {
		controls := []string{"trusted-instance", "instance-role", "agent", "share-role"}
		rules := []string{"system-disk", "systrust-role", "agent-online", "trusted-sharee"}
		outcomes := []fleet.Outcome{fleet.Violation, fleet.Violation, fleet.Undecided, fleet.Conflict, fleet.Exempted, fleet.Pending, fleet.Fault}
		for i := range n {
			r := finding(fmt.Sprintf("i-bp1%013d", i/3), outcomes[i%len(outcomes)], fleet.Severities()[(i*i/7)%5])
			f := r.Finding
			f.Control, f.Rule, f.Reason = controls[i%4], rules[i%4], reasons[i%4]
			f.Account = fleet.AccountID(fmt.Sprint(1000000000000001 + (i/3)%6))
			if i/3%2 == 0 {
				f.Region = "cn-shanghai"
				f.Remedy = "Launch a new instance with cloud_essd; the category of a system disk cannot be changed."
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func finding(id string, o fleet.Outcome, s fleet.Severity) fleet.Record {
	return fleet.Record{V: fleet.RecordVersion, Type: "finding", Time: now, Run: "r", Finding: &fleet.FindingRecord{
		Control: "instance-role", Rule: "systrust-role", Outcome: o, Severity: s,
		Account: "1000000000000001", Region: "cn-hangzhou", Kind: fleet.KindInstance, ID: id, Reason: "a reason"}}
}

// render writes a page and fails the test if that fails.
func render(t *testing.T, s report.Summary, earlier []report.Summary, findings iter.Seq2[fleet.Record, error]) string {
	t.Helper()
	return renderAs(t, page.Page{}, s, earlier, findings)
}

func renderAs(t *testing.T, p page.Page, s report.Summary, earlier []report.Summary, findings iter.Seq2[fleet.Record, error]) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, s, earlier, findings); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// full is a sweep in which everything happened.
func full() (report.Summary, []report.Summary) {
	regions := []fleet.Region{"", "cn-beijing", "cn-hangzhou", "cn-shanghai", "ap-southeast-1"}
	s := sweep(0, 6, regions...)
	s.Shards[3].Fault = "listing instances: ecs:DescribeInstances: Forbidden.RAM: the sweep's role may not list"
	s.Shards[3].Counts = nil
	s.Shards[12].Fault = "listing instances: the call budget of the shard was spent before its end"
	s.Shards[2].Changes = []report.ChangeCount{{Control: "instance-role", Kind: fleet.AttachRole, State: fleet.Forwarded, N: 41},
		{Control: "agent", Kind: fleet.PushAgent, State: fleet.Planned, N: 1204}, {Control: "instance-role", Kind: fleet.GrantRole, State: fleet.Held, N: 9}}
	s.Shards[2].Held = []report.Held{{Control: "instance-role", Why: "9 changes are more than maxPercent, 5 % of 120 instances", N: 9}}
	s.Shards[4].Held = []report.Held{{Control: "agent", Why: "212 changes are more than maxChanges, 100", N: 212}}
	s.Exemptions = []report.Exemption{
		{Control: "agent", Rule: "agent-online", Owner: "platform-team", Reason: "Appliance images without a supported agent", Expires: now.AddDate(0, 0, 6), Uses: 12},
		{Control: "trusted-instance", Owner: "payments", Reason: "Migration to g7t until the end of the year", Expires: now.AddDate(0, 0, -3), Uses: 0},
		{Control: "share-role", Rule: "trusted-sharee", Owner: "data", Reason: "Partner account under contract", Expires: now.AddDate(0, 5, 0), Uses: 1}}
	var earlier []report.Summary
	for d := -12; d < 0; d++ {
		earlier = append(earlier, sweep(d, 6, regions...))
	}
	return s, earlier
}
