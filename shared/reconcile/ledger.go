package reconcile

import (
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
	e := p.r.entry(fleet.StageIntent)
	var judged []fleet.Ref
	for _, it := range p.items {
		open := !it.settled && slices.ContainsFunc(steps, func(st Step) bool { return st.Kind == it.change.Kind })
		if !open && !p.awaited(it) {
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
// done has to be told. If it cannot, the intent stays open and is settled later; what is
// known is in the records.
func (p *plan) conclude(ctx context.Context) {
	if p.intent == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), concludeTime)
	defer stop()
	e := p.r.entry(fleet.StageOutcome)
	e.Name, e.Changes = p.intent.Name, p.entryChanges()
	if err := p.r.o.Ledger.Write(ctx, &e); err != nil {
		p.faults = append(p.faults, ledgerFault(p.intent.Refs()[0].Scope, "the changes stand in these records alone until the intent "+e.Name+" is settled: "+err.Error()))
	}
}

func (p *plan) entryChanges() []fleet.EntryChange {
	out := make([]fleet.EntryChange, len(p.intended))
	for i, it := range p.intended {
		out[i] = fleet.EntryChange{ChangeRecord: it.record(), Run: it.refs[0].Try.Run}
		if out[i].Run == "" {
			out[i].Run = p.r.o.Stamp.Run
		}
	}
	return out
}

func (r *pass) entry(stage fleet.Stage) fleet.Entry {
	return fleet.Entry{Stage: stage, Policy: r.o.Stamp.Policy, Time: r.o.Meter.Now()}
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

// settleOpen looks again at what earlier passes meant to change and never told the
// end of, once a pass, and reports whether there was anything: then the world may
// have changed. What is still to be done, it does. It looks as far as time and calls
// last.
func (r *run[W]) settleOpen(ctx context.Context, s fleet.Scope) (found bool, err error) {
	if r.o.Ledger == nil || r.o.DryRun || r.asked {
		return false, nil
	}
	r.asked = true
	for e, err := range r.o.Ledger.Open(ctx, r.o.Meter.Now()) {
		if err != nil {
			if err := r.unread(s, err); err != nil {
				return found, err
			}
			continue
		}
		if r.exhausted(ctx) != "" {
			break // this one and the rest stay open, for the next pass
		}
		refs := e.Refs()
		if len(refs) == 0 {
			continue // stays open
		}
		scope, ok := e.Scope()
		if !ok {
			if err := r.element(&fleet.BadInput{Where: "ledger object " + e.Name, What: "it is about several accounts or regions"}); err != nil {
				return found, err
			}
			continue
		}
		found = true
		if err := r.settleOne(ctx, e, fleet.Batch{Scope: scope, Refs: refs}); err != nil {
			return found, err
		}
	}
	return found, nil
}

func (r *run[W]) settleOne(ctx context.Context, e fleet.Entry, b fleet.Batch) error {
	c, err := r.control(ctx, b.Scope.Account)
	if err != nil {
		return errors.Join(r.unobserved(b, unseen{err}), r.flush(ctx))
	}
	w, err := c.Observe(ctx, b)
	if err != nil {
		return errors.Join(r.unobserved(b, unseen{err}), r.flush(ctx))
	}
	r.sum.Refs += len(b.Refs)
	verdicts := c.Decide(w, r.o.Policy)
	// Before anything is done: afterwards nobody could tell who did it.
	err = errors.Join(r.settle(ctx, e, verdicts), r.carryOut(ctx, c.Steps, b.Scope, verdicts))
	return errors.Join(err, r.flush(ctx))
}

// settle writes what the verdicts tell about an intent, if they tell it all.
func (r *pass) settle(ctx context.Context, open fleet.Entry, verdicts []fleet.Verdict) error {
	changes, ok := settled(open.Changes, verdicts)
	if !ok {
		return nil
	}
	e := r.entry(fleet.StageSettled)
	e.Name, e.Changes = open.Name, changes
	err := r.o.Ledger.Write(ctx, &e)
	if fleet.ClassOf(err) == fleet.Exists {
		return nil // somebody else did, and told
	}
	if err != nil {
		return errors.Join(r.finding(ledgerFault(open.Refs()[0].Scope, "the intent "+open.Name+" stays open: "+err.Error())), unfit(err))
	}
	for _, c := range changes {
		if err := r.change(c.ChangeRecord); err != nil {
			return fmt.Errorf("writing a change: %w", err)
		}
	}
	return nil
}

// unread records why open intents could not be read. Nothing is lost: they stay
// where they are.
func (r *pass) unread(s fleet.Scope, err error) error {
	var bad *fleet.BadInput
	if errors.As(err, &bad) {
		return r.element(err)
	}
	return r.finding(ledgerFault(s, err.Error()))
}
