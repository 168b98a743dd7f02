package report_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

func TestANoticeNamesItsFilesAndCountsTheirFindings(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	s := report.Summary{Run: "sweep-1", Started: at, Ended: at.Add(time.Hour), Policy: "digest", Shards: []report.Shard{
		{Held: []report.Held{{Control: "agent", N: 3}, {Control: "instance-role", N: 4}}}, {Fault: "denied"}}}
	n := report.NewNotice(s, "oss://bucket/ledger/reports/sweep-1/")
	n.Add(&fleet.FindingRecord{Outcome: fleet.Violation, Severity: fleet.High})
	n.Add(&fleet.FindingRecord{Outcome: fleet.Violation, Severity: fleet.Low})
	n.Add(&fleet.FindingRecord{Outcome: fleet.Exempted})
	n.Files = []string{"findings-001.jsonl"}
	text, err := n.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"v":1,"type":"sweep","run":"sweep-1","started":"2026-11-22T02:00:00Z","ended":"2026-11-22T03:00:00Z","policy":"digest",` +
		`"findings":3,"outcomes":{"exempt":1,"violation":2},"severities":{"high":1,"low":1},"held":7,"unread":1,` +
		`"report":"oss://bucket/ledger/reports/sweep-1/","files":["findings-001.jsonl"]}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
}

// A queue takes 64 KB: the notice of a sweep with five million findings fits.
func TestANoticeOfMillionsFitsIntoOneMessage(t *testing.T) {
	n := report.NewNotice(report.Summary{Run: "sweep-20261122T020000Z-abcdef"}, "oss://fleetwarden-1000000000000001/ledger/reports/sweep-20261122T020000Z-abcdef/")
	for i := range 2000 {
		n.Files = append(n.Files, fmt.Sprintf("findings-%03d.jsonl", i+1))
	}
	text, err := n.Encode()
	if err != nil || len(text) > 64<<10 || !json.Valid(text) {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}
