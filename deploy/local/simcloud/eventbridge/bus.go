package eventbridge

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Limits of EventBridge; limits page.
const (
	maxEvent   = 256 << 10
	maxRules   = 50 // of a bus
	maxTargets = 5  // of a rule
	maxBusName = 127
)

// DefaultBus is the name of the bus that receives the events of services.
const DefaultBus = "default"

// Rule sends the events that match Pattern to all Targets.
type Rule struct {
	Name        string
	Description string
	Pattern     *Pattern
	Targets     []Target
	Disabled    bool

	created time.Time
}

// Target is where a rule pushes to.
type Target struct {
	ID string
	// Info is the target as the API shows it. Its Type says which service-linked role is
	// needed; empty for none.
	Info TargetInfo
	// Push delivers one CloudEvent. It must not wait in virtual time; an error
	// is retried by Strategy.
	Push     func(event []byte) error
	Strategy Strategy
	// DeadLetter takes the event when the retries are used up; nil drops it.
	DeadLetter func(event []byte) error
}

// QueuePush sends what it is given to a queue.
func QueuePush(s *mns.Service, q mns.Queue) func([]byte) error {
	return func(event []byte) error {
		_, err := s.Send(q, mns.Outgoing{Body: string(event)})
		return err
	}
}

// Options of a Service. World is required.
type Options struct {
	World  *simcloud.World
	Faults *simcloud.Faults // nil for none
	// Latency is the way from a service to the targets; zero means one second.
	Latency time.Duration
	// Queues are what targets of rules made through the API push to; nil for none.
	Queues *mns.Service
	// Roles are the service-linked ones; nil if none is needed.
	Roles Roles
	// Access is RAM, which is asked when events come from another account; nil lets none in.
	Access Access
}

// Access says what RAM says of a role.
type Access interface {
	Trusts(account, role, service string, keys map[string]string) bool
	RoleAllows(account, role, action, resource string) bool
}

// Service has one default bus for each account and region, and the custom ones that were
// made.
type Service struct {
	o      Options
	mu     sync.Mutex
	buses  map[busKey][]Rule
	custom map[busKey]customBus
	rnd    *rand.Rand
	lost   []Lost

	traced   map[busKey]*traces
	tracings uint64
}

type busKey struct{ account, region, bus string }

// Lost is an event that reached no target it should have.
type Lost struct {
	Rule, Target string // empty: the event was refused or lost on its way
	Event        simcloud.Event
	Reason       string
}

// New returns the service, subscribed to all that the world's products publish.
func New(o Options) *Service {
	o.Faults = cmp.Or(o.Faults, &simcloud.Faults{})
	o.Latency = cmp.Or(o.Latency, time.Second)
	s := &Service{o: o, buses: map[busKey][]Rule{}, custom: map[busKey]customBus{}, traced: map[busKey]*traces{}, rnd: rand.New(rand.NewPCG(1, 1))}
	o.World.Subscribe(s.receive)
	return s
}

// Put adds a rule to the default bus, or replaces the one of the same name.
func (s *Service) Put(account, region string, r Rule) error {
	return s.PutOn(account, region, DefaultBus, r)
}

// PutOn is Put for any bus. A custom one is made if it is not there.
func (s *Service) PutOn(account, region, bus string, r Rule) error {
	if r.Name == "" || r.Pattern == nil || len(r.Targets) == 0 || len(r.Targets) > maxTargets {
		return fmt.Errorf("putting rule %q: it needs a name, a pattern and 1 to %d targets", r.Name, maxTargets)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.created = s.o.World.Clock.Now()
	key := busKey{account, region, bus}
	if _, there := s.custom[key]; !there && bus != DefaultBus {
		s.custom[key] = customBus{created: r.created}
	}
	for i, old := range s.buses[key] {
		if old.Name == r.Name {
			s.buses[key][i] = r
			return nil
		}
	}
	if len(s.buses[key]) == maxRules {
		return fmt.Errorf("putting rule %q: the bus has %d rules already", r.Name, maxRules)
	}
	s.buses[key] = append(s.buses[key], r)
	return nil
}

// Remove takes a rule from the default bus, if it is there.
func (s *Service) Remove(account, region, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(busKey{account, region, DefaultBus}, name)
}

// remove takes a rule from a bus. The caller holds the mutex.
func (s *Service) remove(key busKey, name string) {
	s.buses[key] = slices.DeleteFunc(s.buses[key], func(r Rule) bool { return r.Name == name })
}

// Lost returns the events that were lost on purpose, refused, or given up
// without a dead-letter target.
func (s *Service) Lost() []Lost {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Lost(nil), s.lost...)
}

func (s *Service) lose(l Lost) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = append(s.lost, l)
}

// receive takes an event from a service and sends as many copies on their way
// as the faults say. Copies keep the id: source and id tell duplicates.
func (s *Service) receive(e simcloud.Event) {
	if e.ID == "" {
		s.o.World.Lock()
		e.ID = s.o.World.NewID("event-")
		s.o.World.Unlock()
	}
	body, err := Wrap(e, DefaultBus, e.Time.Add(s.o.Latency))
	if err == nil && len(body) > maxEvent {
		err = fmt.Errorf("the event has %d bytes, allowed are %d", len(body), maxEvent)
	}
	if err != nil {
		s.lose(Lost{Event: e, Reason: err.Error()})
		return
	}
	fate := s.o.Faults.Event()
	if fate.Copies == 0 {
		s.lose(Lost{Event: e, Reason: "lost on purpose"})
	}
	for i := range fate.Copies {
		s.o.World.Clock.After(s.o.Latency+fate.Delay[i], func() { s.dispatch(busKey{e.Account, e.Region, DefaultBus}, e, body) })
	}
}

// dispatch sends what has come onto a bus to the targets of its rules.
func (s *Service) dispatch(on busKey, e simcloud.Event, body []byte) {
	s.mu.Lock()
	rules := append([]Rule(nil), s.buses[on]...)
	s.mu.Unlock()
	object, ok := decodeObject(body)
	var seen *tracer
	if ok && s.missing(on, e, Target{}) == "" { // without the role of its source it never comes
		seen = s.trace(on, object)
	}
	for _, r := range rules {
		if r.Disabled || !ok || !r.Pattern.root.match(object) {
			continue
		}
		seen.matched(r.Name)
		for _, t := range r.Targets {
			if role := s.missing(on, e, t); role != "" {
				seen.pushed(r.Name, t, wire.Errorf(http.StatusForbidden, "Forbidden", "the account has no service-linked role %s", role))
				s.lose(Lost{r.Name, t.ID, e, "the account has no service-linked role " + role})
				continue
			}
			s.push(delivery{e, r.Name, t, body, seen}, 1)
		}
	}
}

type delivery struct {
	event  simcloud.Event
	rule   string
	target Target
	body   []byte
	seen   *tracer
}

// push makes the try-th attempt and plans the next one.
func (s *Service) push(d delivery, try int) {
	err := d.target.Push(d.body)
	d.seen.pushed(d.rule, d.target, err)
	if err == nil {
		return
	}
	s.mu.Lock()
	wait, more := d.target.Strategy.Wait(try, s.rnd)
	s.mu.Unlock()
	if more {
		s.o.World.Clock.After(wait, func() { s.push(d, try+1) })
		return
	}
	if d.target.DeadLetter != nil {
		err = d.target.DeadLetter(d.body)
	}
	if err != nil {
		s.lose(Lost{d.rule, d.target.ID, d.event, err.Error()})
	}
}
