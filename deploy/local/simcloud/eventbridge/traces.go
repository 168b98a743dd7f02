package eventbridge

import (
	"fmt"
	"strconv"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// maxTraced is how many events of a bus are remembered.
const maxTraced = 10_000

// traced is an event that came onto a bus, and what became of it. Its body is not kept.
type traced struct {
	serial                    uint64
	id, source, kind, subject string
	received                  time.Time
	steps                     []TraceStep
}

// traces are those of one bus, in the order of their receipt.
type traces struct {
	all  []*traced
	byID map[string]*traced
}

// TraceStep is one thing that became of an event: Action is PutEvent, FilterEvent or
// PushEvent. Times are in ms; which are text, and which go with which action, is published.
type TraceStep struct {
	EventBusName, EventId, EventSource, Action string
	ActionTime                                 int64
	ReceivedTime                               int64  `json:",omitempty"`
	RuleName                                   string `json:",omitempty"`
	RuleMatchingTime                           string `json:",omitempty"`
	Endpoint                                   string `json:",omitempty"`
	NotifyTime                                 int64  `json:",omitempty"`
	NotifyLatency                              string `json:",omitempty"`
	NotifyStatus                               string `json:",omitempty"`
}

// tracer adds to what is known of one event on one bus; nil adds nothing.
type tracer struct {
	s   *Service
	bus string
	of  *traced
}

// trace notes that an event has come. A second copy of it is added to the first.
func (s *Service) trace(on busKey, event map[string]any) *tracer {
	text := func(name string) string { v, _ := event[name].(string); return v }
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.traced[on]
	if known == nil {
		known = &traces{byID: map[string]*traced{}}
		s.traced[on] = known
	}
	now := s.o.World.Clock.Now()
	x := known.byID[text("id")]
	if x == nil {
		s.tracings++
		x = &traced{serial: s.tracings, id: text("id"), source: text("source"), kind: text("type"), subject: text("subject"), received: now}
		known.byID[x.id] = x
		if known.all = append(known.all, x); len(known.all) > maxTraced {
			delete(known.byID, known.all[0].id)
			known.all = known.all[1:]
		}
	}
	t := &tracer{s, on.bus, x}
	t.note(TraceStep{Action: "PutEvent", ReceivedTime: now.UnixMilli()})
	return t
}

// note adds a step. The caller holds the mutex.
func (t *tracer) note(step TraceStep) {
	step.EventBusName, step.EventId, step.EventSource = t.bus, t.of.id, t.of.source
	step.ActionTime = t.s.o.World.Clock.Now().UnixMilli()
	t.of.steps = append(t.of.steps, step)
}

// matched notes that the event fits a rule.
func (t *tracer) matched(rule string) {
	if t == nil {
		return
	}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.note(TraceStep{Action: "FilterEvent", RuleName: rule, RuleMatchingTime: strconv.FormatInt(t.s.o.World.Clock.Now().UnixMilli(), 10)})
}

// pushed notes a try to deliver the event, and the target's answer.
func (t *tracer) pushed(rule string, to Target, err error) {
	if t == nil {
		return
	}
	status := "[200]Ok"
	if err != nil {
		status = fmt.Sprintf("[%d]%v", wire.AsError(err).Status, err)
	}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	now := t.s.o.World.Clock.Now()
	t.note(TraceStep{
		Action: "PushEvent", RuleName: rule, Endpoint: to.Info.Endpoint, NotifyTime: now.UnixMilli(), NotifyStatus: status,
		NotifyLatency: strconv.FormatInt(now.Sub(t.of.received).Milliseconds(), 10),
	})
}

// TracedEventsRequest are the parameters of QueryTracedEvents. Times are in ms.
type TracedEventsRequest struct {
	EventBusName, EventSource, EventType, MatchedRule, Subject, NextToken string
	StartTime, EndTime                                                    int64
	Limit                                                                 int
}

// TracedEvent is an event as QueryTracedEvents shows it.
type TracedEvent struct {
	EventBusName, EventId, EventSource, EventType string
	EventReceivedTime                             int64 // ms
}

// TracedPage is a page of events.
type TracedPage struct {
	Events    []TracedEvent
	NextToken string `json:",omitempty"`
	Total     int
}

// QueryTracedEvents lists the events of a bus by the time of their receipt.
func (s *Service) QueryTracedEvents(c *wire.Call, in *TracedEventsRequest) (*Reply[TracedPage], error) {
	key, err := s.on(c, in.EventBusName)
	if err == nil && in.EndTime < in.StartTime {
		err = invalid("EndTime is before StartTime")
	}
	if err != nil {
		return reply(TracedPage{}, err)
	}
	var found []*traced
	if known := s.traced[key]; known != nil {
		for _, x := range known.all {
			if in.fits(x) {
				found = append(found, x)
			}
		}
	}
	shown, next, err := cut(found, (*traced).token, in.NextToken, in.Limit)
	out := TracedPage{Events: []TracedEvent{}, NextToken: next, Total: len(found)}
	for _, x := range shown {
		out.Events = append(out.Events, TracedEvent{in.EventBusName, x.id, x.source, x.kind, x.received.UnixMilli()})
	}
	return reply(out, err)
}

// token ascends with the receipt.
func (x *traced) token() string { return fmt.Sprintf("%020d", x.serial) }

func (in *TracedEventsRequest) fits(x *traced) bool {
	same := func(want, got string) bool { return want == "" || want == got }
	at := x.received.UnixMilli()
	return at >= in.StartTime && at <= in.EndTime && same(in.EventSource, x.source) && same(in.EventType, x.kind) &&
		same(in.Subject, x.subject) && (in.MatchedRule == "" || x.fit(in.MatchedRule))
}

func (x *traced) fit(rule string) bool {
	for _, step := range x.steps {
		if step.Action == "FilterEvent" && step.RuleName == rule {
			return true
		}
	}
	return false
}

// EventTracesRequest names an event of a bus.
type EventTracesRequest struct{ EventBusName, EventId string }

// QueryEventTraces shows what became of one event, in order. Of one that is not known it
// shows nothing.
func (s *Service) QueryEventTraces(c *wire.Call, in *EventTracesRequest) (*Reply[[]TraceStep], error) {
	key, err := s.on(c, in.EventBusName)
	out := []TraceStep{}
	if known := s.traced[key]; err == nil && known != nil && known.byID[in.EventId] != nil {
		out = append(out, known.byID[in.EventId].steps...)
	}
	return reply(out, err)
}
