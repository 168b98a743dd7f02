package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"fleetwarden/shared/controls/all"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/memory"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/report"
)

// checking is a check that runs.
type checking struct {
	*Call
	inv   *invocation.Invocation
	sum   fleet.Pass
	drift []sweep.Drifted
	seen  map[fleet.Scope]int
	// faults says what of a scope has no result.
	faults map[fleet.Scope]string
	// worst counts violations and conflicts by severity.
	worst map[fleet.Severity]int
	// applies says that the changes are made afterwards.
	applies bool
}

func newChecking(c *Call, inv *invocation.Invocation) *checking {
	return &checking{Call: c, inv: inv, seen: map[fleet.Scope]int{}, faults: map[fleet.Scope]string{}, worst: map[fleet.Severity]int{}}
}

// run checks, and shows each record.
func (k *checking) run(ctx context.Context, batches iter.Seq[batch], show func(any) error) error {
	bar := k.Progress("checking", 0)
	defer bar.End()
	o := k.inv.Options
	o.DryRun, o.Ledger = true, nil
	o.Record = func(r fleet.Record) error {
		if f := r.Finding; f != nil && (f.Outcome == fleet.Violation || f.Outcome == fleet.Conflict) {
			k.worst[f.Severity]++
		}
		return show(r)
	}
	past := memory.Reader{Store: k.inv.Store, Now: k.inv.Session.Now}
	instances, shares := reconcile.NewJudge(all.Few(k.inv, past), o), reconcile.NewJudge(all.Shares(k.inv), o)
	recorder := reconcile.NewRecorder(o)
	var errs []error
	for b := range batches {
		if ctx.Err() != nil {
			return errors.Join(append(errs, errors.New("stopped while checking; run it again"))...)
		}
		if b.err != nil {
			if err := recorder.Element(b.err); err != nil {
				return err
			}
			continue
		}
		var verdicts []fleet.Verdict
		var err error
		if kind := b.Refs[0].Kind; kind == fleet.KindSnapshotShare || kind == fleet.KindImageShare {
			verdicts, err = judge(ctx, shares, b.Batch)
		} else {
			verdicts, err = judge(ctx, instances, b.Batch)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("checking %s: %w", b.Scope, err))
			continue
		}
		k.seen[b.Scope] += len(b.Refs)
		for _, d := range sweep.DriftOf(verdicts) {
			k.drift = append(k.drift, sweep.Drifted{Scope: b.Scope, Drift: d})
		}
		recorder.Judged(b.Refs)
		if err := recorder.Verdicts(verdicts, ""); err != nil {
			return err
		}
		bar.Add(len(b.Refs))
	}
	bar.End()
	k.sum = recorder.Sum()
	k.sum.DryRun = !k.applies
	r := o.Stamp
	r.V, r.Type, r.Time, r.Pass = fleet.RecordVersion, "pass", k.inv.Session.Now(), &k.sum
	return errors.Join(append(errs, show(r))...)
}

func judge[W any](ctx context.Context, j *reconcile.Judge[W], b fleet.Batch) ([]fleet.Verdict, error) {
	judged, err := j.Batch(ctx, b)
	return judged.Verdicts, err
}

// apply has the owners make the changes, as a plan that is made of them.
func (k *checking) apply(ctx context.Context, o order) error {
	if !o.apply || len(k.drift) == 0 {
		return nil
	}
	found, drift := k.result()
	p, err := plan.New(found, drift, plan.Filter{Named: true}, k.inv.Session.Now())
	if err == nil {
		err = plan.Save(ctx, k.inv.Store, p)
	}
	if err != nil {
		return err
	}
	return k.Call.apply(ctx, k.inv, p, false, o.wait)
}

// result is what was checked, in the form of a sweep's result.
func (k *checking) result() (sweep.Result, iter.Seq2[sweep.Drifted, error]) {
	found := sweep.Result{Start: sweep.Start{Run: k.inv.Options.Stamp.Run, Policy: k.inv.Options.Stamp.Policy}}
	for scope, n := range k.seen {
		found.Summary.Shards = append(found.Summary.Shards, report.Shard{Scope: scope, Seen: n, Fault: k.faults[scope]})
	}
	slices.SortFunc(found.Summary.Shards, func(a, b report.Shard) int { return cmp.Compare(a.Scope.String(), b.Scope.String()) })
	return found, func(yield func(sweep.Drifted, error) bool) {
		for _, d := range k.drift {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// found is the error of what was not read, is pending, or is a finding of that severity.
func (k *checking) found(failOn string) error {
	var errs []error
	for _, x := range []struct {
		n         int
		one, more string
	}{
		{k.sum.Bad, "element could not be read", "elements could not be read"},
		{k.sum.Outcomes[fleet.Fault] - k.sum.Bad, "check failed", "checks failed"},
		{k.sum.Outcomes[fleet.Undecided], "check could not be decided", "checks could not be decided"},
		{k.sum.Outcomes[fleet.Pending], "check is pending: check again later", "checks are pending: check again later"},
	} {
		if x.n > 0 {
			errs = append(errs, errors.New(Plural(x.n, x.one, x.more)))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return reaching(k.worst, failOn)
}
