package all

import (
	"slices"
	"sync"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
)

const (
	// freshFor limits the age of cached data: the passes of a shard follow each other by
	// the minute, as the cloud's quotas do.
	freshFor = 30 * time.Minute
	// mostKept limits the number of cached regions, of which each may take 2 MiB.
	mostKept = 8
)

// Memories are the caches of a process's passes, so that a pass that continues an earlier
// one does not repeat its reads. They are valid for one run: a new sweep sees all repairs.
// A new process starts with empty ones.
//
// They are safe for concurrent use: no two passes use a memory at once. The zero Memories
// are ready to use.
type Memories struct {
	mu   sync.Mutex
	kept []memory // oldest first
}

// subject identifies a memory.
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

// take returns the memory of a subject, or a new one.
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

// keep returns a memory to the cache. Its age counts from the first time: before the first
// answer of a process the cloud's time is not known.
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
