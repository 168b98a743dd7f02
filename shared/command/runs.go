package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// RunShown is one run of the ledger.
type RunShown struct {
	Type      string              `json:"type"` // run
	Run       string              `json:"run"`
	Functions []string            `json:"functions"`
	First     time.Time           `json:"first"`
	Last      time.Time           `json:"last"`
	Batches   int                 `json:"batches"`
	Open      int                 `json:"open"`
	States    map[fleet.State]int `json:"states"`
}

// Runs lists the runs of the ledger.
func Runs() Command {
	return Command{Name: "runs", About: "list what ran", Long: `
It lists sweeps, plans and applies, and all else that changed something, newest first: undos,
and runs of the live functions, which are named after the request that began them. OPEN
counts batches that have no outcome yet. Times are UTC.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		since := set.String("since", "168h", "only runs since this `TIME`, such as 2026-01-05T08:00:00Z, or 36h for so long ago")
		count := set.Bool("count", false, "count the changes, too: one read for each batch")
		return func(ctx context.Context, _ []string) error { return c.runs(ctx, *since, *count) }
	}}
}

func (c *Call) runs(ctx context.Context, since string, count bool) error {
	inv, err := c.start(ctx, "runs")
	if err != nil {
		return err
	}
	from, err := moment("--since", since, inv.Session.Now()) // times count back from the cloud's clock
	if err != nil {
		return err
	}
	listed, err := listSince(ctx, inv.Store, from)
	if err != nil {
		return err
	}
	// show shows a run that changed something, after those that began later and changed nothing.
	n := 0
	var unread []error
	show := func(r RunShown) error {
		listed = slices.DeleteFunc(listed, func(x id) bool { return x.id == r.Run })
		for len(listed) > 0 && (r.Run == "" || listed[0].at.After(r.Last)) {
			n++
			if err := c.Show(RunShown{Type: "run", Run: listed[0].id, First: listed[0].at, Last: listed[0].at}); err != nil {
				return err
			}
			listed = listed[1:]
		}
		if r.Run == "" {
			return nil
		}
		n++
		return c.Show(r)
	}
	bar := c.Progress("reading runs", 0)
	defer bar.End()
	for run, err := range ledger.Runs(ctx, inv.Store, ledger.RunQuery{Functions: fleet.Writers(), From: from, Count: count}) {
		if ctx.Err() != nil {
			return errStopped
		}
		if errors.As(err, new(*fleet.BadInput)) {
			unread = append(unread, fmt.Errorf("not read: %w", err))
			continue
		}
		if bar.Add(1); err == nil {
			err = show(RunShown{"run", run.ID, run.Functions, run.First, run.Last, run.Batches, run.Open, run.States})
		}
		if err != nil {
			return err
		}
	}
	if err := show(RunShown{}); err != nil {
		return err
	}
	if n == 0 {
		c.Note("nothing ran since %s", from.UTC().Format(time.DateTime))
	}
	return errors.Join(unread...)
}
