// Package canary follows an event from the call that causes it to the records of the functions,
// and a message from an inbox to its record. It shows each leg with its source and its delay,
// and which leg is missing: what the parts of a deployment say of themselves cannot show that.
//
// The call is a launch that cannot launch anything: a dry run of an image that does not exist.
// ActionTrail records it as refused, the rule of launches takes it, and the functions name its
// token in a record and check nothing. Only an operator sends it: the events of our own
// sessions are dropped. The message is about an instance that does not exist.
//
// That ActionTrail publishes a refused dry run to EventBridge is an assumption, which a canary
// on the real cloud settles. The package knows no cloud: [Cloud] is what it asks.
package canary

import (
	"context"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// Cloud is what a canary asks of the cloud. An error of a reading is shown with its leg, and the
// others are followed.
type Cloud interface {
	// Launch asks for a launch that is refused, with a client token. The error is that it was not
	// refused as a launch is, so that no record of it can be expected.
	Launch(ctx context.Context, region fleet.Region, token string) error
	// Enqueue sends a ref to the inbox of a function.
	Enqueue(ctx context.Context, function string, region fleet.Region, ref fleet.Ref) error
	// Trails returns the names of the trails that log the write calls of a region: without one,
	// ActionTrail delivers nothing to EventBridge.
	Trails(ctx context.Context, region fleet.Region) ([]string, error)
	// Recorded reports whether ActionTrail's history, which needs no trail, shows the call with a
	// token, made about a time.
	Recorded(ctx context.Context, region fleet.Region, token string, at time.Time) (bool, error)
	// Pushed returns when EventBridge sent an event to its last target, and what that answered;
	// zero: not yet, or EventBridge does not keep it.
	Pushed(ctx context.Context, region fleet.Region, event string) (at time.Time, answer string, err error)
	// Logged returns when a function wrote a record that has a text; zero: not yet. event is the id
	// of the event that the record is about, if it is about one.
	Logged(ctx context.Context, function string, region fleet.Region, text string, since time.Time) (at time.Time, event string, err error)
	// Now is the cloud's time.
	Now() time.Time
	// Wait waits, unless ctx ends.
	Wait(ctx context.Context, d time.Duration) error
}

// State is what is known of a leg.
type State string

// The states of a leg.
const (
	// Seen: it was there.
	Seen State = "seen"
	// Missing: it was not there when the waiting ended.
	Missing State = "missing"
	// Unread: it could not be read whether it was there.
	Unread State = "unread"
	// Skipped: what comes before it did not happen.
	Skipped State = "skipped"
)

// The sources of legs.
const (
	SourceECS   = "ECS"
	SourceTrail = "trail"
	// SourceHistory is ActionTrail's own list of the last 90 days.
	SourceHistory = "ActionTrail"
	SourceBus     = "EventBridge"
	SourceQueue   = "inbox"
	SourceLog     = "log store"
)

// Leg is one stretch of the way.
type Leg struct {
	Region fleet.Region `json:"region"`
	// Function is whose record or inbox it is; empty for the call, and for its record in
	// ActionTrail.
	Function string `json:"function,omitempty"`
	// Source is where it was seen, or would have been.
	Source string    `json:"source"`
	State  State     `json:"state"`
	At     time.Time `json:"at,omitzero"`
	// DelayMS is the time since the call, or since the message was sent, in milliseconds. That of
	// ActionTrail is when it was found there.
	DelayMS int64 `json:"delayMs,omitempty"`
	// Longest says that no other leg that was seen took as long after the one before.
	Longest bool `json:"longest,omitempty"`
	// Answer is what the target answered EventBridge, or the names of the trails.
	Answer string `json:"answer,omitempty"`
	// Why says why it is not seen, and what to check.
	Why string `json:"why,omitempty"`

	message bool   // it follows a message, not the call
	after   int    // the leg before it
	event   string // of a record
}

// Optional reports whether the leg adds times and proves nothing. For how long EventBridge keeps
// what became of an event is not documented, and ActionTrail shows a record long after it
// published the event: where the functions have the event, ActionTrail has recorded the call.
func (f *Flight) Optional(l Leg) bool {
	return l.Source == SourceBus || l.Source == SourceHistory && f.event(l.Region) != ""
}

// event is the id of the event that a function of a region has a record of; empty for none.
func (f *Flight) event(region fleet.Region) string {
	for _, l := range f.Legs {
		if l.Region == region && l.event != "" {
			return l.event
		}
	}
	return ""
}

// Flight is a canary and what became of it.
type Flight struct {
	Type  string `json:"type"` // canary
	Token string `json:"token"`
	// ID is that of the instance that does not exist.
	ID   string `json:"id"`
	Legs []Leg  `json:"legs"`
	// Success says that all legs were seen that are not optional.
	Success bool `json:"success"`
}

const (
	// Patience is how long the legs are waited for. ActionTrail publishes events, and shows its
	// records, within 10 minutes.
	Patience = 11 * time.Minute
	// pace is how long to wait between two rounds, at least; ActionTrail answers two queries a
	// second.
	pace = 5 * time.Second
)

// Plan lists the legs of a flight over some regions. Functions that exist once are at home.
func Plan(home fleet.Region, regions []fleet.Region) (legs []Leg) {
	for _, region := range regions {
		call := len(legs)
		legs = append(legs, Leg{Region: region, Source: SourceECS, after: -1}, Leg{Region: region, Source: SourceHistory, after: call},
			Leg{Region: region, Source: SourceTrail, after: call})
		trail := call + 2
		for _, f := range fleet.Functions() {
			if !f.Home && slices.Contains(f.Events, fleet.EventLaunch) {
				legs = append(legs, Leg{Region: region, Function: f.Name, Source: SourceLog, after: trail})
			}
		}
		legs = append(legs, Leg{Region: region, Source: SourceBus, after: trail})
	}
	for _, region := range regions {
		for _, f := range fleet.Functions() {
			if f.HasInbox() && (!f.Home || region == home) {
				sent := len(legs)
				legs = append(legs, Leg{Region: region, Function: f.Name, Source: SourceQueue, message: true, after: -1},
					Leg{Region: region, Function: f.Name, Source: SourceLog, message: true, after: sent})
			}
		}
	}
	return legs
}

// Fly sends a canary along legs of [Plan], and follows it until all was seen, or for the
// patience. ended is called with each leg that is not waited for any more. The name distinguishes
// flights: letters and digits.
func Fly(ctx context.Context, cloud Cloud, account fleet.AccountID, legs []Leg, name string, patience time.Duration, ended func()) (Flight, error) {
	f := Flight{Type: "canary", Token: fleet.CanaryPrefix + name, ID: "i-fleetwardencanary" + name, Legs: slices.Clone(legs)}
	c := &flying{Cloud: cloud, Flight: &f, account: account, began: cloud.Now()}
	for i := range f.Legs {
		if f.Legs[i].after < 0 {
			c.send(ctx, &f.Legs[i])
		}
	}
	for waited := time.Duration(0); ; {
		awaited := 0
		for i := range f.Legs {
			l := &f.Legs[i]
			if l.State != "" {
				continue
			}
			switch open := c.look(ctx, l); {
			case !open:
				ended()
			case !f.Optional(*l):
				awaited++
			}
		}
		if awaited == 0 || max(waited, cloud.Now().Sub(c.began)) >= patience {
			f.conclude(patience)
			return f, nil
		}
		pause := max(pace, time.Duration(awaited)*time.Second)
		if err := cloud.Wait(ctx, pause); err != nil {
			return f, err
		}
		waited += pause
	}
}

// flying is a flight under way.
type flying struct {
	Cloud
	*Flight
	account fleet.AccountID
	began   time.Time
}

// send begins a way.
func (c *flying) send(ctx context.Context, l *Leg) {
	var err error
	if l.message {
		err = c.Enqueue(ctx, l.Function, l.Region, fleet.Ref{Scope: fleet.Scope{Account: c.account, Region: l.Region}, Kind: fleet.KindInstance, ID: c.ID})
	} else {
		err = c.Launch(ctx, l.Region, c.Token)
	}
	l.State, l.At = Seen, c.Now()
	if err != nil {
		l.State, l.Why = Missing, err.Error()
	}
}

// look reads a leg that was not seen yet, and reports whether it may still come.
func (c *flying) look(ctx context.Context, l *Leg) (open bool) {
	var at time.Time
	var err error
	text := c.Token
	if l.message {
		text = c.ID
	}
	switch first := c.Legs[c.first(l)]; {
	case first.State != Seen:
		l.State, l.Why = Skipped, "nothing was sent"
		return false
	case c.Legs[l.after].State == Missing:
		l.State, l.Why = Skipped, "no trail logs"
		return false
	case l.Source == SourceTrail:
		var logging []string
		if logging, err = c.Trails(ctx, l.Region); err == nil && len(logging) == 0 {
			l.State, l.Why = Missing, "no trail logs the write calls of the region, so that ActionTrail delivers nothing to EventBridge: fleetwarden doctor --category services"
			return false
		}
		at, l.Answer = first.At, strings.Join(logging, ", ")
	case l.Source == SourceHistory:
		var shown bool
		if shown, err = c.Recorded(ctx, l.Region, text, first.At); shown {
			at = c.Now()
		}
	case l.Source == SourceBus:
		if event := c.event(l.Region); event != "" {
			at, l.Answer, err = c.Pushed(ctx, l.Region, event)
		}
	default:
		at, l.event, err = c.Logged(ctx, l.Function, l.Region, text, c.began)
	}
	if l.Why = ""; err != nil {
		if l.Why = err.Error(); !fleet.ClassOf(err).Passing() {
			l.State = Unread
		}
		return l.State == ""
	}
	if at.IsZero() {
		return true
	}
	l.State, l.At = Seen, at
	return false
}

// first is the leg from which a way begins.
func (f *Flight) first(l *Leg) int {
	at := l.after
	for f.Legs[at].after >= 0 {
		at = f.Legs[at].after
	}
	return at
}
