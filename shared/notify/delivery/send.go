package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/notify"
)

// state is how far a card came with a channel.
type state struct {
	claims, failed int
	unknown        int // of the failed ones, by an answer that no documentation has
	sent, queued   bool
}

// opened is a channel's sink, or why it takes nothing more in this pass.
type opened struct {
	sink Sink
	err  error
}

// trace is the content of the objects below notify/sent/.
type trace struct {
	V  int       `json:"v"`
	At time.Time `json:"at"`
	// Says is what the channel said. Of what passes compete for it is the pass, since a store
	// that lost an answer takes an object with the same bytes for its own.
	Says string `json:"says,omitempty"`
}

// state returns how far a card came; the first question about a day lists it.
func (p *pass) state(ctx context.Context, day, channel, key string) (state, error) {
	if p.states[day] == nil {
		all := map[string]state{}
		for name, err := range ledger.Names(ctx, p.Store, notify.SentFolder+day+"/", "") {
			if err != nil {
				return state{}, fmt.Errorf("listing what was sent: %w", err)
			}
			channel, key, about, ok := notify.SentIn(day, name)
			if !ok {
				continue
			}
			card := channel + "/" + key
			st := all[card]
			switch n, what, _ := strings.Cut(about, "."); {
			case n == "sent":
				st.sent = true
			case n == "queued":
				st.queued = true
			case what == "claim":
				st.claims = max(st.claims, number(n))
			case what == failedMark:
				st.failed = max(st.failed, number(n))
			case what == unknownMark:
				st.failed, st.unknown = max(st.failed, number(n)), st.unknown+1
			}
			all[card] = st
		}
		p.states[day] = all
	}
	return p.states[day][channel+"/"+key], nil
}

// The names of what is noted of a try that failed.
const failedMark, unknownMark = "failed", "unknown"

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// put writes an object about a card and a channel. What is noted after the post may stand there
// already, as when the answer of a first try was lost.
func (p *pass) put(ctx context.Context, x due, name, says string, after bool) error {
	err := ledger.PutJSON(ctx, p.Store, notify.SentObject(x.card.Day, x.channel.Name, x.card.Key, name), trace{V: 1, At: p.now(), Says: says})
	if err != nil && (!after || fleet.ClassOf(err) != fleet.Exists) {
		return fmt.Errorf("noting how far card %s came with channel %s: %w", x.card.Key, x.channel.Name, err)
	}
	return nil
}

// deliver sends a card to a channel, unless the channel has it, or has to wait.
func (p *pass) deliver(ctx context.Context, x due) error {
	st, err := p.state(ctx, x.card.Day, x.channel.Name, x.card.Key)
	if err != nil || st.sent {
		return err
	}
	if x.card.Kind == notify.KindFinding {
		for _, above := range x.card.CardKeys()[1:] { // which came while this one waited
			if st, err := p.state(ctx, x.card.Day, x.channel.Name, above); err != nil || st.sent {
				return err
			}
		}
	}
	if end, quiet := x.channel.Quiet.Until(p.now(), p.Notify.Zone); quiet && x.card.Severity != fleet.Critical {
		p.requeue(x, end.Sub(p.now()))
		return nil
	}
	if st.claims > st.failed {
		after, err := p.claimed(ctx, x, st.claims)
		if err != nil {
			return err
		}
		if after > 0 {
			p.requeue(x, after)
			return nil
		}
	}
	bounded, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	sink := p.open(bounded, x)
	if sink.err != nil {
		return p.failed(x, 0, sink.err, lasting(sink.err))
	}
	return p.post(ctx, x, st, func() (string, error) { return sink.sink.Send(bounded, x.card) })
}

// post takes one of the minute's posts and the right to the next try, and sends.
func (p *pass) post(ctx context.Context, x due, st state, send func() (says string, err error)) error {
	free, err := p.slot(ctx, x.channel.Name)
	if err != nil {
		return err
	}
	if !free {
		p.requeue(x, p.now().Truncate(time.Minute).Add(time.Minute).Sub(p.now()))
		return nil
	}
	try := st.claims + 1
	switch err := p.put(ctx, x, fmt.Sprintf("%d.claim", try), p.Options.Stamp.Request, false); {
	case fleet.ClassOf(err) == fleet.Exists: // another pass is at it
		p.requeue(x, alive)
		return nil
	case err != nil:
		return err
	}
	says, err := send()
	if err != nil {
		if fleet.ClassOf(err) != fleet.Invalid { // which is about this card alone
			p.sinks[x.channel.Name] = opened{err: err}
		}
		mark, last := failedMark, lasting(err)
		if unknown(err) {
			mark, last = unknownMark, st.unknown+1 >= unknownTries
		}
		if perr := p.put(ctx, x, fmt.Sprintf("%d.%s", try, mark), err.Error(), true); perr != nil {
			err = fmt.Errorf("%w; %w", err, perr)
		}
		return p.failed(x, try, err, last)
	}
	p.states[x.card.Day][x.channel.Name+"/"+x.card.Key] = state{claims: try, sent: true}
	reason := fmt.Sprintf("card %s of %s was sent: %s", x.card.Key, x.card.Day, says)
	if err := p.put(ctx, x, "sent", says, true); err != nil {
		reason += "; it may be sent again: " + err.Error()
	}
	return p.recorder.Finding(fleet.Verdict{
		Ref: fleet.Ref{Scope: p.Home, Kind: fleet.KindDeployment, ID: x.channel.Name}, Rule: "notify", Outcome: fleet.Passes, Reason: reason})
}

// claimed returns how long another pass may still be at a card.
func (p *pass) claimed(ctx context.Context, x due, try int) (time.Duration, error) {
	text, err := p.Store.Get(ctx, notify.SentObject(x.card.Day, x.channel.Name, x.card.Key, strconv.Itoa(try)+".claim"))
	if err != nil {
		return 0, fmt.Errorf("reading when card %s was sent: %w", x.card.Key, err)
	}
	var t trace
	if err := json.Unmarshal(text, &t); err != nil {
		return 0, nil // it says nothing of a pass that is alive
	}
	return alive - p.now().Sub(t.At), nil
}

// open returns the sink of a channel, once a pass.
func (p *pass) open(ctx context.Context, x due) opened {
	o, ok := p.sinks[x.channel.Name]
	if !ok {
		o.sink, o.err = p.Open(ctx, x.channel)
		p.sinks[x.channel.Name] = o
	}
	return o
}

// slot takes one of the posts that a channel may get in this minute.
func (p *pass) slot(ctx context.Context, channel string) (free bool, err error) {
	minute := notify.RateFolder + channel + "/" + p.now().UTC().Format("20060102T1504")
	for p.slots[minute] < perMinute {
		p.slots[minute]++
		err := ledger.PutJSON(ctx, p.Store, fmt.Sprintf("%s.%02d.json", minute, p.slots[minute]), trace{V: 1, At: p.now(), Says: p.Options.Stamp.Request})
		switch {
		case err == nil:
			return true, nil
		case fleet.ClassOf(err) != fleet.Exists:
			return false, fmt.Errorf("counting the cards of channel %s: %w", channel, err)
		}
	}
	return false, nil
}

// failed decides what becomes of a card that a channel did not take at that try; 0 is a card
// that was not sent since the channel took nothing before. last says that it never will. A
// channel that may take it later is recorded once a pass.
func (p *pass) failed(x due, try int, cause error, last bool) error {
	if !last && p.now().Sub(p.firstSeen(x.try)) <= patience {
		after := max(fleet.RetryAfter(cause), backoff(try))
		p.requeue(x, after)
		if p.down[x.channel.Name] {
			return nil
		}
		p.down[x.channel.Name] = true
		return p.recorder.Finding(fleet.Verdict{Ref: fleet.Ref{Scope: p.Home, Kind: fleet.KindDeployment, ID: x.channel.Name}, Rule: "notify",
			Outcome: fleet.Pending, Again: after, Reason: fmt.Sprintf("card %s of %s was not sent: %s", x.card.Key, x.card.Day, cause)})
	}
	l := p.lost[x.channel.Name]
	if l == nil {
		l = &lost{why: cause}
		p.lost[x.channel.Name] = l
	}
	l.cards = append(l.cards, x)
	return nil
}

// lasting reports whether a channel that failed so will never take the card.
func lasting(err error) bool {
	return errors.As(err, new(*fleet.BadInput)) ||
		slices.Contains([]fleet.Class{fleet.Denied, fleet.NotFound, fleet.Invalid, fleet.Absent}, fleet.ClassOf(err))
}

// unknown reports whether a channel gave an answer that no documentation has.
func unknown(err error) bool {
	var u interface{ Unknown() bool }
	return errors.As(err, &u) && u.Unknown()
}

func (x due) ref(home fleet.Scope) fleet.Ref {
	return fleet.Ref{Scope: home, Kind: fleet.KindCard, ID: notify.CardID(x.card.Day, x.channel.Name, x.card.Key), Try: x.try}
}
