package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"fleetwarden/shared/fleet"
)

// abandonedBack is how far back [Abandoned] searches for open intents: over a week and a day, in
// which sweeps that failed are noticed and mended. An open one that is older stays open; show
// and undo name it.
const abandonedBack = 8 * 24 * time.Hour

// Abandoned yields the intents about resources of a scope that passes of these functions
// left open and no longer search for: see [Ledger.Open]. An object that cannot be read
// yields a [*fleet.BadInput] and is left unchanged; any other error ends the sequence.
func Abandoned(ctx context.Context, store Store, functions []string, now time.Time, scope fleet.Scope) iter.Seq2[fleet.Entry, error] {
	return func(yield func(fleet.Entry, error) bool) {
		for _, function := range functions {
			q := Query{Function: function, From: now.Add(-abandonedBack), To: now.Add(-lookBack)}
			for names, err := range titles(ctx, store, q) {
				if err != nil {
					yield(fleet.Entry{}, fmt.Errorf("searching for open intents of %s: %w", function, err))
					return
				}
				if !names.open() {
					continue
				}
				e, err := intent(ctx, store, names.stem)
				if of, ok := e.Scope(); err == nil && (!ok || of != scope) {
					continue
				}
				bad := errors.As(err, new(*fleet.BadInput))
				if !yield(e, err) || err != nil && !bad {
					return
				}
			}
		}
	}
}
