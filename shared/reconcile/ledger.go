package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// intend stores what is about to be changed, and what another run asked for and is held. What cannot be stored is not changed. The
// error says that the ledger does not keep what it is given, which ends the pass: the
// platform keeps what woke it until that is mended.
func (p *plan) intend(ctx context.Context, steps []Step, s fleet.Scope) error {
	if p.r.o.Ledger == nil {
		return nil
	}
	e := p.r.o.entry(fleet.StageIntent)
	var judged []fleet.Ref
	for _, it := range p.items {
		if (it.settled || !carries(steps, it)) && !p.awaited(it) {
			continue
		}
		p.intended = append(p.intended, it)
		judged = append(judged, it.refs...)
	}
	if len(p.intended) == 0 {
		return nil
	}
	e.Changes, e.Look = p.entryChanges(), fleet.Messages(distinct(judged))
	if err := p.r.o.Ledger.Write(ctx, &e); err != nil {
		p.put(p.intended, s, "not tried, since the ledger did not take the intent: "+err.Error(), err)
		return unfit(err)
	}
	p.intent = &e
	return nil
}

// awaited reports whether a change that the stop of an hour holds goes into the ledger: the
// run that asked for it, such as that of an applied plan, waits for what became of it.
func (p *plan) awaited(it *item) bool {
	run := it.refs[0].Try.Run
	return it.result.State == fleet.Held && run != "" && run != p.r.o.Stamp.Run
}

// unfit is err if the ledger cannot serve at all, else nil.
func unfit(err error) error {
	if fleet.ClassOf(err) != fleet.NotWriteOnce {
		return nil
	}
	return fmt.Errorf("nothing may be changed with this ledger: %w", err)
}

// concludeTime is how long storing an outcome may take, also beyond the end of the pass.
const concludeTime = 5 * time.Second

// conclude stores what became of the changes, also after the pass's own deadline: what was
// done has to be recorded. If it cannot, the intent stays open and is settled later; what is
// known is in the records.
func (p *plan) conclude(ctx context.Context) {
	if p.intent == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), concludeTime)
	defer stop()
	e := p.r.o.entry(fleet.StageOutcome)
	e.Name, e.Changes = p.intent.Name, p.entryChanges()
	if err := p.r.o.Ledger.Write(ctx, &e); err != nil {
		p.faults = append(p.faults, ledgerFault(p.intent.Refs()[0].Scope, "the changes stand in these records alone until the intent "+e.Name+" is settled: "+err.Error()))
	}
}

func (p *plan) entryChanges() []fleet.EntryChange {
	out := make([]fleet.EntryChange, len(p.intended))
	for i, it := range p.intended {
		out[i] = fleet.EntryChange{ChangeRecord: it.record(), Run: cmp.Or(it.refs[0].Try.Run, p.r.o.Stamp.Run)}
	}
	return out
}

func (o Options) entry(stage fleet.Stage) fleet.Entry {
	return fleet.Entry{Stage: stage, Policy: o.Stamp.Policy, Time: o.Meter.Now()}
}

func ledgerFault(s fleet.Scope, reason string) fleet.Verdict {
	return fleet.Verdict{
		Ref: fleet.Ref{Scope: s, Kind: fleet.KindAccount}, Rule: "ledger", Outcome: fleet.Fault, Severity: fleet.High,
		Reason: reason, Remedy: "make sure that the ledger's bucket exists, that it never had versioning, and that the function's role may write to its own prefix",
	}
}

// distinct leaves out refs that were there before.
func distinct(refs []fleet.Ref) []fleet.Ref {
	seen := map[fleet.Key]bool{}
	return slices.DeleteFunc(refs, func(r fleet.Ref) bool {
		was := seen[r.Key()]
		seen[r.Key()] = true
		return was
	})
}

// settleOpen settles, once a pass, what earlier passes intended and left without an outcome,
// and then carries out what is still to be done. It reports whether there was anything.
func (r *run[W]) settleOpen(ctx context.Context, s fleet.Scope) (found bool, err error) {
	if r.o.Ledger == nil || r.o.DryRun || r.asked {
		return false, nil
	}
	r.asked = true
	for e, err := range r.o.Ledger.Open(ctx, r.o.Meter.Now()) {
		if err != nil {
			if err := r.Unread(s, err); err != nil {
				return found, err
			}
			continue
		}
		judged, ok, err := r.judge.Intent(ctx, e)
		if !ok && err == nil {
			break // this one and the rest stay open, for the next pass
		}
		var not *Unjudged
		switch {
		case errors.As(err, &not):
			found = true
			err = r.unobserved(not.Batch, not.Err)
		case err != nil:
			err = r.Element(err)
		case ok:
			found = true
			r.Judged(judged.Batch.Refs)
			err = errors.Join(Settle(ctx, r.Recorder, e, judged), r.carry(ctx, judged.Batch.Scope, judged.control.Steps, judged.Verdicts))
		}
		if err = errors.Join(err, r.flush(ctx)); err != nil {
			return found, err
		}
	}
	return found, nil
}

// Unread records why open intents could not be read. Nothing is lost: they stay
// where they are.
func (r *Recorder) Unread(s fleet.Scope, err error) error {
	if errors.As(err, new(*fleet.BadInput)) {
		return r.Element(err)
	}
	return r.Finding(ledgerFault(s, err.Error()))
}
