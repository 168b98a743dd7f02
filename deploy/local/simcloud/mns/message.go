package mns

import (
	"cmp"
	"container/heap"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Outgoing is a message to be sent.
type Outgoing struct {
	Body string
	// Delay is 0–604800 s; nil means the queue's own.
	Delay *time.Duration
	// Priority is 1 (first) to 16; nil means 8.
	Priority *int
}

// Message is a message as the queue answers it.
type Message struct {
	ID               string
	ReceiptHandle    string
	Body             string
	BodyMD5          string // upper-case hex
	Priority         int
	EnqueueTime      time.Time
	FirstDequeueTime time.Time // of a message not received yet: the zero time
	NextVisibleTime  time.Time
	DequeueCount     int
}

const (
	defaultPriority = 8
	maxDelay        = 604800 * time.Second
)

type state int

const (
	active state = iota
	inFlight
	delayed
)

type message struct {
	Message
	serial uint64
	index  int             // in ready; -1 while hidden
	hidden *simcloud.Timer // ends the delay or the visibility timeout
	expiry *simcloud.Timer
	dies   time.Time
}

func (m *message) state() state {
	switch {
	case m.index >= 0:
		return active
	case m.DequeueCount > 0:
		return inFlight
	default:
		return delayed
	}
}

func (m *message) stop() {
	if m.hidden != nil {
		m.hidden.Stop()
	}
	m.expiry.Stop()
}

// Send puts a message into the queue. The answer has a receipt handle only if
// the message is delayed.
func (s *Service) Send(id Queue, out Outgoing) (sent Message, err error) {
	err = s.on(id, func(q *queue) error {
		sent, err = s.send(q, out)
		return err
	})
	return sent, err
}

func (s *Service) send(q *queue, out Outgoing) (Message, error) {
	delay := wire.Given(out.Delay, time.Duration(q.attrs.DelaySeconds)*time.Second)
	priority := wire.Given(out.Priority, defaultPriority)
	switch {
	case out.Body == "" || len(out.Body) > q.attrs.MaximumMessageSize:
		return Message{}, invalidArgument("The length of message should not be larger than MaximumMessageSize, nor 0")
	case delay < 0 || delay > maxDelay:
		return Message{}, invalidArgument("The value of DelaySeconds should between 0 and 604800 seconds")
	case priority < 1 || priority > 16:
		return Message{}, invalidArgument("The value of Priority should between 1 and 16")
	}
	sum := md5.Sum([]byte(out.Body))
	m := &message{Message: Message{
		ID: s.w.NewID("msg-"), Body: out.Body, BodyMD5: strings.ToUpper(hex.EncodeToString(sum[:])),
		Priority: priority, EnqueueTime: s.w.Clock.Now(),
	}}
	m.dies = m.EnqueueTime.Add(time.Duration(q.attrs.MessageRetentionPeriod) * time.Second)
	s.place(q, m, delay)
	return m.Message, nil
}

// place puts m into q, hidden for delay.
func (s *Service) place(q *queue, m *message, delay time.Duration) {
	s.serial++
	m.serial, m.index = s.serial, -1
	q.messages[m.ID] = m
	m.expiry = s.w.Clock.Background(m.dies.Sub(s.w.Clock.Now()), func() { s.expire(q, m) })
	m.NextVisibleTime = s.w.Clock.Now()
	if delay > 0 {
		s.hide(q, m, delay)
		return
	}
	s.show(q, m)
}

// hide makes m invisible for d under a new receipt handle.
func (s *Service) hide(q *queue, m *message, d time.Duration) {
	s.serial++
	m.NextVisibleTime = s.w.Clock.Now().Add(d)
	m.ReceiptHandle = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s|%d", m.ID, s.serial))
	m.hidden = s.w.Clock.After(d, func() {
		_ = s.do(func() error {
			if q.messages[m.ID] == m && m.index < 0 {
				s.show(q, m)
			}
			return nil
		})
	})
}

// show makes m visible, or moves it to the dead letters if it was received often
// enough.
func (s *Service) show(q *queue, m *message) {
	m.ReceiptHandle = ""
	if m.hidden != nil {
		m.hidden.Stop()
		m.hidden = nil
	}
	if q.dead != nil && m.DequeueCount >= q.dead.MaxReceiveCount {
		s.bury(q, m)
		return
	}
	heap.Push(&q.ready, m)
	s.offer(q)
}

// bury moves m to the dead-letter queue. Retention is not reset on the move; a
// dead-letter queue deleted since then loses the message, as nothing documented
// says otherwise.
func (s *Service) bury(q *queue, m *message) {
	m.expiry.Stop()
	delete(q.messages, m.ID)
	to, ok := s.queues[Queue{q.id.Account, q.id.Region, q.dead.Target}]
	if !ok {
		return
	}
	m.DequeueCount, m.FirstDequeueTime = 0, time.Time{}
	s.place(to, m, 0)
}

func (s *Service) expire(q *queue, m *message) {
	_ = s.do(func() error {
		if q.messages[m.ID] == m {
			s.remove(q, m)
		}
		return nil
	})
}

func (s *Service) remove(q *queue, m *message) {
	m.stop()
	if m.index >= 0 {
		heap.Remove(&q.ready, m.index)
	}
	delete(q.messages, m.ID)
}

// Before implements [simcloud.Placed]: visible messages are in the order of their priority,
// then of their arrival. MNS promises an order by priority only.
func (m *message) Before(o *message) bool {
	return cmp.Or(cmp.Compare(m.Priority, o.Priority), cmp.Compare(m.serial, o.serial)) < 0
}

// Place implements [simcloud.Placed].
func (m *message) Place(index int) { m.index = index }
