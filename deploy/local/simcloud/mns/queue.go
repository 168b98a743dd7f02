package mns

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

// Queue names a queue.
type Queue struct{ Account, Region, Name string }

// ARN is the queue as RAM policies and dead-letter settings write it.
func (q Queue) ARN() string {
	return fmt.Sprintf("acs:mns:%s:%s:/queues/%s", q.Region, q.Account, q.Name)
}

// ParseARN reads what [Queue.ARN] writes, also with /messages behind it as
// Function Compute's destinations have it.
func ParseARN(arn string) (Queue, error) {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) != 5 || parts[0] != "acs" || parts[1] != "mns" {
		return Queue{}, fmt.Errorf("%q is not the ARN of an MNS queue", arn)
	}
	name, ok := strings.CutPrefix(parts[4], "/queues/")
	name = strings.TrimSuffix(name, "/messages")
	if !ok || !validName.MatchString(name) {
		return Queue{}, fmt.Errorf("%q is not the ARN of an MNS queue", arn)
	}
	return Queue{Account: parts[3], Region: parts[2], Name: name}, nil
}

// validName: letters, digits and hyphens.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`)

// maxName is the longest queue name; published limits, 2025-05.
const maxName = 120

// Attributes are a queue's settings, in seconds and bytes.
type Attributes struct {
	DelaySeconds           int  // 0–604800
	MaximumMessageSize     int  // 1024–65536
	MessageRetentionPeriod int  // 60–604800
	VisibilityTimeout      int  // 1–43200
	PollingWaitSeconds     int  // 0–30
	LoggingEnabled         bool // kept, without effect
}

// Defaults are the attributes of a queue created without any.
func Defaults() Attributes {
	return Attributes{MaximumMessageSize: 65536, MessageRetentionPeriod: 345600, VisibilityTimeout: 30}
}

func (a Attributes) check() error {
	for _, f := range []struct {
		name         string
		v, low, high int
	}{
		{"DelaySeconds", a.DelaySeconds, 0, 604800},
		{"MaximumMessageSize", a.MaximumMessageSize, 1024, 65536},
		{"MessageRetentionPeriod", a.MessageRetentionPeriod, 60, 604800},
		{"VisibilityTimeout", a.VisibilityTimeout, 1, 43200},
		{"PollingWaitSeconds", a.PollingWaitSeconds, 0, 30},
	} {
		if f.v < f.low || f.v > f.high {
			return invalidArgument("The value of %s should between %d and %d seconds/bytes", f.name, f.low, f.high)
		}
	}
	return nil
}

// DeadLetterPolicy moves messages that were received MaxReceiveCount times, and
// became visible again, to the queue Target of the same account and region. The
// REST protocol cannot set it; the RPC product Mns-open can.
type DeadLetterPolicy struct {
	Target          string
	MaxReceiveCount int
}

// Tag is a tag of a queue.
type Tag struct{ Key, Value string }

// Service holds the queues of all accounts and regions of one world.
type Service struct {
	w       *simcloud.World
	queues  map[Queue]*queue
	pending []func() // watchers to call once the world is unlocked
	serial  uint64

	counters bool      // shown; see ShowCounters
	sampled  time.Time // up to when; see sample
}

// New returns a service without queues.
func New(w *simcloud.World) *Service {
	return &Service{w: w, queues: map[Queue]*queue{}}
}

type queue struct {
	id       Queue
	attrs    Attributes
	dead     *DeadLetterPolicy
	tags     map[string]string
	created  time.Time
	modified time.Time
	messages map[string]*message
	ready    simcloud.Heap[*message]
	polls    []*poll
	watchers []func()
	samples  []sampled // in order
}

// do runs f on the tables and calls the watchers it woke after unlocking.
func (s *Service) do(f func() error) error {
	s.w.Lock()
	s.sample()
	err := f()
	calls := s.pending
	s.pending = nil
	s.w.Unlock()
	for _, call := range calls {
		call()
	}
	return err
}

func (s *Service) find(id Queue) (*queue, error) {
	q, ok := s.queues[id]
	if !ok {
		return nil, errQueueNotExist()
	}
	return q, nil
}

// on is do with a queue that must exist.
func (s *Service) on(id Queue, f func(*queue) error) error {
	return s.do(func() error {
		q, err := s.find(id)
		if err != nil {
			return err
		}
		return f(q)
	})
}

// ask is on for what shows something of the queue.
func ask[T any](s *Service, id Queue, f func(*queue) T) (shown T, err error) {
	err = s.on(id, func(q *queue) error {
		shown = f(q)
		return nil
	})
	return shown, err
}

// Create makes a queue. It reports false if the queue exists with equal
// attributes; existing with others is QueueAlreadyExist.
func (s *Service) Create(id Queue, a Attributes) (created bool, err error) {
	if err := cmp.Or(checkName(id.Name), a.check()); err != nil {
		return false, err
	}
	err = s.do(func() error {
		if q, ok := s.queues[id]; ok {
			if q.attrs != a {
				return errQueueAlreadyExist()
			}
			return nil
		}
		now := s.w.Clock.Now()
		s.queues[id] = &queue{id: id, attrs: a, tags: map[string]string{}, created: now, modified: now, messages: map[string]*message{}}
		created = true
		return nil
	})
	return created, err
}

func checkName(name string) error {
	switch {
	case len(name) == 0 || len(name) > maxName:
		return errQueueNameLength()
	case !validName.MatchString(name):
		return errInvalidQueueName()
	}
	return nil
}

// SetAttributes changes what change changes.
func (s *Service) SetAttributes(id Queue, change func(*Attributes)) error {
	return s.on(id, func(q *queue) error {
		a := q.attrs
		change(&a)
		if err := a.check(); err != nil {
			return err
		}
		q.attrs, q.modified = a, s.w.Clock.Now()
		return nil
	})
}

// SetDeadLetter sets the dead-letter policy, as Mns-open's SetQueueAttributes
// does; nil takes it away. A queue cannot be its own dead-letter queue.
func (s *Service) SetDeadLetter(id Queue, p *DeadLetterPolicy) error {
	return s.on(id, func(q *queue) error {
		if p == nil {
			q.dead = nil
			return nil
		}
		if _, err := s.find(Queue{id.Account, id.Region, p.Target}); err != nil {
			return err
		}
		if p.Target == id.Name || p.MaxReceiveCount < 1 {
			return invalidArgument("The dead-letter policy is not valid")
		}
		policy := *p
		q.dead = &policy
		return nil
	})
}

// Tag gives tags to the queue.
func (s *Service) Tag(id Queue, tags []Tag) error {
	return s.on(id, func(q *queue) error {
		for _, t := range tags {
			q.tags[t.Key] = t.Value
		}
		return nil
	})
}

// Untag takes the tags with these keys from the queue.
func (s *Service) Untag(id Queue, keys []string) error {
	return s.on(id, func(q *queue) error {
		for _, key := range keys {
			delete(q.tags, key)
		}
		return nil
	})
}

// Attributes shows the queue.
func (s *Service) Attributes(id Queue) (Status, error) { return ask(s, id, s.status) }

// Drop deletes a queue with its messages. Deleting a missing one is no error.
func (s *Service) Drop(id Queue) error {
	return s.do(func() error {
		q, ok := s.queues[id]
		if !ok {
			return nil
		}
		for _, m := range q.messages {
			m.stop()
		}
		q.cancelPolls()
		delete(s.queues, id)
		return nil
	})
}
