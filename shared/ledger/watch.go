package ledger

import (
	"sync"
	"time"
)

// Watch remembers, for a process, when to look for open intents: before its first
// pass, and whenever one that was seen too fresh, or could not be settled, has come of
// age. A nil Watch never looks.
type Watch struct {
	mu     sync.Mutex
	looked bool
	next   time.Time // zero: nothing to wait for
}

// due reports whether it is time to look, to one of all who ask.
func (w *Watch) due(now time.Time) bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.looked && (w.next.IsZero() || now.Before(w.next)) {
		return false
	}
	w.looked, w.next = true, time.Time{}
	return true
}

// again asks for a look at that time.
func (w *Watch) again(at time.Time) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next.IsZero() || at.Before(w.next) {
		w.next = at
	}
}
