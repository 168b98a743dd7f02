package report_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

func of(counts ...report.Count) report.Summary {
	return report.Summary{Shards: []report.Shard{{Scope: fleet.Scope{Account: "1", Region: "cn-hangzhou"}, Counts: counts}}}
}

func said(o fleet.Outcome, n int) report.Count {
	return report.Count{Control: "agent", Rule: "agent-online", Outcome: o, Severity: fleet.High, N: n}
}

func TestUnknownNeverCountsAsPassed(t *testing.T) {
	for _, c := range []struct {
		outcome fleet.Outcome
		want    report.Posture
		share   float64
	}{
		{fleet.Passes, report.Posture{Pass: 2}, 1},
		{fleet.Violation, report.Posture{Pass: 1, Fail: 1}, 0.5},
		{fleet.Conflict, report.Posture{Pass: 1, Fail: 1}, 0.5},
		{fleet.Undecided, report.Posture{Pass: 1, Open: 1}, 0.5},
		{fleet.Pending, report.Posture{Pass: 1, Open: 1}, 0.5},
		{fleet.Fault, report.Posture{Pass: 1, Open: 1}, 0.5},
		{"an outcome of a later version", report.Posture{Pass: 1, Open: 1}, 0.5},
		{fleet.NotApplicable, report.Posture{Pass: 1}, 1},
		{fleet.NotAssessable, report.Posture{Pass: 1}, 1},
		{fleet.Exempted, report.Posture{Pass: 1, Exempt: 1}, 1},
	} {
		t.Run(string(c.outcome), func(t *testing.T) {
			p := of(said(fleet.Passes, 1), said(c.outcome, 1)).Posture()
			if diff := cmp.Diff(c.want, p); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if share, ok := p.Share(); !ok || share != c.share {
				t.Errorf("share %v, %v; want %v", share, ok, c.share)
			}
		})
	}
}

func TestNoCheckIsNotAFullShare(t *testing.T) {
	for name, s := range map[string]report.Summary{
		"no shard":             {},
		"nothing counted":      of(),
		"nothing that applies": of(said(fleet.NotApplicable, 5)),
		"nothing to assess":    of(said(fleet.NotAssessable, 5)),
		"nothing but exempt":   of(said(fleet.Exempted, 5)),
		"a shard with a fault": {Shards: []report.Shard{{Fault: "denied"}}},
		"a count of zero":      of(said(fleet.Passes, 0)),
	} {
		t.Run(name, func(t *testing.T) {
			if share, ok := s.Posture().Share(); ok {
				t.Errorf("a share of %v", share)
			}
		})
	}
}

// Property: removing knowledge from a summary never raises its share.
func TestLessKnowledgeNeverRaisesTheShare(t *testing.T) {
	outcomes := []fleet.Outcome{fleet.Passes, fleet.Violation, fleet.Conflict, fleet.Undecided, fleet.Pending, fleet.Fault, fleet.Exempted, fleet.NotApplicable, fleet.NotAssessable}
	rapid.Check(t, func(t *rapid.T) {
		var counts []report.Count
		for range rapid.IntRange(1, 8).Draw(t, "counts") {
			counts = append(counts, said(rapid.SampledFrom(outcomes).Draw(t, "outcome"), rapid.IntRange(0, 1000).Draw(t, "n")))
		}
		before, _ := of(counts...).Posture().Share()
		i := rapid.IntRange(0, len(counts)-1).Draw(t, "which")
		counts[i].Outcome = rapid.SampledFrom([]fleet.Outcome{fleet.Undecided, fleet.Pending, fleet.Fault}).Draw(t, "less")
		if after, _ := of(counts...).Posture().Share(); after > before {
			t.Errorf("from %v to %v", before, after)
		}
	})
}

func TestPosturesAreByControlRuleAndScope(t *testing.T) {
	s := report.Summary{Shards: []report.Shard{
		{Scope: fleet.Scope{Account: "2", Region: "cn-x"}, Seen: 3, Counts: []report.Count{
			{Control: "b", Rule: "r2", Outcome: fleet.Passes, N: 1}, {Control: "b", Rule: "r1", Outcome: fleet.Violation, N: 2}}},
		{Scope: fleet.Scope{Account: "1"}, Seen: 1, Fault: "denied", Counts: []report.Count{{Control: "a", Rule: "r", Outcome: fleet.Pending, N: 4}}},
		{Scope: fleet.Scope{Account: "2", Region: "cn-x"}, Seen: 2, Fault: "budget"},
	}}
	b := report.Posture{Pass: 1, Fail: 2}
	if diff := cmp.Diff([]report.RulePosture{{Control: "a", Posture: report.Posture{Open: 4}}, {Control: "b", Posture: b}}, s.Controls()); diff != "" {
		t.Errorf("controls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]report.RulePosture{{"a", "r", report.Posture{Open: 4}}, {"b", "r1", report.Posture{Fail: 2}}, {"b", "r2", report.Posture{Pass: 1}}}, s.Rules()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]report.ScopePosture{
		{Scope: fleet.Scope{Account: "1"}, Seen: 1, Faults: []string{"denied"}, Posture: report.Posture{Open: 4}},
		{Scope: fleet.Scope{Account: "2", Region: "cn-x"}, Seen: 5, Faults: []string{"budget"}, Posture: b}}, s.Scopes()); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	if s.Seen() != 6 || len(s.Unread()) != 2 {
		t.Errorf("%d seen and %d unread, want 6 and 2", s.Seen(), len(s.Unread()))
	}
}

func TestSeveritiesCountOnlyWhatFailsTheMostUrgentFirst(t *testing.T) {
	count := func(o fleet.Outcome, s fleet.Severity, n int) report.Count {
		return report.Count{Outcome: o, Severity: s, N: n}
	}
	s := of(count(fleet.Violation, fleet.Low, 1), count(fleet.Conflict, fleet.Critical, 2), count(fleet.Violation, "", 3), count(fleet.Violation, fleet.Low, 4),
		count(fleet.Undecided, fleet.High, 5), count(fleet.Exempted, fleet.High, 6), count(fleet.Passes, fleet.High, 7), count(fleet.Violation, fleet.Medium, 0))
	want := []report.SeverityCount{{fleet.Critical, 2}, {fleet.Low, 5}, {"", 3}}
	if diff := cmp.Diff(want, s.Severities()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestChangesHeldAndCallsAreSummedOverShards(t *testing.T) {
	day := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	since := map[fleet.Region]time.Time{"cn-y": day.AddDate(0, 0, 1), "cn-x": day}
	shard := func(region fleet.Region) report.Shard {
		return report.Shard{Scope: fleet.Scope{Account: "1", Region: region},
			Changes: []report.ChangeCount{{"b", "r", fleet.PushAgent, fleet.Held, 2}, {"a", "r", fleet.AttachRole, fleet.Planned, 1}},
			Held:    []report.Held{{"b", "r", "maxChanges", since[region], 2, true}},
			Calls:   map[string]map[string]int{"ecs:A": {"ok": 2, "throttled": 1}}}
	}
	s := report.Summary{Shards: []report.Shard{shard("cn-y"), shard("cn-x"), {Held: []report.Held{{"a", "r", "maxPercent", since["cn-x"], 9, false}}, Calls: map[string]map[string]int{"ram:B": {"ok": 7}}}}}
	if diff := cmp.Diff([]report.ChangeCount{{"a", "", fleet.AttachRole, fleet.Planned, 2}, {"b", "", fleet.PushAgent, fleet.Held, 4}}, s.Changes()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]report.HeldTotal{{report.Held{"a", "r", "maxPercent", since["cn-x"], 9, false}, []fleet.Scope{{}}},
		{report.Held{"b", "r", "maxChanges", since["cn-x"], 4, true}, []fleet.Scope{{Account: "1", Region: "cn-x"}, {Account: "1", Region: "cn-y"}}}}, s.Held()); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]report.CallCount{{"ram:B", 7, 0}, {"ecs:A", 6, 2}}, s.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestExemptionsThatEndAreApartFromThoseThatDoNot(t *testing.T) {
	e := func(owner string, days int) report.Exemption {
		return report.Exemption{Owner: owner, Expires: noon.AddDate(0, 0, days)}
	}
	s := report.Summary{Exemptions: []report.Exemption{e("later", 31), e("last day", 30), e("gone", -5), e("much later", 300), e("tomorrow", 1)}}
	soon, others := s.Expiring(noon, 30*24*time.Hour)
	if diff := cmp.Diff([]report.Exemption{e("gone", -5), e("tomorrow", 1), e("last day", 30)}, soon); diff != "" {
		t.Errorf("soon (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]report.Exemption{e("later", 31), e("much later", 300)}, others); diff != "" {
		t.Errorf("others (-want +got):\n%s", diff)
	}
	if s.Exemptions[0].Owner != "later" {
		t.Error("the summary itself was sorted")
	}
}
