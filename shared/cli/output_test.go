package cli

import (
	"bytes"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/redrive"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/queue"
	"fleetwarden/shared/report"
)

// The content of the ledger and of a plan's file is not trusted: control characters in any of
// its members are not written to the terminal, and add no line.
func TestNoTextOfTheLedgerControlsTheTerminal(t *testing.T) {
	const evil = "x\x1b[2J\u202ey\nROLE\tz"
	scope := fleet.Scope{Account: evil, Region: evil}
	change := fleet.ChangeRecord{Kind: evil, Account: evil, Region: evil, RefKind: evil, ID: evil, State: evil, Before: evil, Want: evil, After: evil, Why: evil}
	p := plan.Plan{ID: evil, Sweep: evil, Items: []plan.Item{{Scope: scope, Control: evil, Kind: evil, ID: evil, Changes: []plan.Change{{Kind: evil, ID: evil, Before: evil, Want: evil}}}}}
	found := sweep.Result{Open: []fleet.Scope{scope}, Summary: report.Summary{Shards: []report.Shard{{Scope: scope, Fault: evil}}}}
	finding := fleet.FindingRecord{Control: evil, Rule: evil, Account: evil, Region: evil, Kind: evil, ID: evil, Reason: evil, Remedy: evil}
	undone := func(j *job) *undoing {
		return &undoing{job: j, found: map[fleet.Key]fleet.FindingRecord{{}: finding}, changes: []fleet.ChangeRecord{{State: fleet.Failed, Kind: evil, ID: evil, Why: evil}},
			inv: &invocation.Invocation{}}
	}
	for name, c := range map[string]struct {
		lines int
		show  func(j *job, w *tabwriter.Writer) error
	}{
		"a plan":              {4, func(j *job, _ *tabwriter.Writer) error { return j.items(p) }},
		"a plan that is made": {8, func(j *job, _ *tabwriter.Writer) error { return j.planText(p, found) }},
		"a sweep":             {3, func(j *job, _ *tabwriter.Writer) error { return j.sweepTable(found) }},
		"a change": {1, func(j *job, w *tabwriter.Writer) error {
			return j.changeLine(w, fleet.Entry{Function: evil}, fleet.EntryChange{ChangeRecord: change})
		}},
		"a run": {1, func(j *job, w *tabwriter.Writer) error {
			return j.runLine(w, ledger.Run{ID: evil, Functions: []string{evil}, States: map[fleet.State]int{evil: 1}})
		}},
		"an undo's table":     {2, func(j *job, _ *tabwriter.Writer) error { return undone(j).table([]fleet.ChangeRecord{change}) }},
		"what an undo leaves": {3, func(j *job, _ *tabwriter.Writer) error { return undone(j).left() }},
		"what an undo did":    {3, func(j *job, _ *tabwriter.Writer) error { return undone(j).foot(map[fleet.State]int{evil: 1}, false) }},
		"an apply": {5, func(j *job, _ *tabwriter.Writer) error {
			return (&application{job: j}).table([]itemLine{line(p.Items[0], evil, evil)})
		}},
		"letters": {2, func(j *job, _ *tabwriter.Writer) error {
			return j.letterTable([]redrive.Letter{{Shape: evil, State: evil, Reason: evil, Digest: evil}})
		}},
	} {
		var out bytes.Buffer
		j := &job{out: &out, err: &out}
		w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		if err := c.show(j, w); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := w.Flush(); err != nil {
			t.Error(err)
		}
		text := out.String()
		if strings.ContainsAny(text, "\x1b\u202e\t") || !strings.Contains(text, "x [2J y ROLE") {
			t.Errorf("%s: %q", name, text)
		}
		if n := strings.Count(text, "\n"); n != c.lines {
			t.Errorf("%s: %d lines, want %d: %q", name, n, c.lines, text)
		}
	}
}

func TestALetterIsListedForEachFunctionThatItIsFor(t *testing.T) {
	var out bytes.Buffer
	at := fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	refs := []fleet.Ref{{Scope: at, Kind: fleet.KindInstance, ID: "i-1"}, {Scope: at, Kind: fleet.KindInstance, ID: "i-2"}}
	err := (&job{out: &out}).letterTable([]redrive.Letter{
		{Digest: "0123456789abcdef", Enqueued: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Shape: redrive.Event, State: redrive.Planned,
			Queued: []queue.Delivery{{Function: "validate-instance", Refs: refs}, {Function: "attach-role", Refs: refs[:1]}}},
		{Digest: "fedcba9876543210", Shape: redrive.Unknown, State: redrive.Kept, Reason: "it has none of the shapes of a dead letter"},
	})
	want := `SINCE                SHAPE    STATE    FOR                ABOUT                                                     DIGEST
2026-11-22 12:00:00  event    planned  validate-instance  1000000000000001/cn-hangzhou instance i-1 and 1 more      0123456789ab
2026-11-22 12:00:00  event    planned  attach-role        1000000000000001/cn-hangzhou instance i-1                 0123456789ab
0001-01-01 00:00:00  unknown  kept     -                  it has none of the shapes of a dead letter                fedcba987654
`
	if got := out.String(); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") || err != nil {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestALongValueIsCutBetweenCharacters(t *testing.T) {
	for in, want := range map[string]string{
		"": "(none)", "a": "a", strings.Repeat("€", 60): strings.Repeat("€", 60), strings.Repeat("€", 61): strings.Repeat("€", 60) + "…",
	} {
		if got := value(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
