package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/report"
)

// PlanShown is a saved plan.
type PlanShown struct{ plan.Plan }

// SweepShown is what a sweep has come to.
type SweepShown struct {
	Type    string         `json:"type"` // sweep
	Summary report.Summary `json:"summary"`
	Open    []fleet.Scope  `json:"open"`
}

// ChangeShown is a change of a run, by the ledger.
type ChangeShown struct {
	Type     string            `json:"type"` // change
	Time     time.Time         `json:"time"`
	Function string            `json:"function"`
	Request  string            `json:"request"`
	Change   fleet.EntryChange `json:"change"`
}

// csv are findings as CSV, for programs and people alike.
type csv struct {
	findings iter.Seq2[fleet.Record, error]
}

// WriteTo writes all of it.
func (c csv) WriteTo(w io.Writer) (int64, error) { return 0, report.CSV(w, c.findings) }

// Show shows a run, a sweep or a plan.
func Show() Command {
	return Command{Name: "show", Args: "ID", Most: 1, About: "show a run, a sweep or a plan", Long: `
ID is that of a run or a plan, or latest. For a plan: each change that would be made. For a
sweep, or the check that a plan was made from: each place, with what was found there, queued
and held; and each change that followed. For any other run: each change, by time, before and
after. Times are UTC.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		findings := set.Bool("findings", false, "of a sweep: each finding")
		table := set.Bool("csv", false, "of a sweep: the findings as CSV")
		return func(ctx context.Context, ids []string) error {
			switch {
			case len(ids) == 0 || ids[0] == "":
				return Wrong("give the id of a run or a plan, or latest; see %s show --help, and %s runs", Tool, Tool)
			case (*findings || *table) && !isSweep(ids[0]) && ids[0] != Latest:
				return Wrong("--findings and --csv are for sweeps; see %s show --help", Tool)
			}
			return c.show(ctx, ids[0], *findings, *table)
		}
	}}
}

func (c *Call) show(ctx context.Context, id string, findings, table bool) error {
	inv, err := c.start(ctx, "show")
	if err != nil {
		return err
	}
	if id, err = resolve(ctx, inv.Store, id); err != nil {
		return err
	}
	if (findings || table) && !isSweep(id) {
		return Wrong("--findings and --csv are for sweeps; see %s show --help", Tool)
	}
	if strings.HasPrefix(id, "plan-") {
		p, err := savedPlan(ctx, inv.Store, id)
		if err != nil {
			return err
		}
		return c.Show(PlanShown{p})
	}
	if !isSweep(id) {
		return c.changes(ctx, inv, id, true)
	}
	found, err := sweep.Load(ctx, inv.Store, id)
	switch {
	case fleet.ClassOf(err) == fleet.NotFound:
		return fmt.Errorf("the ledger knows no sweep %s", id)
	case err != nil:
		return err
	case table:
		return c.Show(csv{found.Findings(ctx)})
	case findings:
		for r, err := range found.Findings(ctx) {
			if err == nil {
				err = c.Show(r)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := c.Show(SweepShown{"sweep", found.Summary, found.Open}); err != nil {
		return err
	}
	return c.changes(ctx, inv, id, false)
}

// isSweep reports whether a run checks the fleet: a sweep, or the check that a plan is made from.
func isSweep(id string) bool {
	return strings.HasPrefix(id, "sweep-") || strings.HasPrefix(id, "look-")
}

// savedPlan reads a plan from the ledger.
func savedPlan(ctx context.Context, store ledger.Store, id string) (plan.Plan, error) {
	p, err := plan.Open(ctx, store, id)
	if fleet.ClassOf(err) == fleet.NotFound {
		return p, fmt.Errorf("the ledger knows no plan %s; see %s runs", id, Tool)
	}
	return p, err
}

// errStopped is why a list ends before its end.
var errStopped = errors.New("stopped while reading the ledger: what is shown is incomplete")

// changes shows a run's changes, by time. has says that a run without any is an error.
func (c *Call) changes(ctx context.Context, inv *invocation.Invocation, run string, has bool) error {
	n := 0
	var unread []error
	for b, err := range ledger.Across(ctx, inv.Store, fleet.Writers(), ledger.Query{Run: run}) {
		if ctx.Err() != nil {
			return errStopped
		}
		if errors.As(err, new(*fleet.BadInput)) {
			unread = append(unread, fmt.Errorf("not read: %w", err))
			continue
		}
		if err != nil {
			return err
		}
		e := b.Intent
		if b.Last != nil {
			e.Changes = b.Last.Changes
		}
		for _, change := range e.Changes {
			if change.Run != run {
				continue
			}
			n++
			if err := c.Show(ChangeShown{"change", e.Time, e.Function, e.Request, change}); err != nil {
				return err
			}
		}
	}
	if n > 0 || !has || len(unread) > 0 {
		return errors.Join(unread...)
	}
	if _, err := inv.Store.Get(ctx, "applies/"+run+".json"); err == nil {
		c.Note("no function has recorded a change of run %s yet", run)
		return nil
	}
	return fmt.Errorf("the ledger knows no change of run %s; see %s runs", run, Tool)
}
