package sweep

import (
	"context"
	"iter"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/reconcile"
)

// ledger is that of a pass which settles what others left open. What is seen on the way
// is recorded, and is no part of the shard: its own pages tell of the same things.
func (c *collector) ledger() reconcile.Ledger {
	if c.s.Settle == nil || c.s.Options.Ledger == nil {
		return nil
	}
	return settler{c.s.Options.Ledger, c}
}

type settler struct {
	reconcile.Ledger
	c *collector
}

// Open implements [reconcile.Ledger].
func (l settler) Open(ctx context.Context, now time.Time) iter.Seq2[fleet.Entry, error] {
	return func(yield func(fleet.Entry, error) bool) {
		l.c.settling = true
		defer func() { l.c.settling = false }()
		for e, err := range l.c.s.Settle(ctx, now, l.c.into.scope) {
			if !yield(e, err) {
				return
			}
		}
	}
}
