package ledger

import (
	"sync"
	"time"
)

// Watch decides, for a process, when to search for open intents: before its first pass, and
// again when one that was too recent, or could not be settled, is old enough. A nil Watch
// never searches.
type Watch struct {
	mu       sync.Mutex
	searched bool
	next     time.Time // zero: none
}

// due reports whether a search is due, to one caller only.
func (w *Watch) due(now time.Time) bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.searched && (w.next.IsZero() || now.Before(w.next)) {
		return false
	}
	w.searched, w.next = true, time.Time{}
	return true
}

// again schedules a search.
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
