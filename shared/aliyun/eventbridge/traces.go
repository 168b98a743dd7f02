package eventbridge

import (
	"context"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Query says which events of a bus are meant: those received from From to To. The other
// fields narrow it where they are not empty.
type Query struct {
	Bus      string
	From, To time.Time
	Source   string // acs.ecs
	Type     string // ecs:ActionTrail:ApiCall
	Rule     string // that the event matched
}

// Event is an event that came onto a bus.
type Event struct {
	ID       string
	Source   string
	Type     string
	Received time.Time
}

type queryEvents struct {
	EventBusName *string `json:"EventBusName,omitempty" xml:"EventBusName,omitempty"`
	StartTime    *int64  `json:"StartTime,omitempty" xml:"StartTime,omitempty"` // ms
	EndTime      *int64  `json:"EndTime,omitempty" xml:"EndTime,omitempty"`
	EventSource  *string `json:"EventSource,omitempty" xml:"EventSource,omitempty"`
	EventType    *string `json:"EventType,omitempty" xml:"EventType,omitempty"`
	MatchedRule  *string `json:"MatchedRule,omitempty" xml:"MatchedRule,omitempty"`
	NextToken    *string `json:"NextToken,omitempty" xml:"NextToken,omitempty"`
	Limit        *int32  `json:"Limit,omitempty" xml:"Limit,omitempty"`
}

// Events lists the events of a bus by the time of their receipt, to their end. For how long
// EventBridge keeps them is not documented: that one is not listed proves nothing.
func (c *Client) Events(ctx context.Context, q Query) ([]Event, error) {
	type page struct {
		Events []struct {
			ID       string `json:"EventId"`
			Source   string `json:"EventSource"`
			Type     string `json:"EventType"`
			Received int64  `json:"EventReceivedTime"` // ms
		} `json:"Events"`
		NextToken string `json:"NextToken"`
	}
	return list(func(token *string) (out []Event, next string, err error) {
		got, err := ask[queryEvents, page](ctx, c, "QueryTracedEvents", &queryEvents{
			EventBusName: &q.Bus, StartTime: new(q.From.UnixMilli()), EndTime: new(q.To.UnixMilli()),
			EventSource: given(q.Source), EventType: given(q.Type), MatchedRule: given(q.Rule), NextToken: token, Limit: new(maxPage),
		})
		if err != nil {
			return nil, "", err
		}
		for _, e := range got.Events {
			out = append(out, Event{e.ID, e.Source, e.Type, time.UnixMilli(e.Received).UTC()})
		}
		return out, got.NextToken, nil
	})
}

// given leaves out what is empty.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// The actions of a [Step].
const (
	Put    = "PutEvent"    // the event came onto the bus
	Filter = "FilterEvent" // it matched a rule
	Push   = "PushEvent"   // it was sent to a target
)

// Step is one thing that became of an event.
type Step struct {
	Action   string // Put, Filter or Push
	At       time.Time
	Rule     string // of Filter and Push
	Endpoint string // of Push: the target
	Status   string // of Push: the target's answer, such as [200]Ok
	Latency  string // of Push, as EventBridge writes it: its unit is not documented
}

// Delivered reports whether the target took the event. Any other answer than [200] counts
// as a failure.
func (s Step) Delivered() bool { return s.Action == Push && strings.HasPrefix(s.Status, "[200]") }

type queryTraces struct {
	EventBusName *string `json:"EventBusName,omitempty" xml:"EventBusName,omitempty"`
	EventID      *string `json:"EventId,omitempty" xml:"EventId,omitempty"`
}

// Steps shows what became of an event, in order; nothing for an event that EventBridge does
// not know any more.
func (c *Client) Steps(ctx context.Context, bus, event string) ([]Step, error) {
	type trace struct {
		Action   string         `json:"Action"`
		At       int64          `json:"ActionTime"` // ms
		Rule     string         `json:"RuleName"`
		Endpoint string         `json:"Endpoint"`
		Status   string         `json:"NotifyStatus"`
		Latency  jsontext.Value `json:"NotifyLatency"` // text, by its page
	}
	got, err := ask[queryTraces, []trace](ctx, c, "QueryEventTraces", &queryTraces{&bus, &event})
	if err != nil {
		return nil, err
	}
	var out []Step
	for _, t := range *got {
		out = append(out, Step{t.Action, time.UnixMilli(t.At).UTC(), t.Rule, t.Endpoint, t.Status, strings.Trim(string(t.Latency), `"`)})
	}
	return out, nil
}
