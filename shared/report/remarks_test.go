package report_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

func TestRemarksAreOneForEachRuleAndReason(t *testing.T) {
	count := func(rule, reason string, o fleet.Outcome, n int) report.Count {
		return report.Count{Control: "c", Rule: rule, Outcome: o, Severity: fleet.Info, Reason: reason, N: n}
	}
	s := report.Summary{Shards: []report.Shard{
		{Counts: []report.Count{count("b", "no API", fleet.NotAssessable, 100), count("a", "no API", fleet.NotAssessable, 1), count("a", "", fleet.Passes, 7)}},
		{Counts: []report.Count{count("b", "no API", fleet.NotAssessable, 20), count("b", "a tag", fleet.NotApplicable, 3), count("b", "none", fleet.NotAssessable, 0)}},
	}}
	want := []report.Remark{{"c", "a", fleet.NotAssessable, "no API", 1}, {"c", "b", fleet.NotApplicable, "a tag", 3}, {"c", "b", fleet.NotAssessable, "no API", 120}}
	if diff := cmp.Diff(want, s.Remarks()); diff != "" {
		t.Error(diff)
	}
	if share, ok := s.Posture().Share(); !ok || share != 1 {
		t.Errorf("a share of %v, %v", share, ok)
	}
	f := want[2].Finding()
	if got := table(t, fleet.Record{Finding: &f}); !strings.HasSuffix(got, ",fleet,,c,b,not-assessable,info,no API,,120\r\n") {
		t.Errorf("got %s", got)
	}
}
