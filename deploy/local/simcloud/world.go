package simcloud

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// World is the state that all products share. Products keep their own tables;
// one mutex guards all of them. Hold it while reading or changing tables, never
// across I/O.
type World struct {
	sync.Mutex
	Clock *Clock
	// Accounts and Regions are fixed when the world is made.
	Accounts []string
	Regions  []string

	unlisted map[string][]string // regions by product

	ids  map[string]uint64
	subs []func(Event)
}

// NewWorld returns a world without resources.
func NewWorld(clock *Clock, accounts, regions []string) *World {
	return &World{Clock: clock, Accounts: accounts, Regions: regions, ids: map[string]uint64{}}
}

// Unlist has a product's DescribeRegions leave regions out, which are still served; none
// for all of them again.
func (w *World) Unlist(product string, regions ...string) {
	w.Lock()
	defer w.Unlock()
	if w.unlisted == nil {
		w.unlisted = map[string][]string{}
	}
	w.unlisted[product] = regions
}

// Lists reports whether a product's DescribeRegions names a region. The caller holds the
// mutex.
func (w *World) Lists(product, region string) bool {
	return !slices.Contains(w.unlisted[product], region)
}

// NewID returns prefix and a number that is new for that prefix, in base 36 and
// zero-padded, such as i-local000000000000001. Behind the prefix it has 20 characters,
// as those of ECS have (i-bp1 and 17 more in cn-hangzhou), so that requests are as long
// as real ones. The caller holds the mutex.
func (w *World) NewID(prefix string) string {
	w.ids[prefix]++
	n := strconv.FormatUint(w.ids[prefix], 36)
	return fmt.Sprintf("%slocal%015s", prefix, n)
}

// After is the clock's with f called with the mutex held.
func (w *World) After(d time.Duration, f func()) { w.Clock.After(d, w.held(f)) }

// Background is the clock's with f called with the mutex held.
func (w *World) Background(d time.Duration, f func()) { w.Clock.Background(d, w.held(f)) }

func (w *World) held(f func()) func() {
	return func() {
		w.Lock()
		defer w.Unlock()
		f()
	}
}

// Event is what a service publishes to the account's default bus: a CloudEvent without
// its envelope. EventBridge puts the envelope around it.
type Event struct {
	Account string // whose bus receives it
	Owner   string // whose resource it is about; empty: Account
	Region  string
	ID      string // empty: the bus makes one
	Source  string // acs.ecs
	Type    string // ecs:Instance:StateChange
	Subject string
	Time    time.Time // zero: now
	Data    json.RawMessage
}

// Subscribe adds a receiver of published events. Call it before the world is
// used.
func (w *World) Subscribe(f func(Event)) { w.subs = append(w.subs, f) }

// Publish hands e to all subscribers, at once and in order. The caller must not
// hold the mutex.
func (w *World) Publish(e Event) {
	if e.Time.IsZero() {
		e.Time = w.Clock.Now()
	}
	for _, f := range w.subs {
		f(e)
	}
}
