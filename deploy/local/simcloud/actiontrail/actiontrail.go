// Package actiontrail is simcloud's ActionTrail, API version 2020-07-06: it makes
// a record of every write that reached its product, keeps it for LookupEvents, and
// publishes it to the account's bus after a while if a trail of the account logs.
//
// A record is shaped as the vendor's samples are: flat requestParameters with
// the wire's dotted names and JSON types, among the gateway's noise. User data
// and passwords stay in it, since nothing published says that they are masked:
// a client of the records must not rely on it.
package actiontrail

import (
	"cmp"
	"encoding/json"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Options of the trail.
type Options struct {
	World *simcloud.World
	// Latency is the virtual time between a call and its event on the bus; 0
	// stands for 3 s, negative for none. No figure for this path is published.
	Latency time.Duration
	// Lookup is the virtual time until LookupEvents shows a record; 0 stands
	// for the vendor's 10 minutes, negative for none.
	Lookup time.Duration
}

// Trail is the product.
type Trail struct {
	world   *simcloud.World
	latency time.Duration
	lookup  time.Duration

	mu      sync.Mutex
	records map[place][]kept    // oldest first
	trails  map[string][]*trail // by account
}

type place struct{ account, region string }

type kept struct {
	number uint64 // counts the records of an account and region from 1
	at     time.Time
	body   json.RawMessage
	head   head
}

// keepRecords bounds the records kept per account and region; the oldest go
// first. The service keeps all of 90 days.
const keepRecords = 20_000

// keepFor is how long LookupEvents shows a record: the vendor's limits page.
const keepFor = 90 * 24 * time.Hour

// New returns ActionTrail without records, with a trail that logs in every account.
func New(o Options) *Trail {
	o.Latency = cmp.Or(o.Latency, 3*time.Second)
	o.Lookup = cmp.Or(o.Lookup, 10*time.Minute)
	t := &Trail{
		world: o.World, latency: max(o.Latency, 0), lookup: max(o.Lookup, 0),
		records: map[place][]kept{}, trails: map[string][]*trail{},
	}
	t.stand()
	return t
}

// Wrote implements wire.Trail. RAM and STS are global: their records are kept
// and published in the world's first region.
func (t *Trail) Wrote(w wire.Write) {
	region := w.Call.Region
	if w.Global {
		region = t.world.Regions[0]
	}
	h := headOf(w, region)
	body, err := json.Marshal(record(w, h, region))
	if err != nil {
		return // maps of plain values always encode
	}
	p := place{w.Call.Caller.Account, region}
	t.keep(p, kept{at: w.Call.Now, body: body, head: h})
	if !t.deliver(p, w.Call.Now) {
		return // nothing reaches EventBridge from an account whose trails do not log
	}
	e := simcloud.Event{
		Account: p.account, Region: region,
		Source:  "acs." + w.Call.Product,
		Type:    w.Call.Product + ":ActionTrail:" + h.EventType,
		Subject: "acs." + w.Call.Product + ":" + region + ":" + p.account,
		Data:    body,
	}
	t.world.Clock.After(t.latency, func() { t.world.Publish(e) })
}

func (t *Trail) keep(p place, k kept) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.records[p]
	k.number = 1
	if n := len(list); n > 0 {
		k.number = list[n-1].number + 1
	}
	list = append(list, k)
	if len(list) > keepRecords+keepRecords/4 {
		list = append([]kept(nil), list[len(list)-keepRecords:]...)
	}
	t.records[p] = list
}
