package sweep

import (
	"context"
	"errors"
	"fmt"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// look judges things until the shard is read to its end, or the pass has to stop. What
// was found is in parts.
func (s *Sweep) look(ctx context.Context, p *place) (sum fleet.Pass, err error) {
	switch {
	case p.read || p.unread() != "":
		p.read = true
		return sum, nil
	case p.scope.Region == "":
		sum, err = s.lookAtShares(ctx, p)
	default:
		sum, err = s.lookAtFleet(ctx, p)
	}
	if !errors.Is(err, errToken) || p.attempt == maxAttempts {
		return sum, err
	}
	p.again()
	sum.Stopped = err.Error()
	return sum, s.collect(p).write(ctx, begin, nil)
}

func (s *Sweep) lookAtShares(ctx context.Context, p *place) (fleet.Pass, error) {
	c := s.collect(p)
	at := p.at
	nothing := func(fleet.Cursor) []string { return nil }
	return drive(ctx, c, input[*fleet.ShareWorld]{s.Shares, sharing(p), c.shares, &at, nothing})
}

func (s *Sweep) lookAtFleet(ctx context.Context, p *place) (fleet.Pass, error) {
	lister, err := s.Lister(ctx, p.scope.Account)
	if err != nil {
		return fleet.Pass{}, fmt.Errorf("reaching account %s: %w", p.scope.Account, err)
	}
	past, why, err := s.recall(ctx, p)
	if err != nil {
		return fleet.Pass{}, err
	}
	defer past.Close()
	c := s.collect(p)
	c.notified = s.notified(ctx, p)
	pages := &pages{c: c, lister: lister, at: p.at, last: p.page}
	return drive(ctx, c, input[*fleet.World]{s.remembering(s.Fleet, p, past, why), pages.source(ctx), c.instances, &pages.at, pages.before})
}

// input is what one pass of the core goes over.
type input[W any] struct {
	of  reconcile.Of[W]
	src reconcile.Source
	saw func(W, []fleet.Verdict, *policy.Policy)
	// at is what the source reads next, before what it read before that.
	at     *fleet.Cursor
	before func(at fleet.Cursor) []string
}

// drive runs the core, and writes what the pass found up to where it came, also when
// it could come no further.
func drive[W any](ctx context.Context, c *collector, in input[W]) (fleet.Pass, error) {
	of, err := watched(ctx, c.into.scope.Account, in)
	if err != nil {
		return fleet.Pass{}, err
	}
	done := false
	sum, next, err := reconcile.Run(ctx, of, ended(in.src, &done), c.options())
	sum = readOnly(sum)
	switch {
	case c.broken != nil:
		return sum, c.broken // what was found since the last part ends nobody knows where
	case next == "" && err == nil && done:
		return sum, c.write(ctx, "", nil)
	case next == "":
		next = *in.at
	}
	if next != c.into.at {
		if err := c.write(ctx, next, in.before(next)); err != nil {
			return sum, err
		}
	}
	return sum, err
}

// options are those of a pass that asks for nothing before the whole shard is judged.
func (c *collector) options() reconcile.Options {
	o := c.s.Options
	o.Inbox, o.Record, o.Ledger = c, c.record, c.ledger()
	o.DryRun, o.Stamp.Run = c.into.start.DryRun, c.into.start.Run
	unlimited := *o.Policy
	unlimited.Limits.PerPass = 0
	o.Policy = &unlimited
	return o
}

// readOnly is the sum of a pass that neither forwarded nor put back anything.
func readOnly(sum fleet.Pass) fleet.Pass {
	sum.Again = 0
	if n := sum.States[fleet.Forwarded]; n > 0 {
		sum.States[fleet.Planned] += n
		delete(sum.States, fleet.Forwarded)
	}
	return sum
}

// ended tells whether the source came to its end.
func ended(src reconcile.Source, done *bool) reconcile.Source {
	return func(yield func(fleet.Batch, error) bool) {
		for b, err := range src {
			*done = err == nil && b.Next == ""
			if !yield(b, err) {
				return
			}
		}
	}
}

// watched has verdicts seen before the core goes on with them, and takes no steps. The
// shard's own account has to be reached: without it there is nothing to report.
func watched[W any](ctx context.Context, account fleet.AccountID, in input[W]) (reconcile.Of[W], error) {
	c, err := in.of(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("reaching account %s: %w", account, err)
	}
	decide := c.Decide
	c.Steps = nil
	c.Decide = func(w W, p *policy.Policy) []fleet.Verdict {
		verdicts := decide(w, p)
		in.saw(w, verdicts, p)
		return verdicts
	}
	return func(_ context.Context, asked fleet.AccountID) (reconcile.Control[W], error) {
		if asked != account {
			return reconcile.Control[W]{}, fmt.Errorf("a shard of account %s looks nowhere else", account)
		}
		return c, nil
	}, nil
}

// sharing is the one batch of what an account shares.
func sharing(p *place) reconcile.Source {
	b := fleet.Batch{Scope: p.scope, At: begin}
	for _, kind := range []fleet.Kind{fleet.KindSnapshotShare, fleet.KindImageShare} {
		b.Refs = append(b.Refs, fleet.Ref{Scope: b.Scope, Kind: kind, Try: fleet.Try{Run: p.start.Run}})
	}
	return func(yield func(fleet.Batch, error) bool) { yield(b, nil) }
}
