package undo

import (
	"context"
	"errors"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/reconcile"
)

// maxPasses limits the passes of one undo.
const maxPasses = 40

// ErrUnfinished means that an undo ended early: repeating it continues it.
var ErrUnfinished = errors.New("not all could be taken back yet")

// Carrier carries plans out.
type Carrier struct {
	// Hands returns the clients of an account.
	Hands func(ctx context.Context, account fleet.AccountID) (Hands, error)
	// Options are those of the passes. Their policy is replaced by that of [Ordered], their
	// inbox by a list of refs to recheck, and no pause stops them.
	Options reconcile.Options
	// Sleep waits between two passes. Without it, there is one pass.
	Sleep func(ctx context.Context, d time.Duration) error
	// Seen is called after each pass with the number of refs that it checked.
	Seen func(refs int)
}

// Carry carries out a plan in as many passes as it needs, and then rechecks the refs that the
// passes put off.
func (c Carrier) Carry(ctx context.Context, p *Plan) error {
	var again again
	o := c.Options
	o.Policy, o.Inbox = Ordered(o.Policy), &again
	o.Pauses = nil // a pause keeps what is undone from being done again
	of := func(ctx context.Context, account fleet.AccountID) (reconcile.Control[World], error) {
		h, err := c.Hands(ctx, account)
		return p.Control(h), err
	}
	src := p.Source("")
	for n := 0; ; n++ {
		sum, next, err := reconcile.Run(ctx, of, src, o)
		c.Seen(sum.Refs)
		pause := sum.Wait
		switch {
		case err != nil:
			return err
		case next != "":
			src = p.Source(next)
		case len(again.refs) == 0:
			return nil
		default:
			src, pause = again.source(), again.after
		}
		if c.Sleep == nil || n == maxPasses {
			return ErrUnfinished
		}
		if err := c.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// again collects refs to recheck, the first of them after that long.
type again struct {
	refs  map[fleet.Key]fleet.Ref
	after time.Duration
}

// Again implements reconcile.Inbox.
func (a *again) Again(_ context.Context, refs []fleet.Ref, after time.Duration) error {
	if len(a.refs) == 0 {
		a.refs, a.after = map[fleet.Key]fleet.Ref{}, after
	}
	a.after = min(a.after, after)
	for _, r := range refs {
		a.refs[r.Key()] = r
	}
	return nil
}

// Forward implements reconcile.Inbox.
func (a *again) Forward(context.Context, []fleet.Change) error {
	return errors.New("an undo forwards no changes")
}

// source yields the collected refs, and starts a new collection.
func (a *again) source() reconcile.Source {
	by := map[fleet.Scope][]fleet.Ref{}
	for _, r := range a.refs {
		by[r.Scope] = append(by[r.Scope], r)
	}
	a.refs = nil
	return func(yield func(fleet.Batch, error) bool) {
		for scope, refs := range by {
			for part := range slices.Chunk(refs, fleet.MaxBatch) {
				if !yield(fleet.Batch{Scope: scope, Refs: part}, nil) {
					return
				}
			}
		}
	}
}
