package pause

import (
	"context"
	"errors"
	"sync"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// freshFor is how long a process acts on the orders that it has read.
const freshFor = 30 * time.Second

// Watch is what a process knows of the orders: its passes list them once in 30 seconds of the
// cloud's time at most, and only when they have something to change. The zero Watch knows
// nothing. It is safe for concurrent use.
type Watch struct {
	mu    sync.Mutex
	read  time.Time
	state State
	// known are the pauses that a pass was stopped by.
	known map[string]fleet.Order
}

// Reader is the orders in a store, as a process reads them.
type Reader struct {
	Store ledger.Store
	Watch *Watch
}

// Paused returns the pause that stops a control in an account now, nil without one. fresh says
// that no pass of the process was stopped by it before. After an error nothing may be changed.
func (r Reader) Paused(ctx context.Context, control string, account fleet.AccountID, now time.Time) (pause *fleet.Order, fresh bool, err error) {
	w := r.Watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if age := now.Sub(w.read); age < 0 || age >= freshFor {
		state, err := Read(ctx, r.Store, now)
		if err != nil {
			w.read = time.Time{}
			return nil, false, err
		}
		w.state, w.read = state, now
	}
	o, ok := w.state.On(control, account, now)
	if !ok {
		return nil, false, nil
	}
	known, ok := w.known[o.Object]
	if !ok {
		if w.known == nil {
			w.known = map[string]fleet.Order{}
		}
		known, err = fill(ctx, r.Store, o)
		if err == nil || errors.As(err, new(*fleet.BadInput)) { // else its reason is read next time
			w.known[o.Object] = known
		}
	}
	return &known, !ok, nil
}
