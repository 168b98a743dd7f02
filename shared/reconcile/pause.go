package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// Pauses says which changes an operator has stopped for a time.
type Pauses interface {
	// Paused returns the pause that stops a control in an account now, nil without one; fresh
	// says that it has to be reported. After an error nothing may be changed.
	Paused(ctx context.Context, control string, account fleet.AccountID, now time.Time) (pause *fleet.Order, fresh bool, err error)
}

// spread is over how long what a pause has held begins after it: not all at once.
const spread = time.Minute

// unreadable is after how long it is checked again whether changes are paused, where an
// order cannot be read.
const unreadable = 15 * time.Minute

// pause leaves what an operator has stopped to a pass after the pause. It asks right before
// the intent, and only where there is a change that this pass would make.
func (p *plan) pause(ctx context.Context, steps []Step, s fleet.Scope) error {
	if p.r.o.Pauses == nil {
		return nil
	}
	by := map[string][]*item{}
	for _, it := range p.items {
		if !it.settled && carries(steps, it) {
			by[it.control] = append(by[it.control], it)
		}
	}
	for _, control := range slices.Sorted(maps.Keys(by)) {
		now := p.r.o.Meter.Now()
		order, fresh, err := p.r.o.Pauses.Paused(ctx, control, s.Account, now)
		if err != nil {
			if err := p.unreadable(by[control], s, err); err != nil {
				return err
			}
			continue
		}
		if order == nil {
			continue
		}
		if fresh {
			err := p.r.Finding(fleet.Verdict{Ref: fleet.Ref{Scope: s, Kind: fleet.KindFleet}, Control: control, Rule: order.Rule(), Outcome: fleet.Fault,
				Severity: fleet.High, Reason: order.Sentence(), Remedy: order.Remedy()})
			if err != nil {
				return fmt.Errorf("writing a finding: %w", err)
			}
		}
		p.r.moves = true // what follows these is waited for like them
		for _, it := range by[control] {
			it.wait(order.Sentence(), order.Until.Sub(now)+p.r.within(spread))
		}
	}
	return nil
}

// unreadable changes nothing while it cannot be determined whether changes are paused.
func (p *plan) unreadable(items []*item, s fleet.Scope, err error) error {
	why := "not tried: " + err.Error()
	broken := errors.As(err, new(*fleet.BadInput))
	for _, it := range items {
		switch {
		case broken:
			it.wait(why, unreadable+p.r.within(spread))
		case fleet.ClassOf(err).Passing():
			it.settle(fleet.Later, why)
		default:
			it.settle(fleet.Failed, why)
		}
		it.result.Err = err
	}
	p.r.moves = p.r.moves || broken
	return p.r.Finding(fleet.Verdict{Ref: fleet.Ref{Scope: s, Kind: fleet.KindFleet}, Control: items[0].control, Rule: "pause", Outcome: fleet.Fault,
		Severity: fleet.High, Reason: "nothing was changed: " + err.Error(), Remedy: UnreadPauses})
}

// UnreadPauses is the remedy where it could not be read what is paused.
const UnreadPauses = "make sure that each order in the ledger's folder control/ can be read, remove one that cannot, and that the function's role may list and read that folder"

// wait puts a change off until its time has come, however often that was.
func (it *item) wait(why string, after time.Duration) {
	it.settle(fleet.Later, why)
	it.result.Again, it.waits = after, true
}

// within is a time below d, which differs between invocations.
func (r *pass) within(d time.Duration) time.Duration {
	return time.Duration(r.turn(int(d/time.Second))) * time.Second
}

// carries reports whether one of the steps makes a change.
func carries(steps []Step, it *item) bool {
	return slices.ContainsFunc(steps, func(st Step) bool { return st.Kind == it.change.Kind })
}
