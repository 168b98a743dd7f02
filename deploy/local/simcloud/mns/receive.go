package mns

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// Receive takes up to n visible messages and hides them for the queue's
// VisibilityTimeout. None is not an error here; on the wire it is
// MessageNotExist.
func (s *Service) Receive(id Queue, n int) ([]Message, error) {
	return ask(s, id, func(q *queue) []Message { return s.take(q, n) })
}

func (s *Service) take(q *queue, n int) []Message {
	var got []Message
	for len(got) < n && q.ready.Len() > 0 {
		m := heap.Pop(&q.ready).(*message)
		m.DequeueCount++
		if m.FirstDequeueTime.IsZero() {
			m.FirstDequeueTime = s.w.Clock.Now()
		}
		s.hide(q, m, time.Duration(q.attrs.VisibilityTimeout)*time.Second)
		got = append(got, m.Message)
	}
	return got
}

// Peek shows up to n visible messages without taking them.
func (s *Service) Peek(id Queue, n int) ([]Message, error) {
	return ask(s, id, func(q *queue) (got []Message) {
		order := slices.Clone(q.ready)
		slices.SortFunc(order, func(a, b *message) int {
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.serial, b.serial))
		})
		for _, m := range order[:min(n, len(order))] {
			got = append(got, m.Message)
		}
		return got
	})
}

// Delete removes the message that the receipt handle stands for. A handle that
// was used or has run out is MessageNotExist; one that was never given is
// ReceiptHandleError.
func (s *Service) Delete(id Queue, handle string) error {
	return s.on(id, func(q *queue) error {
		m, err := q.byHandle(handle)
		if err != nil {
			return err
		}
		s.remove(q, m)
		return nil
	})
}

func (q *queue) byHandle(handle string) (*message, error) {
	raw, err := base64.StdEncoding.DecodeString(handle)
	id, _, ok := strings.Cut(string(raw), "|")
	if err != nil || !ok {
		return nil, errReceiptHandle()
	}
	m, ok := q.messages[id]
	if !ok || m.ReceiptHandle != handle {
		return nil, errMessageNotExist()
	}
	return m, nil
}

// poll is a long poll that waits for messages.
type poll struct {
	n  int
	ch chan delivery
}

// delivery carries messages to a waiting poll together with a work token, so
// that no time passes between the two.
type delivery struct {
	messages []Message
	err      error
	done     func()
}

// offer hands visible messages to the waiting polls, the longest wait first, and
// notifies the watchers of the rest.
func (s *Service) offer(q *queue) {
	for len(q.polls) > 0 && q.ready.Len() > 0 {
		p := q.polls[0]
		q.polls = q.polls[1:]
		p.ch <- delivery{messages: s.take(q, p.n), done: s.w.Clock.Begin()}
	}
	if q.ready.Len() > 0 {
		s.pending = append(s.pending, q.watchers...)
	}
}

func (q *queue) cancelPolls() {
	for _, p := range q.polls {
		p.ch <- delivery{err: errQueueNotExist(), done: func() {}}
	}
	q.polls = nil
}

// Poll is Receive that waits up to d of virtual time for a first message. idle
// is called when the wait begins: the caller works no longer. The returned
// function ends the work that continues after the wait; call it in any case.
func (s *Service) Poll(ctx context.Context, id Queue, n int, d time.Duration, idle func()) ([]Message, func(), error) {
	p := &poll{n: n, ch: make(chan delivery, 1)}
	var got []Message
	err := s.on(id, func(q *queue) error {
		got = s.take(q, n)
		if len(got) == 0 && d > 0 {
			q.polls = append(q.polls, p)
		}
		return nil
	})
	if err != nil || len(got) > 0 || d <= 0 {
		return got, idle, err
	}
	timer := s.w.Clock.Background(d, func() { s.endPoll(id, p) })
	defer timer.Stop()
	idle()
	select {
	case got := <-p.ch:
		return got.messages, got.done, got.err
	case <-ctx.Done():
		s.endPoll(id, p)
		got := <-p.ch
		return got.messages, got.done, ctx.Err()
	}
}

// endPoll answers p without messages unless it has been answered.
func (s *Service) endPoll(id Queue, p *poll) {
	_ = s.do(func() error {
		q, ok := s.queues[id]
		if !ok {
			return nil
		}
		i := slices.Index(q.polls, p)
		if i < 0 {
			return nil
		}
		q.polls = slices.Delete(q.polls, i, i+1)
		p.ch <- delivery{done: s.w.Clock.Begin()}
		return nil
	})
}
