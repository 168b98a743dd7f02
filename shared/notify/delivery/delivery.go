package delivery

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/report"
)

// Inbox is that of the function.
type Inbox interface {
	// Again re-queues refs for that long.
	Again(ctx context.Context, refs []fleet.Ref, after time.Duration) error
	// Bury makes dead letters of refs.
	Bury(ctx context.Context, refs []fleet.Ref) error
}

// Sink sends cards to one channel.
type Sink interface {
	// Send posts a card once and returns what the channel answered. The class of its error
	// says whether the channel may take the card later; [fleet.RetryAfter] returns when.
	Send(ctx context.Context, c notify.Card) (says string, err error)
}

// Delivery is one pass of the function notify.
type Delivery struct {
	Notify policy.Notify
	Store  ledger.Store
	Inbox  Inbox
	// Home is where the function runs: all its messages are about it.
	Home fleet.Scope
	// Open returns the sink of a channel, for which it may have to read a secret.
	Open func(ctx context.Context, c policy.Channel) (Sink, error)
	// Report reads the report of a sweep; the error of one that is not written yet has class
	// [fleet.NotFound].
	Report func(ctx context.Context, run string) (report.Summary, error)
	// Digest sums up a report for a channel.
	Digest func(ctx context.Context, s report.Summary, c policy.Channel) (*notify.Digest, error)
	// Options are those of the pass; of them the records, the stamp, the meter and the
	// margin are used.
	Options reconcile.Options
}

const (
	// perMinute is how many cards a channel gets within a minute of the clock, which a pass
	// may post within a second: Feishu allows 5 a second, Slack one with short bursts. Within
	// any minute it then gets 10 at most; DingTalk and WeCom allow 20.
	perMinute = 5
	// alive is how long a pass may be at a card; the function ends before.
	alive = 5 * time.Minute
	// patience is how long a card is tried.
	patience = 24 * time.Hour
	// unknownTries is how often a card is sent that gets an answer that no documentation has.
	unknownTries = 2
	// postTime is how long one card may take at its channel, with the secret and a second try.
	postTime = 15 * time.Second
	// maxDue is about how many cards a pass takes. Each costs some calls of the ledger, also
	// those that have to wait: the function has 120 s.
	maxDue = 500
	// reportTries is how often a report is waited for, a minute each.
	reportTries = 30
)

// Run delivers what the refs of the batches name. What could not be handled returns to the
// inbox by itself: the platform would repeat all of a window, and what its other refs had done.
// So the error means that something could not be returned. All that failed is in the records.
func (d *Delivery) Run(ctx context.Context, batches iter.Seq2[fleet.Batch, error]) (fleet.Pass, error) {
	p := &pass{Delivery: d, recorder: reconcile.NewRecorder(d.Options), states: map[string]map[string]state{}, sinks: map[string]opened{},
		slots: map[string]int{}, later: map[time.Duration][]fleet.Ref{}, lost: map[string]*lost{}, down: map[string]bool{}}
	err := p.all(ctx, batches)
	return p.recorder.Sum(), err
}

type pass struct {
	*Delivery
	recorder *reconcile.Recorder
	states   map[string]map[string]state // of a day, by channel and key
	sinks    map[string]opened           // by channel
	slots    map[string]int              // taken, by channel and minute
	later    map[time.Duration][]fleet.Ref
	queued   []due // which a message carries on
	lost     map[string]*lost
	down     map[string]bool // channels of which it is recorded
	unread   bool            // which is recorded
	given    []fleet.Ref     // up
	why      error           // the first of these is
	due      []due
}

// lost are the cards of a channel that become dead letters, and why the first of them does.
type lost struct {
	cards []due
	why   error
}

// due is a card that a channel is to get.
type due struct {
	channel policy.Channel
	card    notify.Card
	try     fleet.Try
}

func (p *pass) all(ctx context.Context, batches iter.Seq2[fleet.Batch, error]) error {
	var errs []error
	var found, others []fleet.Ref
	for b, err := range batches {
		if err != nil {
			errs = append(errs, p.recorder.Element(err))
			continue
		}
		p.recorder.Judged(b.Refs)
		for _, r := range b.Refs {
			if r.Kind == fleet.KindFound {
				found = append(found, r)
			} else {
				others = append(others, r)
			}
		}
	}
	// New findings come first: no number of cards that wait keeps them back.
	errs = append(errs, p.gather(ctx, found))
	for _, r := range others {
		var err error
		switch {
		case p.full(ctx):
			p.wait(r, time.Second)
		case r.Kind == fleet.KindReport:
			err = p.report(ctx, r)
		case r.Kind == fleet.KindCard:
			err = p.again(ctx, r)
		}
		if err != nil {
			errs = append(errs, p.retry(r, err))
		}
	}
	slices.SortStableFunc(p.due, func(a, b due) int { return b.card.Severity.Rank() - a.card.Severity.Rank() })
	for i, x := range p.due {
		if p.late(ctx) {
			for _, x := range p.due[i:] {
				p.requeue(x, time.Second)
			}
			break
		}
		if err := p.deliver(ctx, x); err != nil {
			p.queued = append(p.queued, x)
			errs = append(errs, p.retry(x.ref(p.Home), err))
		}
	}
	return errors.Join(append(errs, p.flush(ctx))...)
}

// late reports whether there is no time for another card.
func (p *pass) late(ctx context.Context) bool { return within(ctx, p.Options.Margin+postTime) }

// within reports whether the pass ends within that long.
func within(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) <= d
}

// full reports whether the pass takes no more cards.
func (p *pass) full(ctx context.Context) bool { return len(p.due) >= maxDue || p.late(ctx) }

// report adds the digests of a sweep.
func (p *pass) report(ctx context.Context, r fleet.Ref) error {
	s, err := p.Report(ctx, r.ID)
	switch {
	case fleet.ClassOf(err) == fleet.NotFound && r.Try.N < reportTries:
		p.wait(r, time.Minute)
		return nil
	case bad(err):
		return p.fault(r.ID, fleet.Medium, "no digest of the sweep: "+err.Error(), "make sure that the sweep's role may write reports; the next sweep has a digest again")
	case err != nil:
		return fmt.Errorf("reading the report of sweep %s: %w", r.ID, err)
	}
	for _, c := range p.Notify.Channels {
		if !c.Digest {
			continue
		}
		digest, err := p.Digest(ctx, s, c)
		if err != nil {
			return fmt.Errorf("making the digest of sweep %s: %w", r.ID, err)
		}
		card := notify.Card{V: notify.CardVersion, Kind: notify.KindDigest, Key: digestKey(r.ID, c),
			Day: p.Notify.Day(s.At()), At: p.now(), Digest: digest}
		if card, err = p.keep(ctx, card); err != nil {
			return err
		}
		p.due = append(p.due, due{c, card, fleet.Try{}})
	}
	return nil
}

// again adds a card that a channel has not taken yet.
func (p *pass) again(ctx context.Context, r fleet.Ref) error {
	day, name, key, ok := notify.CardIn(r.ID)
	i := slices.IndexFunc(p.Notify.Channels, func(c policy.Channel) bool { return c.Name == name })
	if !ok || i < 0 {
		return p.fault(r.ID, fleet.Medium, "the policy has no such channel, so that the card is not sent", "")
	}
	c := p.Notify.Channels[i]
	card, err := p.load(ctx, day, key)
	switch {
	case bad(err):
		return p.fault(r.ID, fleet.Medium, "the card cannot be read: "+err.Error(), "make sure that nothing but the function notify writes below notify/cards/ in the ledger")
	case err != nil:
		return err
	case card.Key != key || card.Day != day || !takes(c, card):
		return p.fault(r.ID, fleet.Medium, "the channel is not for this card, so that it is not sent", "")
	}
	p.due = append(p.due, due{c, card, r.Try})
	return nil
}

// digestKey names the digest of a sweep that is made for a channel.
func digestKey(run string, c policy.Channel) string { return "digest." + run + "." + c.Name }

// keep stores a card, and returns the one that is stored: another pass may have been first.
func (p *pass) keep(ctx context.Context, c notify.Card) (notify.Card, error) {
	err := ledger.PutJSON(ctx, p.Store, notify.CardObject(c.Day, c.Key), c)
	if fleet.ClassOf(err) == fleet.Exists {
		return p.load(ctx, c.Day, c.Key)
	}
	if err != nil {
		return c, fmt.Errorf("storing card %s of %s: %w", c.Key, c.Day, err)
	}
	return c, nil
}

func (p *pass) load(ctx context.Context, day, key string) (notify.Card, error) {
	name := notify.CardObject(day, key)
	text, err := p.Store.Get(ctx, name)
	if err != nil {
		return notify.Card{}, fmt.Errorf("reading card %s of %s: %w", key, day, err)
	}
	return notify.DecodeCard(name, text)
}

func (p *pass) now() time.Time { return p.Options.Meter.Now() }
