package mns

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Status is a queue as GetQueueAttributes shows it.
type Status struct {
	Queue      Queue
	Attributes Attributes
	Counters
	// Shown are the counters that the APIs answer; see [Service.ShowCounters].
	Shown             Counters
	Created, Modified time.Time
	DeadLetter        *DeadLetterPolicy // nil for none
	Tags              []Tag             // in order of their keys
}

// Counters are the numbers of a queue's messages: active ones can be received, inactive ones
// are being worked on, delayed ones wait for their first time.
type Counters struct{ Active, Inactive, Delayed int }

// ShowCounters has GetQueueAttributes and ListQueue answer the true counters, as they do
// until the vendor's announcement comes true. Without it they answer 0, as announced
// (help page of Mns-open's GetQueueAttributes, 2026-01).
func (s *Service) ShowCounters(shown bool) {
	s.w.Lock()
	defer s.w.Unlock()
	s.counters = shown
}

// status is the queue as the APIs show it. The caller holds the world's mutex.
func (s *Service) status(q *queue) Status {
	st := q.status()
	if s.counters {
		st.Shown = st.Counters
	}
	return st
}

func (q *queue) status() Status {
	st := Status{Queue: q.id, Attributes: q.attrs, Created: q.created, Modified: q.modified, DeadLetter: q.dead}
	for _, key := range slices.Sorted(maps.Keys(q.tags)) {
		st.Tags = append(st.Tags, Tag{key, q.tags[key]})
	}
	for _, m := range q.messages {
		switch m.state() {
		case active:
			st.Active++
		case inFlight:
			st.Inactive++
		case delayed:
			st.Delayed++
		}
	}
	return st
}

// List returns the queues of an account and region whose names start with
// prefix, in order of name.
func (s *Service) List(account, region, prefix string) []Status {
	s.w.Lock()
	defer s.w.Unlock()
	var all []Status
	for id, q := range s.queues {
		if id.Account == account && id.Region == region && strings.HasPrefix(id.Name, prefix) {
			all = append(all, s.status(q))
		}
	}
	slices.SortFunc(all, func(a, b Status) int { return cmp.Compare(a.Queue.Name, b.Queue.Name) })
	return all
}

// Visible is how many messages can be received now; 0 for a missing queue.
func (s *Service) Visible(id Queue) int {
	n, _ := ask(s, id, func(q *queue) int { return q.ready.Len() })
	return n
}

// State is the bodies of all messages by queue, in the order of their receipt,
// without ids and times.
func (s *Service) State() any {
	s.w.Lock()
	defer s.w.Unlock()
	out := map[string][]string{}
	for id, q := range s.queues {
		all := slices.SortedFunc(maps.Values(q.messages), func(a, b *message) int { return cmp.Compare(a.serial, b.serial) })
		bodies := []string{}
		for _, m := range all {
			bodies = append(bodies, m.Body)
		}
		out[id.ARN()] = bodies
	}
	return out
}

// Watch calls f, outside any lock and while time stands still, whenever
// messages of the queue can be received and no long poll took them.
func (s *Service) Watch(id Queue, f func()) error {
	return s.on(id, func(q *queue) error {
		q.watchers = append(q.watchers, f)
		if q.ready.Len() > 0 {
			s.pending = append(s.pending, f)
		}
		return nil
	})
}
