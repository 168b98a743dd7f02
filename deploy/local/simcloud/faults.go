package simcloud

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// FaultKind is one way in which an API call goes wrong on purpose.
type FaultKind string

// The kinds of Fault.
const (
	NoFault FaultKind = ""
	// Throttle: refused by flow control, nothing done. The answer does not say for
	// how long, as that to a used-up quota does.
	Throttle FaultKind = "throttle"
	// Deny: refused as what RAM does not allow, nothing done.
	Deny FaultKind = "deny"
	// Unavailable: HTTP 503, nothing done.
	Unavailable FaultKind = "unavailable"
	// NotSupported: ECS's RegionId.ApiNotSupported, which Cloud Assistant's APIs answer in
	// a region without it; nothing done. It fits calls of RPC products only.
	NotSupported FaultKind = "not-supported"
	// InternalError: HTTP 500, nothing done.
	InternalError FaultKind = "internal"
	// TimeoutBefore: the connection is dropped, nothing done.
	TimeoutBefore FaultKind = "timeout-before"
	// TimeoutAfter: it is done, then the connection is dropped.
	TimeoutAfter FaultKind = "timeout-after"
	// HangBefore and HangAfter are the same two, but the connection stays open without
	// an answer until the client gives up.
	HangBefore FaultKind = "hang-before"
	HangAfter  FaultKind = "hang-after"
	// Empty: it is done, the answer is HTTP 200 without a body.
	Empty FaultKind = "empty"
	// RepeatPage: a call that continues a listing is answered with the page
	// that the caller had before. It fits such calls of RPC products only.
	RepeatPage FaultKind = "repeat-page"
	// ExpiredPage: the NextToken that a call continues with is refused like one that
	// was never given out. It fits calls of RPC products with a NextToken only.
	ExpiredPage FaultKind = "expired-page"
	// ExpiredCredentials: the temporary credentials of the call end, for this and
	// all later calls. It fits calls of RPC products with such only.
	ExpiredCredentials FaultKind = "expired-credentials"
	// Incomplete: a search of logs answers a part with HTTP 200 and says so. It fits SLS's
	// GetLogs only.
	Incomplete FaultKind = "incomplete"
	// HTML: the answer is HTTP 200 with the page of a proxy in between, nothing done. It
	// fits posts to robots only.
	HTML FaultKind = "html"
)

// Before reports whether the call is not carried out and not answered.
func (k FaultKind) Before() bool { return k == TimeoutBefore || k == HangBefore }

// After reports whether the call is carried out and not answered.
func (k FaultKind) After() bool { return k == TimeoutAfter || k == HangAfter }

// Wait returns when the client of a call that hangs has given up; at once if the call
// does not hang. The request's body must have been read: net/http notices the end of a
// connection behind the body only.
func (k FaultKind) Wait(r *http.Request) {
	if k == HangBefore || k == HangAfter {
		<-r.Context().Done()
	}
}

// Fault makes calls go wrong. Product, Action, Account, Region and Role narrow
// it; an empty one fits all.
type Fault struct {
	// Product is the type of the robot for a post to one, such as dingtalk, and Action the
	// robot's name.
	Product string `json:"product,omitempty"`
	Action  string `json:"action,omitempty"`
	// Account is the caller's, whatever account a call is about.
	Account string `json:"account,omitempty"`
	// Region is the call's; the first region for calls that name none.
	Region string `json:"region,omitempty"`
	// Role is the name of the caller's role, or of the user.
	Role string    `json:"role,omitempty"`
	Kind FaultKind `json:"kind"`
	// Skip lets that many fitting calls pass first.
	Skip int `json:"skip,omitempty"`
	// Count is how many calls go wrong; 0 means all that follow.
	Count int `json:"count,omitempty"`
	// Probability, when above 0, is the chance of each fitting call to go
	// wrong; 0 means always.
	Probability float64 `json:"probability,omitempty"`
}

// FaultCall is what a Fault goes by. The last three are for RPC products.
type FaultCall struct {
	Product, Action, Account, Region, Role string
	// Continues: the call continues a listing. Token: by a NextToken.
	Continues, Token bool
	// Temporary: it is signed with temporary credentials.
	Temporary bool
	// Search: a search of logs is at the point where it may stay incomplete.
	Search bool
}

// EventFaults are the chances, each 0 to 1, of an event on its way to the bus.
type EventFaults struct {
	Duplicate float64 `json:"duplicate,omitempty"`
	Lose      float64 `json:"lose,omitempty"`
	// Delay is the chance that an event arrives up to MaxDelay late, and so
	// after others: that is how they are reordered.
	Delay float64 `json:"delay,omitempty"`
	// MaxDelay is virtual time, in nanoseconds where it is JSON.
	MaxDelay time.Duration `json:"maxDelay,omitempty"`
}

// EventFate is what happens to one event.
type EventFate struct {
	// Copies is 1, 0 for a lost and 2 for a duplicated event.
	Copies int
	// Delay is how late each copy comes; it has Copies elements.
	Delay []time.Duration
}

// Faults is the plan of what goes wrong. The zero plan lets everything pass.
type Faults struct {
	mu     sync.Mutex
	rnd    *rand.Rand
	faults []Fault
	events EventFaults
}

// Set replaces the plan. The same seed and the same order of calls give the
// same faults.
func (f *Faults) Set(seed uint64, faults []Fault, events EventFaults) error {
	for _, x := range faults {
		if err := x.check(); err != nil {
			return err
		}
	}
	for _, p := range []float64{events.Duplicate, events.Lose, events.Delay} {
		if p < 0 || p > 1 {
			return fmt.Errorf("faults of events: %v is no probability", p)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rnd = rand.New(rand.NewPCG(seed, seed))
	f.faults = append([]Fault(nil), faults...)
	f.events = events
	return nil
}

func (x Fault) check() error {
	switch x.Kind {
	case Throttle, Deny, Unavailable, NotSupported, InternalError, TimeoutBefore, TimeoutAfter, HangBefore, HangAfter, Empty, RepeatPage, ExpiredPage, ExpiredCredentials, Incomplete, HTML:
	default:
		return fmt.Errorf("unknown kind of fault %q", x.Kind)
	}
	if x.Skip < 0 || x.Count < 0 || x.Probability < 0 || x.Probability > 1 {
		return fmt.Errorf("fault %q: skip and count must not be negative, probability must be 0 to 1", x.Kind)
	}
	return nil
}

// Next says what goes wrong with one call, and counts it.
func (f *Faults) Next(c FaultCall) FaultKind {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.faults {
		x := &f.faults[i]
		if !x.fits(c) {
			continue
		}
		if x.Skip > 0 {
			x.Skip--
			continue
		}
		if x.Probability > 0 && f.rnd.Float64() >= x.Probability {
			continue
		}
		kind := x.Kind
		if x.Count > 0 {
			if x.Count--; x.Count == 0 {
				f.faults = append(f.faults[:i], f.faults[i+1:]...)
			}
		}
		return kind
	}
	return NoFault
}

func (x *Fault) fits(c FaultCall) bool {
	if c.Search != (x.Kind == Incomplete) {
		return false // a search is asked about twice
	}
	switch x.Kind {
	case RepeatPage:
		if !c.Continues {
			return false
		}
	case ExpiredPage:
		if !c.Token {
			return false
		}
	case ExpiredCredentials:
		if !c.Temporary {
			return false
		}
	}
	return x.names(c)
}

func (x *Fault) names(c FaultCall) bool {
	same := func(want, got string) bool { return want == "" || want == got }
	return same(x.Product, c.Product) && same(x.Action, c.Action) && same(x.Account, c.Account) &&
		same(x.Region, c.Region) && same(x.Role, c.Role)
}

// RepeatsPage reports whether a page of such a listing may be asked for again,
// so that it has to be kept.
func (f *Faults) RepeatsPage(c FaultCall) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.faults {
		if x := &f.faults[i]; x.Kind == RepeatPage && x.names(c) {
			return true
		}
	}
	return false
}

// Event says what happens to the next event.
func (f *Faults) Event() EventFate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.chance(f.events.Lose) {
		return EventFate{}
	}
	fate := EventFate{Copies: 1}
	if f.chance(f.events.Duplicate) {
		fate.Copies = 2
	}
	for range fate.Copies {
		var late time.Duration
		if f.events.MaxDelay > 0 && f.chance(f.events.Delay) {
			late = time.Duration(f.rnd.Int64N(int64(f.events.MaxDelay)) + 1)
		}
		fate.Delay = append(fate.Delay, late)
	}
	return fate
}

func (f *Faults) chance(p float64) bool { return p > 0 && f.rnd.Float64() < p }
