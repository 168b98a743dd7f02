package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/canary"
	"fleetwarden/shared/operate/doctor"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/redrive"
	"fleetwarden/shared/operate/replay"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/operate/why"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/queue"
	"fleetwarden/shared/report"
)

func shows(t *testing.T, wide bool, records ...any) string {
	t.Helper()
	var out bytes.Buffer
	x := newText(Env{Stdout: &out, Stderr: &out, Getenv: func(string) string { return "" }}, wide)
	for _, r := range records {
		if err := x.Show(r); err != nil {
			t.Fatalf("%T: %v", r, err)
		}
	}
	if err := x.flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The content of the ledger and of a plan's file is not trusted: control characters in any of
// its members are not written to the terminal, and add no line.
func TestNoTextOfTheCloudControlsTheTerminal(t *testing.T) {
	const evil = "x\x1b[2J\u202ey\nROLE\tz"
	scope := fleet.Scope{Account: evil, Region: evil}
	change := fleet.ChangeRecord{Kind: evil, Account: evil, Region: evil, RefKind: evil, ID: evil, State: evil, Before: evil, Want: evil, After: evil, Why: evil}
	failed := change
	failed.State = fleet.Failed
	p := plan.Plan{ID: evil, Sweep: evil, Items: []plan.Item{{Scope: scope, Control: evil, Kind: evil, ID: evil, Changes: []plan.Change{{Kind: evil, ID: evil, Before: evil, Want: evil}}}}}
	shards := []report.Shard{{Scope: scope, Fault: evil}}
	finding := fleet.FindingRecord{Control: evil, Rule: evil, Outcome: evil, Severity: evil, Account: evil, Region: evil, Kind: evil, ID: evil, Reason: evil, Remedy: evil,
		Evidence: []fleet.Evidence{{Name: evil, Value: evil, Source: evil}}}
	states := map[fleet.State]int{evil: 1}
	for name, c := range map[string]struct {
		lines  int
		record any
	}{
		"a channel's answer":  {1, command.Notified{Channel: evil, Card: evil, Says: evil}},
		"a finding":           {5, fleet.Record{Finding: &finding}},
		"a planned change":    {3, fleet.Record{Change: &change}},
		"a pass":              {1, fleet.Record{Pass: &fleet.Pass{Outcomes: map[fleet.Outcome]int{evil: 1}, States: states, Stopped: evil}}},
		"a plan":              {4, command.PlanShown{Plan: p}},
		"a plan that is made": {8, command.PlanMade{Plan: p, Found: sweep.Result{Summary: report.Summary{Shards: shards}}}},
		"a sweep":             {3, command.SweepShown{Summary: report.Summary{Shards: shards}, Open: []fleet.Scope{scope}}},
		"a sweep that is made": {5, command.SweepMade{Run: evil, Report: evil, Summary: report.Summary{Shards: shards},
			Failing: []command.Failing{{Control: evil, Rule: evil, Severity: evil, N: 1, Remedy: evil}}}},
		"a change": {2, command.ChangeShown{Function: evil, Change: fleet.EntryChange{ChangeRecord: change}}},
		"a page": {35, command.Explained{Page: why.Page{Lines: [3]string{evil, evil, evil}, Also: []why.Cause{{Says: evil, Todo: why.Todo{Says: evil, Command: evil}}},
			Rules:    []why.Rule{{Control: evil, Rule: evil, Outcome: evil, Severity: evil, Reason: evil, Changes: []string{evil}}},
			Controls: []why.Control{{Control: evil, Mode: evil, Limits: evil, Pause: &why.Pause{Reason: evil, By: evil}, Held: []report.Held{{Why: evil}}}},
			Now:      &why.Now{Status: evil, Type: evil, Role: evil, Agent: evil, Assistant: evil, Runs: []why.Run{{Command: evil, Status: evil, ErrorCode: evil}}},
			Trail:    why.Trails{Calls: []why.Call{{Name: evil, Caller: evil, ErrorCode: evil}}, Trails: []why.TrailState{{Name: evil, Faults: []string{evil}}}},
			Ledger:   why.Ledger{Events: []why.Event{{Function: evil, Run: evil, Kind: evil, ID: evil, State: evil, Why: evil}}}, Sweep: &why.Swept{Run: evil, Fault: evil},
			Missing: []string{evil}, Unread: []why.Unread{{What: evil, Why: evil}}, NoPasses: evil}}},
		"a run":    {2, command.RunShown{Run: evil, Functions: []string{evil}, States: states}},
		"an undo":  {8, command.Undone{Run: evil, States: states, Changes: []fleet.ChangeRecord{failed}, Latest: []fleet.ChangeRecord{change}, Found: []fleet.FindingRecord{finding}}},
		"an apply": {9, command.Applied{Run: evil, Queued: true, Items: []command.Item{{Account: evil, Region: evil, Control: evil, Kind: evil, ID: evil, State: evil, Why: evil}}}},
		"letters":  {3, command.Redriven{Letters: []redrive.Letter{{Shape: evil, State: evil, Reason: evil, Digest: evil}}, Sum: redrive.Sum{Letters: map[redrive.State]int{evil: 1}}}},
		"an examination": {7, doctor.Page{Categories: []doctor.Category{{Name: evil, Checks: []doctor.Result{{ID: evil, Description: evil, Result: doctor.Fail, Why: evil, Hint: evil,
			Problems: []doctor.Problem{{Result: doctor.Fail, Region: evil, ID: evil, Says: evil, Mend: evil}}}}}}}},
		"a policy": {9, command.PolicyExplained{Account: evil, Region: evil, ID: evil, Explained: policy.Explained{Control: evil, Rule: evil, Mode: evil, Result: evil,
			ScopeKey: evil, EnforceKey: evil, ByTags: true, Manager: evil, SelfManaged: policy.Yes, SelfManagedKey: evil, Skip: []string{evil},
			Exemptions: []policy.ExplainedExcuse{{Key: evil, Rule: evil, Owner: evil, Reason: evil, LastDay: evil}}}}},
		"a canary":          {4, canary.Flight{Token: evil, ID: evil, Legs: []canary.Leg{{Region: evil, Function: evil, Source: evil, State: evil, Answer: evil, Why: evil}}}},
		"a deployed policy": {2, command.Carried{Function: evil, Region: evil, Digest: evil, Unread: evil}},
		"an exemption":      {2, Exempted{File: evil, Diff: evil}},
		"a replay":          {3, command.Replayed{Run: evil, Sum: replay.Sum{Refs: map[string]int{evil: 1}}}},
	} {
		text := shows(t, false, c.record)
		if strings.ContainsAny(text, "\x1b\u202e\t") || !strings.Contains(text, "x [2J y ROLE") && !strings.Contains(text, "X [2J Y ROLE") {
			t.Errorf("%s: %q", name, text)
		}
		if n := strings.Count(text, "\n"); n != c.lines {
			t.Errorf("%s: %d lines, want %d: %q", name, n, c.lines, text)
		}
	}
}

// A record that only programs can read would end a command for people.
func TestEachRecordIsShownToPeople(t *testing.T) {
	for _, r := range []any{fleet.Record{}, command.PlanMade{}, command.PlanShown{}, command.Applied{}, command.Undone{}, command.SweepMade{}, command.SweepShown{},
		command.ChangeShown{}, command.RunShown{}, command.Replayed{}, command.Redriven{}, command.PolicyExplained{}, command.Carried{}, command.Notified{}, command.NotifyShown{}, Exempted{}, doctor.Page{}} {
		shows(t, false, r)
	}
	x := newText(Env{Stdout: new(bytes.Buffer), Stderr: new(bytes.Buffer), Getenv: func(string) string { return "" }}, false)
	if err := x.Show(1); err == nil {
		t.Error("a number is shown")
	}
}

// Which role an instance had is known from the ledger alone. The operator has to review it, even
// if the list of changes is cut.
func TestEachRoleThatAnUndoGivesToInstancesIsNamed(t *testing.T) {
	long := strings.Repeat("a", 64)
	u := command.Undone{Undoes: "run-1", DryRun: true}
	for n := range 3 * longestUndo {
		u.Latest = append(u.Latest, fleet.ChangeRecord{Kind: fleet.ReplaceRole, RefKind: fleet.KindInstance, ID: fmt.Sprintf("i-a%03d", n), State: fleet.Planned, Before: "OurRole", Want: "AppRole"})
	}
	u.Latest = append(u.Latest,
		fleet.ChangeRecord{Kind: fleet.ReplaceRole, RefKind: fleet.KindInstance, ID: "i-z", State: fleet.Planned, Before: "OurRole", Want: long},
		fleet.ChangeRecord{Kind: fleet.DetachRole, RefKind: fleet.KindInstance, ID: "i-y", State: fleet.Planned, Before: "OurRole"},
		fleet.ChangeRecord{Kind: fleet.GrantRole, RefKind: fleet.KindRole, ID: "OurRole", State: fleet.Planned, Want: "no role"},
	)
	text := shows(t, false, u)
	for _, want := range []string{"role AppRole goes to 60 instances\n", "role " + long + " goes to 1 instance\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
	if got := strings.Count(text, " goes to "); got != 2 {
		t.Errorf("%d roles are named:\n%s", got, text)
	}
}

func TestALetterIsListedForEachFunctionThatItIsFor(t *testing.T) {
	at := fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	refs := []fleet.Ref{{Scope: at, Kind: fleet.KindInstance, ID: "i-1"}, {Scope: at, Kind: fleet.KindInstance, ID: "i-2"}}
	got := shows(t, false, command.Redriven{Letters: []redrive.Letter{
		{Digest: "0123456789abcdef", Enqueued: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Shape: redrive.Event, State: redrive.Planned,
			Queued: []queue.Delivery{{Function: "validate-instance", Refs: refs}, {Function: "attach-role", Refs: refs[:1]}}},
		{Digest: "fedcba9876543210", Shape: redrive.Unknown, State: redrive.Kept, Reason: "it has none of the shapes of a dead letter"},
	}})
	want := `SINCE                SHAPE    STATE    FOR                ABOUT                                                     DIGEST
2026-11-22 12:00:00  event    planned  validate-instance  1000000000000001/cn-hangzhou instance i-1 and 1 more      0123456789ab
2026-11-22 12:00:00  event    planned  attach-role        1000000000000001/cn-hangzhou instance i-1                 0123456789ab
0001-01-01 00:00:00  unknown  kept     -                  it has none of the shapes of a dead letter                fedcba987654
`
	if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("%s", got)
	}
}

func TestALongValueIsCutBetweenCharacters(t *testing.T) {
	long := strings.Repeat("€", 61)
	for in, want := range map[string]string{"": "(none)", "a": "a", long[3:]: long[3:], long: long[3:] + "…"} {
		if got := (&text{}).value(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	if got := (&text{wide: true}).value(long); got != long {
		t.Errorf("wide: %q", got)
	}
}

// However large the fleet, a person gets at most 30 lines.
func TestSummariesAreShort(t *testing.T) {
	var p plan.Plan
	var s report.Summary
	var failing []command.Failing
	for n := range 1000 {
		at := fleet.Scope{Account: "1000000000000001", Region: fleet.Region(fmt.Sprintf("cn-a%d", n))}
		p.Seen = append(p.Seen, plan.Seen{Scope: at, N: 100})
		p.Items = append(p.Items, plan.Item{Scope: at, Control: "instance-role", Kind: fleet.KindInstance, ID: fmt.Sprint("i-", n),
			Changes: []plan.Change{{Kind: fleet.EnsureRole, RefKind: fleet.KindRole, ID: "r", Want: "r"}, {Kind: fleet.AttachRole, Scope: at, RefKind: fleet.KindInstance, ID: fmt.Sprint("i-", n), Want: "r"}}})
		s.Shards = append(s.Shards, report.Shard{Scope: at, Seen: 100, Fault: fmt.Sprint("fault ", n),
			Counts: []report.Count{{Control: "instance-role", Rule: "systrust-role", Outcome: fleet.Violation, Severity: fleet.High, N: 3}}})
		failing = append(failing, command.Failing{Control: "c", Rule: fmt.Sprint("r", n), Severity: fleet.High, N: n + 1, Remedy: "do it"})
	}
	for name, r := range map[string]any{
		"plan":  command.PlanMade{Plan: p, Found: sweep.Result{Summary: s}},
		"sweep": command.SweepMade{Summary: s, Failing: failing, Run: "look-1", Report: "file:///report.html"},
	} {
		text := shows(t, false, r)
		if n := strings.Count(text, "\n"); n > 30 {
			t.Errorf("%s: %d lines:\n%s", name, n, text)
		}
	}
	if text := shows(t, false, command.PlanMade{Plan: p}); !strings.Contains(text, "1001 changes: 1000 attach-role, 1 ensure-role; for 1000 resources\n") {
		t.Errorf("no total:\n%s", text)
	}
	if text := shows(t, false, command.PlanShown{Plan: plan.Plan{ID: "plan-1"}}); !strings.HasSuffix(text, "\nno changes\n") {
		t.Errorf("of an empty plan:\n%s", text)
	}
}

// However much was recorded, the cause of a page is not scrolled away; all of it is there for who
// asks.
func TestALongHistoryDoesNotHideTheCause(t *testing.T) {
	p := why.Page{Lines: [3]string{"cause", "since", "to do"}}
	for n := range 1000 {
		p.Ledger.Events = append(p.Ledger.Events, why.Event{ID: fmt.Sprint("i-", n)})
		p.Passes = append(p.Passes, why.Record{Rule: fmt.Sprint("r-", n)})
		p.Trail.Calls = append(p.Trail.Calls, why.Call{Name: fmt.Sprint("C-", n)})
	}
	text := shows(t, false, command.Explained{Page: p})
	if n := strings.Count(text, "\n"); n > 50 || strings.Count(text, "  … and 990 more; see -o wide\n") != 3 || !strings.Contains(text, "i-9:") || strings.Contains(text, "i-10:") {
		t.Errorf("%d lines:\n%s", n, text)
	}
	if n := strings.Count(shows(t, true, command.Explained{Page: p}), "\n"); n < 3000 {
		t.Errorf("wide: %d lines", n)
	}
}

// A table that cannot be written is an error of the command.
func TestABrokenOutputIsAnError(t *testing.T) {
	x := newText(Env{Stdout: broken{}, Stderr: new(bytes.Buffer), Getenv: func(string) string { return "" }}, false)
	if err := errors.Join(x.Show(command.RunShown{Run: "r"}), x.flush()); err == nil {
		t.Error("no error")
	}
	if err := x.Show(fleet.Record{Pass: &fleet.Pass{}}); err == nil {
		t.Error("no error")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }
