package sweep

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// ReportObject names a part of a sweep's report, such as report.html.
func ReportObject(run, name string) string { return reports + run + "/" + name }

// SummaryObject is the name of a sweep's summary. It is written last: a sweep that has
// one has ended.
func SummaryObject(run string) string { return ReportObject(run, "summary"+suffix) }

// LatestReport returns the run of the newest sweep, of any kind, that has a report.
func LatestReport(ctx context.Context, store ledger.Store) (latest string, err error) {
	began := func(run string) string { _, at, _ := strings.Cut(run, "-"); return at }
	for name, err := range list(ctx, store, reports, "") {
		if err != nil {
			return "", err
		}
		run, ok := strings.CutSuffix(strings.TrimPrefix(name, reports), "/summary"+suffix)
		if ok && began(run) > began(latest) {
			latest = run
		}
	}
	if latest == "" {
		err = errors.New("the ledger has no report yet")
	}
	return latest, err
}

// Result is a sweep as it stands in the store.
type Result struct {
	Start   Start
	Summary report.Summary
	// Open are the shards that have not ended.
	Open []fleet.Scope

	store ledger.Store
	ends  map[fleet.Scope]end
}

// Load reads what a sweep has come to so far. The error has class NotFound when there
// is no such sweep, and is a [*fleet.BadInput] when it cannot be read by this program.
func Load(ctx context.Context, store ledger.Store, run string) (Result, error) {
	if !fleet.Plain(run) {
		return Result{}, fmt.Errorf("%q is not the id of a run", run)
	}
	start, err := readStart(ctx, store, run)
	if err != nil {
		return Result{}, err
	}
	r := Result{Start: start, store: store, ends: map[fleet.Scope]end{}, Summary: report.Summary{
		V: report.SummaryVersion, Run: run, Started: start.At, Policy: start.Policy, DryRun: start.DryRun}}
	for _, scope := range start.Shards {
		e, ok, err := get[end](ctx, store, endObject(run, scope))
		if ok && e.Shard.Scope != scope {
			err = &fleet.BadInput{Where: endObject(run, scope), What: "it is of another shard"}
		}
		switch {
		case errors.As(err, new(*fleet.BadInput)) && !errors.Is(err, errNewer):
			// It will never be read: that is what the shard came to.
			e, ok = end{Shard: report.Shard{Scope: scope, Fault: "what it came to cannot be read: " + err.Error()}}, true
		case err != nil:
			return r, err
		}
		if !ok {
			r.Open = append(r.Open, scope)
			continue
		}
		r.ends[scope] = e
		r.Summary.Shards = append(r.Summary.Shards, e.Shard)
	}
	return r, nil
}

// parts yields the parts of all shards that have ended, one in memory at a time. After
// an error it continues with the next shard.
func (r Result) parts(ctx context.Context) iter.Seq2[fleet.Scope, partOrError] {
	return func(yield func(fleet.Scope, partOrError) bool) {
		for _, scope := range r.Start.Shards {
			e := r.ends[scope]
			p := progress{start: r.Start, scope: scope, attempt: e.Attempt}
			for n := 1; n <= e.Parts; n++ {
				x, err := p.part(ctx, r.store, n)
				if !yield(scope, partOrError{x, err}) {
					return
				}
				if err != nil {
					break
				}
			}
		}
	}
}

type partOrError struct {
	part part
	err  error
}

// Findings yields all that was not fine, in order of the shards, then what is about shards
// themselves, and at the end one line for each remark. A part that can never be read is a
// finding, too. An error ends the sequence.
func (r Result) Findings(ctx context.Context) iter.Seq2[fleet.Record, error] {
	return func(yield func(fleet.Record, error) bool) {
		for scope, x := range r.parts(ctx) {
			if x.err != nil {
				lost, err := r.lost(scope, x.err)
				if !yield(lost, err) || err != nil {
					return
				}
			}
			for _, f := range x.part.Findings {
				if !yield(f, nil) {
					return
				}
			}
		}
		for _, scope := range r.Start.Shards {
			for _, f := range r.ends[scope].Findings {
				if !yield(f, nil) {
					return
				}
			}
		}
		for _, remark := range r.Summary.Remarks() {
			if !yield(r.record(remark.Finding()), nil) {
				return
			}
		}
	}
}

// record is a finding about the sweep.
func (r Result) record(f fleet.FindingRecord) fleet.Record {
	return fleet.Record{V: fleet.RecordVersion, Type: "finding", Time: r.Start.At, Run: r.Start.Run, Policy: r.Start.Policy, Finding: &f}
}

// lost is the finding about a part that can never be read; another error stays one.
func (r Result) lost(scope fleet.Scope, err error) (fleet.Record, error) {
	if !errors.As(err, new(*fleet.BadInput)) || errors.Is(err, errNewer) {
		return fleet.Record{}, err
	}
	p := progress{scope: scope}
	f := p.faultFinding(err.Error())
	f.Reason = "the findings of this shard are not complete: " + err.Error()
	f.Remedy = "the next sweep tries again"
	return r.record(f), nil
}

// Drifted is a resource that has drifted, and where it is.
type Drifted struct {
	Scope fleet.Scope
	Drift
}

// Drift yields all that controls would change, in order of the shards. An error ends
// the sequence: a plan must not leave out what could not be read.
func (r Result) Drift(ctx context.Context) iter.Seq2[Drifted, error] {
	return func(yield func(Drifted, error) bool) {
		for scope, x := range r.parts(ctx) {
			if x.err != nil {
				yield(Drifted{}, x.err)
				return
			}
			for _, d := range x.part.Drift {
				if !yield(Drifted{scope, d}, nil) {
					return
				}
			}
		}
	}
}

// exemptions are those of the policy, with how often the sweep found them used. Those
// that differ only in what they mean are one.
func (r Result) exemptions(p *policy.Policy) []report.Exemption {
	uses := newTally(totals{})
	for _, ended := range r.ends {
		uses.uses(ended.Exempt)
	}
	var out []report.Exemption
	for _, e := range p.Exemptions {
		x := exemption(e)
		x.Uses = uses.exempt[x]
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// reach is how far back reports are looked for: all that were ever kept may be a great many.
const reach = 90 * 24 * time.Hour

// Earlier reads the summaries of the sweeps in the 90 days before one, the newest of them
// last, at most that many. One that cannot be read is left out: it is no reason to have
// no report.
func Earlier(ctx context.Context, store ledger.Store, start Start, most int) ([]report.Summary, error) {
	after := reports + kind + "-" + start.At.Add(-reach).UTC().Format(timeForm)
	objects, err := names(ctx, store, reports+kind+"-", after)
	if err != nil {
		return nil, err
	}
	objects = slices.DeleteFunc(objects, func(name string) bool {
		return !strings.HasSuffix(name, "/summary"+suffix) || name >= SummaryObject(start.Run)
	})
	var out []report.Summary
	for _, name := range objects[max(0, len(objects)-most):] {
		body, err := store.Get(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		if s, err := report.DecodeSummary(body); err == nil {
			out = append(out, s)
		}
	}
	return out, nil
}

// Began is when a sweep began.
type Began struct {
	Run string
	At  time.Time
}

// Begun returns the sweeps that began since a time, the newest last. It reads names alone.
func Begun(ctx context.Context, store ledger.Store, since time.Time) (out []Began, _ error) {
	for name, err := range list(ctx, store, starts+kind+"-", startObject(kind+"-"+since.UTC().Format(timeForm))) {
		if err != nil {
			return nil, err
		}
		id := strings.TrimSuffix(strings.TrimPrefix(name, starts), suffix)
		text, _, _ := strings.Cut(strings.TrimPrefix(id, kind+"-"), "-")
		if at, err := time.Parse(timeForm, text); err == nil { // names sort by time
			out = append(out, Began{id, at})
		}
	}
	return out, nil
}

// Ended reports whether a sweep has its summary. It reads names alone.
func Ended(ctx context.Context, store ledger.Store, run string) (bool, error) {
	found, err := names(ctx, store, SummaryObject(run), "")
	return len(found) > 0, err
}

// Newest reads the summary of the newest sweep that began in the days before a time and has
// ended; its Run is empty when there is none. One that cannot be read is an error, and not an
// older one.
func Newest(ctx context.Context, store ledger.Store, now time.Time) (report.Summary, error) {
	after := reports + kind + "-" + now.Add(-reach).UTC().Format(timeForm)
	objects, err := names(ctx, store, reports+kind+"-", after)
	if err != nil {
		return report.Summary{}, err
	}
	objects = slices.DeleteFunc(objects, func(name string) bool { return !strings.HasSuffix(name, "/summary"+suffix) })
	if len(objects) == 0 {
		return report.Summary{}, nil
	}
	name := objects[len(objects)-1]
	body, err := store.Get(ctx, name)
	if err != nil {
		return report.Summary{}, fmt.Errorf("reading %s: %w", name, err)
	}
	s, err := report.DecodeSummary(body)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return s, err
}
