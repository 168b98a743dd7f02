package stack

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/deploy/local/simcloud/mns"
)

// maxWindows is how many windows of a stream are on their way at the same time. That
// there may be several is published ("if multiple batch windows exist", help page of FC
// 3.0's BatchWindow), how many is not.
const maxWindows = 8

// stream delivers a queue's messages to a function in windows, several at a time. A
// window opens with its first message and closes when it is full or its time is up;
// then the messages are received, delivered, and deleted when the function has
// succeeded. One that fails, or that the function has no instance for (429), is tried
// again by the trigger's strategy, and then goes to the dead-letter queue. Visibility
// is not extended: what is not deleted within the queue's VisibilityTimeout is received
// again, which MNS counts for its own dead-letter policy; it makes no second window.
type stream struct {
	s        *Stack
	f        fc.Function
	name     string
	queue    mns.Queue
	count    int
	window   time.Duration
	decode   bool
	pattern  *eventbridge.Pattern
	strategy eventbridge.Strategy
	dead     func([]byte) error
	pulled   *atomic.Bool

	mu      sync.Mutex
	windows int               // on their way, those that wait for another try too
	handles map[string]string // the newest receipt handle of each message on its way
	timer   *simcloud.Timer
	rnd     *rand.Rand
}

func (s *Stack) stream(f fc.Function, t manifest.Trigger) error {
	e := t.EventBridge
	if e.RunOptions.ErrorsTolerance != "ALL" {
		return errors.New("errorsTolerance NONE, which blocks a stream at a failure, is not supported here")
	}
	source := e.EventSourceConfig.Parameters.MNS
	x := &stream{
		s: s, f: f, name: t.Name, queue: mns.Queue{Account: f.Account, Region: source.RegionID, Name: source.QueueName},
		count: e.RunOptions.BatchWindow.CountBasedWindow, window: time.Duration(e.RunOptions.BatchWindow.TimeBasedWindow) * time.Second,
		decode: *source.IsBase64Decode, strategy: eventbridge.Strategy(e.RunOptions.RetryStrategy.PushRetryStrategy),
		rnd: rand.New(rand.NewPCG(1, 1)), handles: map[string]string{}, pulled: s.plugs.of(f),
	}
	var err error
	if x.pattern, err = eventbridge.ParsePattern([]byte(e.EventRuleFilterPattern)); err != nil {
		return err
	}
	if x.dead, err = s.queueAt(e.RunOptions.DeadLetterQueue.Arn); err != nil {
		return fmt.Errorf("its dead-letter queue: %w", err)
	}
	if err := s.o.Server.MNS.Watch(x.queue, x.wake); err != nil {
		return fmt.Errorf("watching queue %s: %w", x.queue.Name, err)
	}
	return nil
}

func (x *stream) clock() *simcloud.Clock { return x.s.o.Server.World.Clock }

// wake plans the next window.
func (x *stream) wake() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.plan()
}

// plan has a window close at once if it is full, and else when its time is up. All goes
// by the clock, also what is due at once: nothing is delivered between two moments. Without
// the service-linked roles nothing is received. The caller holds the mutex.
func (x *stream) plan() {
	n := x.s.o.Server.MNS.Visible(x.queue)
	full := n >= x.count || x.window == 0
	if x.pulled.Load() || !x.s.o.Server.EventBridge.Linked(x.f.Account, eventbridge.RoleFromQueue, eventbridge.RoleToFunction) || x.windows == maxWindows || n == 0 || x.timer != nil && !full {
		return
	}
	wait := x.window
	if full {
		wait = 0
	}
	if x.timer != nil {
		x.timer.Stop()
	}
	var timer *simcloud.Timer
	timer = x.clock().After(wait, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.timer == timer && !x.pulled.Load() {
			x.timer = nil
			x.close()
			x.plan()
		}
	})
	x.timer = timer
}

// close receives the window's messages and delivers them on a goroutine of its own. What
// is in another window on its way, and became visible meanwhile, stays with that one. The
// caller holds the mutex.
func (x *stream) close() {
	got, err := x.s.o.Server.MNS.Receive(x.queue, x.count)
	if err != nil {
		return // the queue is gone
	}
	fresh := got[:0]
	for _, m := range got {
		if _, known := x.handles[m.ID]; !known {
			fresh = append(fresh, m)
		}
		x.handles[m.ID] = m.ReceiptHandle
	}
	if len(fresh) == 0 {
		return
	}
	x.windows++
	x.work(func() { x.deliver(fresh, x.elements(fresh), 1) })
}

// work runs f with a work token taken before, so that no time passes between.
func (x *stream) work(f func()) {
	done := x.clock().Begin()
	go func() {
		defer done()
		f()
	}()
}

// element is one message of a window.
type element struct {
	ID                      string      `json:"id"`
	Source                  string      `json:"source"`
	SpecVersion             string      `json:"specversion"`
	Type                    string      `json:"type"`
	DataContentType         string      `json:"datacontenttype"`
	Subject                 string      `json:"subject"`
	Time                    string      `json:"time"`
	AliyunAccountID         string      `json:"aliyunaccountid"`
	AliyunPublishTime       string      `json:"aliyunpublishtime"`
	AliyunOriginalAccountID string      `json:"aliyunoriginalaccountid"`
	AliyunEventBusName      string      `json:"aliyuneventbusname"`
	AliyunRegionID          string      `json:"aliyunregionid"`
	AliyunPublishAddr       string      `json:"aliyunpublishaddr"`
	Data                    elementData `json:"data"`
}

type elementData struct {
	RequestID   string `json:"requestId"`
	MessageID   string `json:"messageId"`
	MessageBody string `json:"messageBody"`
}

// elements wraps the messages that the pattern lets through.
func (x *stream) elements(got []mns.Message) []json.RawMessage {
	out := []json.RawMessage{}
	for _, m := range got {
		b, err := json.Marshal(x.element(m))
		if err == nil && x.pattern.Match(b) {
			out = append(out, b)
		}
	}
	return out
}

func (x *stream) element(m mns.Message) element {
	const layout = "2006-01-02T15:04:05.000Z"
	name := "MNS-" + x.f.Name + "-" + x.name
	body := m.Body
	if x.decode {
		if b, err := base64.StdEncoding.DecodeString(body); err == nil {
			body = string(b)
		}
	}
	return element{
		ID: m.ID, Source: name, SpecVersion: "1.0", Type: "mns:Queue:SendMessage", DataContentType: "application/json; charset=utf-8",
		Subject:         fmt.Sprintf("acs:mns:%s:%s:queues/%s", x.queue.Region, x.queue.Account, x.queue.Name),
		Time:            m.EnqueueTime.UTC().Format(layout),
		AliyunAccountID: x.queue.Account, AliyunOriginalAccountID: x.queue.Account,
		AliyunPublishTime: x.clock().Now().Format(layout), AliyunEventBusName: name,
		AliyunRegionID: x.queue.Region, AliyunPublishAddr: "127.0.0.1",
		Data: elementData{RequestID: m.ID, MessageID: m.ID, MessageBody: body},
	}
}

// deliver makes the try-th attempt with the whole window: it succeeds or fails
// as one.
func (x *stream) deliver(got []mns.Message, batch []json.RawMessage, try int) {
	if len(batch) == 0 {
		x.finish(got)
		return
	}
	x.invoke(batch, func(ok bool) {
		if ok {
			x.finish(got)
			return
		}
		x.failed(got, batch, try)
	})
}

// failed plans the next attempt, or hands the window to the dead-letter queue.
func (x *stream) failed(got []mns.Message, batch []json.RawMessage, try int) {
	x.mu.Lock()
	wait, more := x.strategy.Wait(try, x.rnd)
	x.mu.Unlock()
	if more {
		x.clock().After(wait, func() { x.work(func() { x.deliver(got, batch, try+1) }) })
		return
	}
	for _, e := range batch {
		if err := x.dead(e); err != nil {
			fmt.Fprintf(x.s.o.Log, "stream %s of %s: sending a dead letter: %v\n", x.name, x.f.Name, err)
		}
	}
	x.finish(got)
}

func (x *stream) invoke(batch []json.RawMessage, then func(ok bool)) {
	payload, err := json.Marshal(batch)
	if err == nil {
		err = x.s.runtime.Deliver(x.f.Region, x.f.Name, fc.Cause{Trigger: x.name, Payload: payload},
			func(res fc.Result) { then(res.ErrorType == "") })
	}
	if err != nil {
		then(false)
	}
}

// finish deletes the messages and plans the next window. A message whose handle has run
// out will be delivered again: at least once.
func (x *stream) finish(got []mns.Message) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, m := range got {
		_ = x.s.o.Server.MNS.Delete(x.queue, x.handles[m.ID])
		delete(x.handles, m.ID)
	}
	x.windows--
	x.plan()
}
