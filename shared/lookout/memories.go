package lookout

import (
	"slices"
	"sync"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
)

const (
	// freshFor bounds how old anything is that a pass takes for granted: the passes of a
	// shard follow each other by the minute, as the cloud's quotas do.
	freshFor = 30 * time.Minute
	// mostKept bounds how many regions are remembered, of which each may take 2 MiB.
	mostKept = 8
)

// Memories are what the passes of one process know, so that a pass that goes on where
// the one before had to stop does not read again what both need. They hold for one run:
// whoever puts something right and sweeps again sees it. A process that ends forgets
// all, and the next one asks again.
//
// They are safe for concurrent use: while a pass works with a memory, no other has it.
// The zero Memories are ready to use.
type Memories struct {
	mu   sync.Mutex
	kept []memory // the oldest first
}

// subject is what a memory is about.
type subject struct {
	run   string
	scope fleet.Scope
}

// of is the subject of a batch, all of whose refs are of one run.
func of(b fleet.Batch) subject {
	s := subject{scope: b.Scope}
	if len(b.Refs) > 0 {
		s.run = b.Refs[0].Try.Run
	}
	return s
}

type memory struct {
	*observe.Memory
	about subject
	began time.Time
}

// take hands out what is known of a subject, or a new memory.
func (m *Memories) take(about subject, now time.Time) memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.kept, func(k memory) bool { return k.about == about })
	if i < 0 {
		return memory{Memory: &observe.Memory{}, about: about}
	}
	k := m.kept[i]
	m.kept = slices.Delete(m.kept, i, i+1)
	if now.Sub(k.began) > freshFor {
		return memory{Memory: &observe.Memory{}, about: about}
	}
	return k
}

// keep takes a memory back. Its age counts from when it first was given back: before the
// first answer of a process the cloud's time is not known.
func (m *Memories) keep(k memory, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k.began.IsZero() {
		k.began = now
	}
	m.kept = slices.DeleteFunc(m.kept, func(other memory) bool { return other.about == k.about })
	m.kept = append(m.kept, k)
	if len(m.kept) > mostKept {
		m.kept = slices.Delete(m.kept, 0, len(m.kept)-mostKept)
	}
}
