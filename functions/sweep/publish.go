package main

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/report"
	"fleetwarden/shared/report/page"
	"fleetwarden/shared/sweep"
)

const (
	// history is how many sweeps before this one the report looks back at.
	history = 30
	// rows is how many findings one table holds: a store takes whole objects, and two
	// tables of this many take about 3 MiB, however many findings there are.
	rows = 2500
)

// publisher writes a sweep's report into the store.
type publisher struct{ store ledger.Store }

// publish writes the tables and the page first, the summary last, which says that all is
// there. What another pass has written already is left as it is.
func (p publisher) publish(ctx context.Context, r sweep.Result) error {
	if err := p.tables(ctx, r); err != nil {
		return err
	}
	earlier, err := sweep.Earlier(ctx, p.store, r.Start, history)
	if err != nil {
		return err
	}
	var html bytes.Buffer
	if err := (page.Page{}).Write(&html, r.Summary, earlier, r.Findings(ctx)); err != nil {
		return fmt.Errorf("writing the report of sweep %s: %w", r.Summary.Run, err)
	}
	if err := p.put(ctx, r, "report.html", html.Bytes()); err != nil {
		return err
	}
	summary, err := report.EncodeSummary(r.Summary)
	if err != nil {
		return err
	}
	return p.put(ctx, r, "summary.json", summary)
}

func (p publisher) put(ctx context.Context, r sweep.Result, name string, body []byte) error {
	err := p.store.Put(ctx, sweep.ReportObject(r.Summary.Run, name), body)
	if err != nil && fleet.ClassOf(err) != fleet.Exists {
		return fmt.Errorf("keeping %s of sweep %s: %w", name, r.Summary.Run, err)
	}
	return nil
}

// tables writes all findings as CSV and as JSON Lines, [rows] to an object.
func (p publisher) tables(ctx context.Context, r sweep.Result) error {
	next, stop := iter.Pull2(r.Findings(ctx))
	defer stop()
	for n, more := 1, true; more; n++ {
		var csv, lines bytes.Buffer
		var err error
		if more, err = table(next, &csv, &lines); err != nil {
			return fmt.Errorf("writing the tables of sweep %s: %w", r.Summary.Run, err)
		}
		if err := p.put(ctx, r, fmt.Sprintf("findings-%03d.csv", n), csv.Bytes()); err != nil {
			return err
		}
		if err := p.put(ctx, r, fmt.Sprintf("findings-%03d.jsonl", n), lines.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// table writes the next findings, and reports whether there may be more.
func table(next func() (fleet.Record, error, bool), csv, lines *bytes.Buffer) (more bool, err error) {
	out := report.NewLines(lines)
	some := func(yield func(fleet.Record, error) bool) {
		for range rows {
			r, err, ok := next()
			if !ok {
				return
			}
			if err == nil {
				err = out.Record(r)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
		more = true
	}
	err = report.CSV(csv, some) // which sets more
	return more, err
}
