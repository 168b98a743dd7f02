// Package publish makes the report of a sweep that has ended: tables and a page in the
// store, and one notice that names them.
package publish

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/report"
	"fleetwarden/shared/report/page"
)

const (
	// history is how many sweeps before this one the report looks back at.
	history = 30
	// rows is how many findings one table holds: a store takes whole objects, and two
	// tables of this many take about 3 MiB, however many findings there are.
	rows = 2500
)

// Publisher writes a sweep's report into the store, and sends its notice.
type Publisher struct {
	Store ledger.Store
	// Address is where an object of the store is, for a person.
	Address func(object string) string
	// Announce has the function notify make the digest, once the report is there; nil: none.
	Announce func(ctx context.Context, run string) error
	// Notify sends the notice; nil sends none. Log takes the finding that it could not be
	// sent, which has Stamp.
	Notify func(text []byte) error
	Log    func(fleet.Record) error
	Stamp  fleet.Record
	Now    func() time.Time
}

// Publish writes the tables and the page first, the summary last, which says that all is
// there. What another pass has written already is left as it is. Notice and announcement are
// sent before the summary: a pass that dies in between sends them again. That it could not be sent is
// recorded, and keeps no report back.
func (p Publisher) Publish(ctx context.Context, r sweep.Result) error {
	notice := report.NewNotice(r.Summary, p.Address(sweep.ReportObject(r.Summary.Run, "")))
	earlier, err := sweep.Earlier(ctx, p.Store, r.Start, history)
	if err != nil {
		return err
	}
	var html bytes.Buffer
	if err := (page.Page{}).Write(&html, r.Summary, earlier, p.tables(ctx, r, notice)); err != nil {
		return fmt.Errorf("writing the report of sweep %s: %w", r.Summary.Run, err)
	}
	if err := p.put(ctx, r, "report.html", html.Bytes()); err != nil {
		return err
	}
	if err := p.notify(ctx, notice); err != nil {
		return err
	}
	summary, err := report.EncodeSummary(r.Summary)
	if err != nil {
		return err
	}
	return p.put(ctx, r, "summary.json", summary)
}

func (p Publisher) notify(ctx context.Context, n *report.Notice) error {
	if p.Notify != nil {
		text, err := n.Encode()
		if err != nil {
			return err
		}
		if err := p.unsent(n, "notice", "the queue of sinks.findings", p.Notify(text)); err != nil {
			return err
		}
	}
	if p.Announce == nil {
		return nil
	}
	return p.unsent(n, "digest", "the queue fleetwarden-notify", p.Announce(ctx, n.Run))
}

// unsent records that a message about the report could not be sent. It returns the error of
// one for which there was no time: the platform's next try publishes all of it.
func (p Publisher) unsent(n *report.Notice, what, queue string, err error) error {
	if err == nil || fleet.ClassOf(err) == fleet.Canceled {
		return err
	}
	r := p.Stamp
	r.V, r.Type, r.Time, r.Run = fleet.RecordVersion, "finding", p.Now(), n.Run
	r.Finding = &fleet.FindingRecord{Rule: "notice", Outcome: fleet.Fault, Severity: fleet.Medium, Kind: fleet.KindFleet,
		Reason: "the " + what + " of the sweep could not be sent: " + err.Error(),
		Remedy: "make sure that " + queue + " exists in the home region, and that the sweep's role may send to it; the report is at " + n.Report}
	return p.Log(r)
}

func (p Publisher) put(ctx context.Context, r sweep.Result, name string, body []byte) error {
	err := p.Store.Put(ctx, sweep.ReportObject(r.Summary.Run, name), body)
	if err != nil && fleet.ClassOf(err) != fleet.Exists {
		return fmt.Errorf("keeping %s of sweep %s: %w", name, r.Summary.Run, err)
	}
	return nil
}

// tables writes all findings as CSV and as JSON Lines, [rows] to an object, notes them, and
// yields them: they are read once for all that is made of them.
func (p Publisher) tables(ctx context.Context, r sweep.Result, notice *report.Notice) iter.Seq2[fleet.Record, error] {
	return func(yield func(fleet.Record, error) bool) {
		next, stop := iter.Pull2(r.Findings(ctx))
		defer stop()
		wanted := true
		pass := func(f fleet.Record) {
			notice.Add(f.Finding)
			wanted = wanted && yield(f, nil)
		}
		for n, more := 1, true; more && wanted; n++ {
			var csv, lines bytes.Buffer
			var err error
			if more, err = table(next, &csv, &lines, pass); err == nil && wanted {
				err = p.put(ctx, r, fmt.Sprintf("findings-%03d.csv", n), csv.Bytes())
			}
			file := fmt.Sprintf("findings-%03d.jsonl", n)
			if err == nil && wanted {
				err = p.put(ctx, r, file, lines.Bytes())
			}
			if err != nil && wanted {
				yield(fleet.Record{}, fmt.Errorf("writing the tables of sweep %s: %w", r.Summary.Run, err))
				return
			}
			notice.Files = append(notice.Files, file)
		}
	}
}

// table writes the next findings, passes them on, and reports whether there may be more.
func table(next func() (fleet.Record, error, bool), csv, lines *bytes.Buffer, pass func(fleet.Record)) (more bool, err error) {
	out := report.NewLines(lines)
	some := func(yield func(fleet.Record, error) bool) {
		for range rows {
			r, err, ok := next()
			if !ok {
				return
			}
			if err == nil {
				pass(r)
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
