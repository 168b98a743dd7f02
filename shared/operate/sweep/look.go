package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/reconcile"
)

// look judges things until the shard is read to its end, or the pass has to stop. What
// was found is in parts.
func (s *Sweep) look(ctx context.Context, p *progress) (sum fleet.Pass, err error) {
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

func (s *Sweep) lookAtShares(ctx context.Context, p *progress) (fleet.Pass, error) {
	at := p.at
	nothing := func(fleet.Cursor) []string { return nil }
	c := s.collect(p)
	return drive(ctx, c, input[*fleet.ShareWorld]{s.Shares, sharing(p), c.shares, &at, nothing})
}

func (s *Sweep) lookAtFleet(ctx context.Context, p *progress) (fleet.Pass, error) {
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

// input is what one pass of a shard judges.
type input[W any] struct {
	of  reconcile.Of[W]
	src reconcile.Source
	saw func(W, []fleet.Verdict)
	// at is what the source reads next, before what it read before that.
	at     *fleet.Cursor
	before func(at fleet.Cursor) []string
}

// drive judges, and writes what the pass found up to where it came, also when
// it could come no further.
func drive[W any](ctx context.Context, c *collector, in input[W]) (fleet.Pass, error) {
	next, err := judge(ctx, c, in)
	sum := c.recorder.Sum()
	if stopped, wait, ok := stops(err); ok {
		sum.Stopped, sum.Wait, err = stopped, wait, nil
	}
	if c.broken != nil {
		return sum, c.broken // where what was found since the last part ends is unknown
	}
	if next == "" && err == nil {
		return sum, c.write(ctx, "", nil)
	}
	if next != c.into.at {
		if err := c.write(ctx, next, in.before(next)); err != nil {
			return sum, err
		}
	}
	return sum, err
}

// judge judges what the source yields, and returns where to continue: nowhere at its end.
func judge[W any](ctx context.Context, c *collector, in input[W]) (fleet.Cursor, error) {
	j := reconcile.NewJudge(in.of, c.s.Options)
	settled := false
	for judged, err := range j.Batches(ctx, in.src) {
		if err == nil && !settled {
			// Not earlier: only an answer says what time it is in the cloud.
			settled, err = true, settle(ctx, c, j)
		}
		var not *reconcile.Unjudged
		switch {
		case errors.As(err, &not) && not.Batch.At != "":
			return not.Batch.At, err
		case err != nil:
			return *in.at, err
		}
		c.recorder.Judged(judged.Batch.Refs)
		in.saw(judged.World, judged.Verdicts)
		c.broke(c.recorder.Verdicts(judged.Verdicts, "its owner is notified when the limits let all of the shard's changes through"))
		if c.broken != nil || judged.Batch.Next == "" {
			return "", nil
		}
	}
	return *in.at, nil
}

// stops returns the state of a pass that ended where it can be resumed.
func stops(err error) (stopped string, wait time.Duration, ok bool) {
	var not *reconcile.Unjudged
	if !errors.As(err, &not) {
		return "", 0, false
	}
	return not.Stops()
}

// settle settles the intents that others left open about the shard. The verdicts that this
// takes do not count: the shard's own pages have the same resources.
func settle[W any](ctx context.Context, c *collector, j *reconcile.Judge[W]) error {
	if c.s.Settle == nil || c.s.Options.Ledger == nil || c.into.start.DryRun {
		return nil
	}
	c.settling = true
	defer func() { c.settling = false }()
	for e, err := range c.s.Settle(ctx, c.s.Options.Meter.Now(), c.into.scope) {
		var judged reconcile.Judged[W]
		ok := true
		if err == nil {
			judged, ok, err = j.Intent(ctx, e)
		}
		switch {
		case !ok:
			return nil
		case errors.As(err, new(*reconcile.Unjudged)):
			err = reconcile.Settle(ctx, c.recorder, e, reconcile.Judged[W]{})
		case err != nil:
			err = c.recorder.Unread(c.into.scope, err)
		default:
			err = reconcile.Settle(ctx, c.recorder, e, judged)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sharing is the one batch of what an account shares.
func sharing(p *progress) reconcile.Source {
	b := fleet.Batch{Scope: p.scope, At: begin}
	for _, kind := range []fleet.Kind{fleet.KindSnapshotShare, fleet.KindImageShare} {
		b.Refs = append(b.Refs, fleet.Ref{Scope: b.Scope, Kind: kind, Try: fleet.Try{Run: p.start.Run}})
	}
	return func(yield func(fleet.Batch, error) bool) { yield(b, nil) }
}
