package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/report"
	"fleetwarden/shared/terminal"
)

const showUsage = `backfill show: show a run, a sweep or a plan

Usage:
  backfill show ID [flags]

For a plan: each resource that would be changed. For a sweep, or the check that a plan was
made from: each place, with what was found there, queued and held; and each change that
followed. For any other run: each change, by time, before and after. Times are UTC.

Flags:
  --findings     of a sweep: each finding
  --json         JSON Lines: one "sweep" or "finding", and one "change" each; of a plan, the plan
  --csv          of a sweep: the findings as CSV
`

// Show shows a run, a sweep or a plan.
func Show() Command { return Command{"show", "show a run, a sweep or a plan", (*job).show} }

func (j *job) show(ctx context.Context, args []string) error {
	var findings, csv bool
	set := j.flags("show")
	set.BoolVar(&findings, "findings", false, "")
	set.BoolVar(&csv, "csv", false, "")
	ids, err := j.parse(set, args, showUsage, 1)
	switch {
	case err != nil:
		return err
	case len(ids) == 0 || ids[0] == "":
		return wrongUsage{errors.New("give the id of a run or a plan; see backfill show --help, and backfill runs")}
	case (findings || csv) && !isSweep(ids[0]):
		return wrongUsage{errors.New("--findings and --csv are for sweeps; see backfill show --help")}
	}
	id := ids[0]
	inv, err := j.start(ctx, "show")
	if err != nil {
		return err
	}
	if strings.HasPrefix(id, "plan-") {
		p, err := savedPlan(ctx, inv.Store, id)
		if err != nil {
			return err
		}
		return j.items(p)
	}
	if !isSweep(id) {
		return j.changes(ctx, inv, id, true)
	}
	found, err := sweep.Load(ctx, inv.Store, id)
	switch {
	case fleet.ClassOf(err) == fleet.NotFound:
		return fmt.Errorf("the ledger knows no sweep %s", id)
	case err != nil:
		return err
	case csv:
		return report.CSV(j.out, found.Findings(ctx))
	case findings:
		return j.findings(ctx, found)
	}
	if err := j.sweepTable(found); err != nil {
		return err
	}
	return j.changes(ctx, inv, id, false)
}

// isSweep reports whether a run checks the fleet: a sweep, or the check that a plan is made from.
func isSweep(id string) bool {
	return strings.HasPrefix(id, "sweep-") || strings.HasPrefix(id, "look-")
}

// savedPlan reads a plan from the ledger.
func savedPlan(ctx context.Context, store ledger.Store, id string) (plan.Plan, error) {
	p, err := plan.Open(ctx, store, id)
	if fleet.ClassOf(err) == fleet.NotFound {
		return p, fmt.Errorf("the ledger knows no plan %s", id)
	}
	return p, err
}

func (j *job) items(p plan.Plan) error {
	if j.json {
		return j.line(p)
	}
	if err := j.print("%s: made %s of %s; %d resources would be changed%s\n\n", p.ID, p.Made.UTC().Format(time.DateTime), p.Sweep, len(p.Items), by(p)); err != nil {
		return err
	}
	w := tabwriter.NewWriter(j.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RESOURCE\tCHANGE\tOF\tBEFORE\tAFTER")
	for _, item := range p.Items {
		for _, c := range item.Changes {
			cells(w, "%s\t%s\t%s\t%s\t%s\n", item.Ref(), c.Kind, c.ID, value(c.Before), value(c.Want))
		}
	}
	return w.Flush()
}

// longestValue is how many characters of a value a table shows; --json has the whole value.
const longestValue = 60

func value(s string) string {
	s = terminal.Clean(s)
	switch {
	case s == "":
		return "(none)"
	case utf8.RuneCountInString(s) > longestValue:
		return string([]rune(s)[:longestValue]) + "…"
	}
	return s
}

func (j *job) findings(ctx context.Context, found sweep.Result) error {
	for r, err := range found.Findings(ctx) {
		if err != nil {
			return err
		}
		if j.json {
			if err := j.line(r); err != nil {
				return err
			}
			continue
		}
		f := r.Finding
		if f.Count > 0 {
			if err := j.print("%d %s: %s/%s: %s\n", f.Count, f.Outcome, f.Control, f.Rule, f.Reason); err != nil {
				return err
			}
			continue
		}
		if err := j.print("%s %s in %s: %s/%s: %s %s: %s\n", f.Kind, f.ID, fleet.Scope{Account: f.Account, Region: f.Region},
			f.Control, f.Rule, f.Outcome, f.Severity, f.Reason); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) sweepTable(found sweep.Result) error {
	if j.json {
		return j.line(map[string]any{"type": "sweep", "summary": found.Summary, "open": found.Open})
	}
	w := tabwriter.NewWriter(j.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ACCOUNT\tREGION\tSEEN\tWRONG\tUNKNOWN\tQUEUED\tHELD\tREAD")
	for _, s := range found.Summary.Shards {
		wrong, unknown, queued, held := 0, 0, 0, 0
		for _, c := range s.Counts {
			switch c.Outcome {
			case fleet.Violation, fleet.Conflict:
				wrong += c.N
			case fleet.Undecided, fleet.Fault:
				unknown += c.N
			}
		}
		for _, c := range s.Changes {
			switch c.State {
			case fleet.Forwarded:
				queued += c.N
			case fleet.Held:
				held += c.N
			}
		}
		read := "complete"
		if s.Fault != "" {
			read = s.Fault
		}
		cells(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", s.Scope.Account, regionName(s.Scope.Region), s.Seen, wrong, unknown, queued, held, read)
	}
	for _, scope := range found.Open {
		cells(w, "%s\t%s\t\t\t\t\t\tnot yet\n", scope.Account, regionName(scope.Region))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range found.Summary.Remarks() {
		if err := j.print("%d %s: %s/%s: %s\n", r.N, r.Outcome, r.Control, r.Rule, r.Reason); err != nil {
			return err
		}
	}
	return nil
}

// changes lists a run's changes, by time. has says that a run without any is an error.
func (j *job) changes(ctx context.Context, inv *invocation.Invocation, run string, has bool) error {
	w := tabwriter.NewWriter(j.out, 0, 0, 2, ' ', 0)
	n := 0
	for a, err := range ledger.Across(ctx, inv.Store, fleet.Writers(), ledger.Query{Run: run}) {
		if errors.As(err, new(*fleet.BadInput)) {
			j.note("not read: %s", err.Error())
			continue
		}
		if err != nil {
			return err
		}
		e := a.Intent
		if a.Last != nil {
			e.Changes = a.Last.Changes
		}
		for _, c := range e.Changes {
			if c.Run != run {
				continue
			}
			if n++; n == 1 && !j.json {
				fmt.Fprintln(w, "TIME\tFUNCTION\tCHANGE\tRESOURCE\tSTATE\tBEFORE\tAFTER")
			}
			if err := j.changeLine(w, e, c); err != nil {
				return err
			}
		}
	}
	if n == 0 && has {
		return fmt.Errorf("the ledger knows no change of run %s; see backfill runs", run)
	}
	return w.Flush()
}

func (j *job) changeLine(w *tabwriter.Writer, e fleet.Entry, c fleet.EntryChange) error {
	if j.json {
		return j.line(map[string]any{"type": "change", "time": e.Time, "function": e.Function, "request": e.Request, "change": c})
	}
	state := cmp.Or(string(c.State), "open")
	after := c.After
	if after == "" && c.State != fleet.Done {
		after = c.Want
	}
	cells(w, "%s\t%s\t%s\t%s %s\t%s\t%s\t%s\n", e.Time.UTC().Format(time.DateTime), e.Function, c.Kind, c.RefKind, c.ID, state, value(c.Before), value(after))
	return nil
}
