package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/notify/delivery"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/report"
)

var (
	home  = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	start = time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC) // 10:00 in Shanghai
	zone  = time.FixedZone("Asia/Shanghai", 8*60*60)
)

// world has everything around a pass: the ledger, the inbox with its delays, the channels, and
// a clock that jumps to what is next.
type world struct {
	*testing.T
	mu       sync.Mutex
	time     time.Time
	objects  map[string][]byte
	waiting  []waiting
	buried   []fleet.Ref
	records  []fleet.Record
	posts    []post
	notify   policy.Notify
	reports  map[string]report.Summary
	answers  func(w *world, channel string, c notify.Card) error // of the channels; nil: all is well
	calls    int
	dies     int          // the call at which the pass dies; 0: none
	carried  bool         // out, before it dies or fails
	fails    int          // the call that fails, alone; 0: none
	inboxed  bool         // which was one to the inbox
	failed   int          // passes that returned an error
	digests  func() error // before a digest is made
	deadline time.Duration
	hang     time.Duration // of the channels, which then do not answer
	slow     time.Duration // each call takes that long
	request  string        // of the pass
	between  func(call int)
}

type waiting struct {
	at  time.Time
	ref fleet.Ref
}

type post struct {
	at      time.Time
	channel string
	card    notify.Card
}

func newWorld(t *testing.T, channels ...policy.Channel) *world {
	for i := range channels {
		if channels[i].Least == "" {
			channels[i].Least = fleet.High
		}
	}
	return &world{T: t, time: start, objects: map[string][]byte{}, reports: map[string]report.Summary{},
		notify: policy.Notify{Zone: zone, Channels: channels}}
}

func robot(name string) policy.Channel {
	return policy.Channel{Name: name, Type: policy.ChannelDingTalk}
}

var errDied = errors.New("the process was killed")

// step counts a call of the pass. At the one at which it dies, and at each later one, it
// returns an error; the call itself may have been carried out.
func (w *world) step(do func() error) error {
	if w.between != nil {
		w.between(w.calls)
	}
	time.Sleep(w.slow)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.dies > 0 && w.calls >= w.dies {
		if w.calls == w.dies && w.carried {
			_ = do()
		}
		return errDied
	}
	if w.fails > 0 && w.calls == w.fails {
		if w.carried {
			_ = do()
		}
		return fleet.WithClass(fleet.Unavailable, errors.New("it fails once"))
	}
	return do()
}

// store is the ledger.
type store struct{ *world }

func (s store) Put(_ context.Context, name string, body []byte) error {
	return s.step(func() error {
		if _, ok := s.objects[name]; ok {
			return fleet.WithClass(fleet.Exists, errors.New(name+" exists"))
		}
		s.objects[name] = body
		return nil
	})
}

func (s store) Get(_ context.Context, name string) (body []byte, err error) {
	err = s.step(func() error {
		var ok bool
		if body, ok = s.objects[name]; !ok {
			return fleet.WithClass(fleet.NotFound, errors.New(name+" does not exist"))
		}
		return nil
	})
	return body, err
}

func (s store) List(_ context.Context, prefix, after string) (names []string, more bool, err error) {
	err = s.step(func() error {
		for name := range s.objects {
			if strings.HasPrefix(name, prefix) && name > after {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		more = len(names) > 20
		names = names[:min(len(names), 20)]
		return nil
	})
	return names, more, err
}

// inbox is that of notify.
type inbox struct{ *world }

func (i inbox) Again(_ context.Context, refs []fleet.Ref, after time.Duration) error {
	i.inboxed = i.inboxed || i.calls+1 == i.fails
	return i.step(func() error {
		for _, r := range refs {
			i.waiting = append(i.waiting, waiting{i.time.Add(after), r})
		}
		return nil
	})
}

func (i inbox) Bury(_ context.Context, refs []fleet.Ref) error {
	i.inboxed = i.inboxed || i.calls+1 == i.fails
	return i.step(func() error {
		i.buried = append(i.buried, refs...)
		return nil
	})
}

// sink is a channel.
type sink struct {
	*world
	channel string
}

func (s sink) Send(ctx context.Context, c notify.Card) (string, error) {
	if s.hang > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(s.hang):
		}
		return "", fleet.WithClass(fleet.Lost, errors.New("no answer"))
	}
	err := s.step(func() error {
		if s.answers != nil {
			if err := s.answers(s.world, s.channel, c); err != nil {
				return err
			}
		}
		s.posts = append(s.posts, post{s.time, s.channel, c})
		return nil
	})
	return "ok", err
}

// refused is an error of a channel.
type refused struct {
	after       time.Duration
	unknown, no bool
}

func (r refused) Error() string             { return fmt.Sprintf("refused: %+v", r.no) }
func (r refused) RetryAfter() time.Duration { return r.after }
func (r refused) Unknown() bool             { return r.unknown }
func (r refused) Class() fleet.Class {
	if r.no {
		return fleet.Denied
	}
	return fleet.Unavailable
}

// meter is the cloud's time.
type meter struct{ *world }

func (m meter) Now() time.Time                 { return m.time }
func (meter) Left() int                        { return 1 }
func (meter) Excess(bool)                      {}
func (meter) Calls() map[string]map[string]int { return nil }

// pass has one pass take refs.
func (w *world) pass(refs ...fleet.Ref) error {
	d := &delivery.Delivery{Notify: w.notify, Store: store{w}, Inbox: inbox{w}, Home: home,
		Open: func(_ context.Context, c policy.Channel) (delivery.Sink, error) { return sink{w, c.Name}, nil },
		Report: func(_ context.Context, run string) (report.Summary, error) {
			s, ok := w.reports[run]
			if !ok {
				return s, fleet.WithClass(fleet.NotFound, errors.New("no report yet"))
			}
			return s, nil
		},
		Digest: func(_ context.Context, s report.Summary, c policy.Channel) (*notify.Digest, error) {
			if w.digests != nil {
				if err := w.digests(); err != nil {
					return nil, err
				}
			}
			return &notify.Digest{Run: s.Run}, nil
		},
		Options: reconcile.Options{Stamp: fleet.Record{Request: w.request}, Meter: meter{w}, Margin: 15 * time.Second, Record: func(r fleet.Record) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.records = append(w.records, r)
			return nil
		}}}
	ctx := w.Context()
	if w.deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.deadline)
		defer cancel()
	}
	_, err := d.Run(ctx, batches(refs))
	if w.dies > 0 && w.calls >= w.dies {
		return errDied // whatever it would have returned
	}
	if err != nil {
		w.failed++
	}
	return err
}

func batches(refs []fleet.Ref) iter.Seq2[fleet.Batch, error] {
	return func(yield func(fleet.Batch, error) bool) {
		for chunk := range slices.Chunk(refs, fleet.MaxBatch) {
			if !yield(fleet.Batch{Scope: home, Refs: chunk}, nil) {
				return
			}
		}
	}
}

// found stores what a pass found, and returns its ref, which the inbox delivers in a minute.
func (w *world) found(at time.Time, request string, groups ...notify.Group) fleet.Ref {
	w.Helper()
	var all notify.Groups
	for _, g := range groups {
		g.Count = max(g.Count, len(g.IDs))
		all.Add(g)
	}
	id := notify.FoundID(at.In(zone).Format(time.DateOnly), at, "validate-instance", request)
	put := w.dies
	w.dies = 0
	if err := ledger.PutJSON(w.Context(), store{w}, notify.FoundObject(id), all.Found(at)); err != nil {
		w.Fatal(err)
	}
	w.dies = put
	ref := fleet.Ref{Scope: home, Kind: fleet.KindFound, ID: id}
	w.waiting = append(w.waiting, waiting{at.Add(notify.Gather), ref})
	return ref
}

// play lets time pass until nothing waits: each window of up to 100 messages is a pass, which
// is repeated while it fails.
func (w *world) play() {
	w.Helper()
	for passes := 0; len(w.waiting) > 0; passes++ {
		if passes > 3000 {
			w.Fatalf("after %s there is still no end: %d wait", w.time.Sub(start), len(w.waiting))
		}
		slices.SortStableFunc(w.waiting, func(a, b waiting) int { return a.at.Compare(b.at) })
		if next := w.waiting[0].at; next.After(w.time) {
			w.time = next
		}
		var window []fleet.Ref
		for len(w.waiting) > 0 && len(window) < 100 && !w.waiting[0].at.After(w.time.Add(15*time.Second)) {
			window = append(window, w.waiting[0].ref)
			w.waiting = w.waiting[1:]
		}
		if last := w.time.Add(15 * time.Second); len(window) > 0 {
			w.time = last
		}
		for tries := 0; ; tries++ {
			err := w.pass(window...)
			if err == nil {
				break
			}
			if tries == 3 {
				w.Fatalf("a pass fails again and again: %v", err)
			}
			w.dies = 0
			w.time = w.time.Add(time.Minute)
		}
	}
}

// cards are the posts of a channel, by key and day.
func (w *world) cards(channel string) map[string][]post {
	out := map[string][]post{}
	for _, p := range w.posts {
		if p.channel == channel {
			out[p.card.Day+"/"+p.card.Key] = append(out[p.card.Day+"/"+p.card.Key], p)
		}
	}
	return out
}

// busiest is the largest number of posts of a channel within a minute.
func (w *world) busiest(channel string) (most int) {
	for _, p := range w.posts {
		n := 0
		for _, q := range w.posts {
			if d := q.at.Sub(p.at); p.channel == channel && q.channel == channel && d >= 0 && d < time.Minute {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// faults are the reasons of the findings of notify that found fault.
func (w *world) faults() (out []string) {
	for _, r := range w.records {
		if r.Finding != nil && r.Finding.Outcome == fleet.Fault {
			out = append(out, string(r.Finding.Severity)+": "+r.Finding.Reason)
		}
	}
	return out
}
