package mns

import (
	"cmp"
	"slices"
	"time"
)

// Interval is the time between two samples of how full queues are: the granularity of the
// metrics about messages in CloudMonitor's page on MNS (help/doc-detail/28593).
const Interval = 5 * time.Minute

// Depth is how full a queue was at a moment.
type Depth struct {
	Queue Queue
	At    time.Time
	Counters
}

// sampled is how full a queue was from a moment on. A queue keeps the last few.
type sampled struct {
	from time.Time
	Counters
}

const samplesKept = 3

// sample notes how full the queues are, which has not changed since the last time, at each
// whole Interval that has passed since. The caller holds the mutex and has changed nothing.
func (s *Service) sample() {
	mark := s.w.Clock.Now().Truncate(Interval)
	if !mark.After(s.sampled) {
		return
	}
	for _, q := range s.queues {
		now := q.status().Counters
		if n := len(q.samples); n > 0 && q.samples[n-1].Counters == now {
			continue
		}
		q.samples = append(q.samples, sampled{s.sampled.Add(Interval), now})
		q.samples = q.samples[max(0, len(q.samples)-samplesKept):]
	}
	s.sampled = mark
}

// Depths shows how full the queues of an account and region were at the last whole Interval
// up to a moment, which must be no more than one Interval ago; in order of name. Younger
// queues are left out.
func (s *Service) Depths(account, region string, until time.Time) []Depth {
	var all []Depth
	_ = s.do(func() error {
		at := until.Truncate(Interval)
		for id, q := range s.queues {
			if id.Account != account || id.Region != region {
				continue
			}
			for _, x := range slices.Backward(q.samples) {
				if !x.from.After(at) {
					all = append(all, Depth{id, at, x.Counters})
					break
				}
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Depth) int { return cmp.Compare(a.Queue.Name, b.Queue.Name) })
	return all
}
