package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

const runsUsage = `backfill runs: list what ran

Usage:
  backfill runs [flags]

It lists the runs that changed something, newest first: sweeps, applies and undos, and
those of the live functions, which name a run after the request that began it. OPEN
counts batches that have no outcome yet. Times are UTC.

Flags:
  --since TIME   only runs since then, such as 2026-01-05T08:00:00Z, or 36h (default 168h)
  --count        count the changes, too: one read for each batch
  --json         one "run" each
`

// Runs lists the runs of the ledger.
func Runs() Command { return Command{"runs", "list what ran", (*job).runs} }

func (j *job) runs(ctx context.Context, args []string) error {
	since := "168h"
	var count bool
	set := j.flags("runs")
	set.StringVar(&since, "since", since, "")
	set.BoolVar(&count, "count", false, "")
	if _, err := j.parse(set, args, runsUsage, 0); err != nil {
		return err
	}
	inv, err := j.start(ctx, "runs")
	if err != nil {
		return err
	}
	from, err := moment("--since", since, inv.Session.Now())
	if err != nil {
		return wrongUsage{err} // after start: times count back from the cloud's clock
	}
	w := tabwriter.NewWriter(j.out, 0, 0, 2, ' ', 0)
	n := 0
	for run, err := range ledger.Runs(ctx, inv.Store, ledger.RunQuery{Functions: fleet.Writers(), From: from, Count: count}) {
		if errors.As(err, new(*fleet.BadInput)) {
			j.note("not read: %s", err.Error())
			continue
		}
		if err != nil {
			return err
		}
		if n++; n == 1 && !j.json {
			fmt.Fprintln(w, "RUN\tFIRST\tLAST\tFUNCTIONS\tBATCHES\tOPEN\tCHANGES")
		}
		if err := j.runLine(w, run); err != nil {
			return err
		}
	}
	if n == 0 && !j.json {
		return j.print("nothing was changed since %s\n", from.UTC().Format(time.DateTime))
	}
	return w.Flush()
}

func (j *job) runLine(w *tabwriter.Writer, run ledger.Run) error {
	if j.json {
		return j.line(map[string]any{"type": "run", "run": run.ID, "functions": run.Functions, "first": run.First, "last": run.Last,
			"batches": run.Batches, "open": run.Open, "states": run.States})
	}
	cells(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", run.ID, run.First.UTC().Format(time.DateTime), run.Last.UTC().Format(time.DateTime),
		strings.Join(run.Functions, ","), run.Batches, run.Open, counted(run.States))
	return nil
}

// counted says how many changes there are in each state; "-" if they were not counted.
func counted(m map[fleet.State]int) string {
	if m == nil {
		return "-"
	}
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[s], cmp.Or(string(s), "open")))
	}
	return strings.Join(parts, ", ")
}
