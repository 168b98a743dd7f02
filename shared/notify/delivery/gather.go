package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

// maxRead is how many objects beside those of its messages a pass reads to count what else was
// found meanwhile.
const maxRead = 500

// gather adds the cards of what was found. What other passes found in the same minutes is
// counted too, though their messages may come later.
func (p *pass) gather(ctx context.Context, refs []fleet.Ref) error {
	var errs []error
	days := map[string][]fleet.Ref{}
	for _, r := range refs {
		day, at, ok := notify.FoundIn(r.ID)
		if !ok || at.After(p.now().Add(alive)) { // a card of a day to come would take the place of that day's
			errs = append(errs, p.fault(r.ID, fleet.Medium, "it names nothing that a pass found", ""))
			continue
		}
		days[day] = append(days[day], r)
	}
	for day, refs := range days {
		taken, own, err := p.own(ctx, refs)
		errs = append(errs, err)
		if err := p.cards(ctx, day, taken, own); err != nil {
			for _, r := range taken {
				errs = append(errs, p.retry(r, err))
			}
		}
	}
	return errors.Join(errs...)
}

// own reads what the refs of a day name, and returns those that were read, by id.
func (p *pass) own(ctx context.Context, refs []fleet.Ref) (taken []fleet.Ref, own notify.Groups, _ error) {
	var errs []error
	slices.SortFunc(refs, func(a, b fleet.Ref) int { return strings.Compare(a.ID, b.ID) })
	for i, r := range refs {
		if p.late(ctx) {
			p.findLater(refs[i:])
			break
		}
		f, err := p.found(ctx, r.ID)
		switch {
		case bad(err):
			errs = append(errs, p.fault(r.ID, fleet.Medium, "what a pass found cannot be read: "+err.Error(), "the log of the function has it, and so has the next sweep"))
			continue
		case err != nil:
			errs = append(errs, p.retry(r, err))
			continue
		}
		taken = append(taken, r)
		for _, g := range f.Groups {
			own.Add(g)
		}
	}
	return taken, own, errors.Join(errs...)
}

// cards adds the cards of what the refs of a day name.
func (p *pass) cards(ctx context.Context, day string, taken []fleet.Ref, own notify.Groups) error {
	open := notify.Groups{} // those of which some channel has no card of the day
	for _, g := range own.All() {
		channels, err := p.without(ctx, day, g)
		if err != nil {
			return err
		}
		if len(channels) > 0 {
			open.Add(g)
		}
	}
	more, err := p.around(ctx, day, taken, &open)
	if err != nil {
		return err
	}
	for _, g := range open.All() {
		if p.full(ctx) {
			p.findLater(taken) // by then, messages carry on the cards that are made
			return nil
		}
		channels, err := p.without(ctx, day, g) // what others found may be more severe
		if err != nil {
			return err
		}
		card, err := p.keep(ctx, newCard(day, p.now(), g, more))
		if err != nil {
			return err
		}
		for _, c := range channels {
			p.due = append(p.due, due{c, card, fleet.Try{}})
		}
	}
	return nil
}

// findLater returns what passes found to the inbox.
func (p *pass) findLater(refs []fleet.Ref) {
	for _, r := range refs {
		p.wait(r, time.Second)
	}
}

// shown is how many ids a card has.
const shown = 10

func newCard(day string, now time.Time, g notify.Group, more bool) notify.Card {
	kind := notify.KindFinding
	if g.Change != "" {
		kind = notify.KindChange
	}
	c := notify.Card{V: notify.CardVersion, Kind: kind, Key: g.CardKeys()[0], Day: day, At: now, Group: g, More: more}
	c.IDs = c.IDs[:min(len(c.IDs), shown)]
	return c
}

// without returns the channels that want a card of a group, and that neither have one of the
// day that is as severe nor get it by another message.
func (p *pass) without(ctx context.Context, day string, g notify.Group) (out []policy.Channel, err error) {
	for _, c := range p.Notify.Channels {
		has := !wants(c, g)
		for _, key := range g.CardKeys() {
			st, err := p.state(ctx, day, c.Name, key)
			if err != nil {
				return nil, err
			}
			has = has || st.sent || st.queued
		}
		if !has {
			out = append(out, c)
		}
	}
	return out, nil
}

// takes reports whether a channel is for a card. A message need not be one that this function
// sent, and the policy may have changed since.
func takes(c policy.Channel, card notify.Card) bool {
	if card.Digest != nil {
		return c.Digest && card.Key == digestKey(card.Digest.Run, c)
	}
	return wants(c, card.Group)
}

// wants reports whether a channel gets the card of a group.
func wants(c policy.Channel, g notify.Group) bool {
	if g.Change != "" {
		return c.WantsChange(g.Control, g.Account)
	}
	return c.Wants(g.Control, g.Account, g.Severity)
}

// around adds to the open groups what other passes left since a while before the first of those
// taken, which are in order. more says that there are others still.
func (p *pass) around(ctx context.Context, day string, taken []fleet.Ref, open *notify.Groups) (more bool, _ error) {
	if len(open.All()) == 0 {
		return false, nil
	}
	_, oldest, _ := notify.FoundIn(taken[0].ID)
	n := 0
	for name, err := range ledger.Names(ctx, p.Store, notify.FoundFolder+day+"/", notify.FoundAfter(day, oldest.Add(-notify.Gather))) {
		if err != nil {
			return false, fmt.Errorf("listing what was found: %w", err)
		}
		id := notify.FoundOf(name)
		if slices.ContainsFunc(taken, func(r fleet.Ref) bool { return r.ID == id }) {
			continue
		}
		if n++; n > maxRead || p.late(ctx) {
			return true, nil
		}
		f, err := p.found(ctx, id)
		if err != nil && !bad(err) { // that is reported by the pass that takes its message
			return false, err
		}
		for _, g := range f.Groups {
			open.Merge(g)
		}
	}
	return false, nil
}

// found reads what a pass found.
func (p *pass) found(ctx context.Context, id string) (notify.Found, error) {
	name := notify.FoundObject(id)
	text, err := p.Store.Get(ctx, name)
	if err != nil {
		return notify.Found{}, fmt.Errorf("reading what was found: %w", err)
	}
	return notify.DecodeFound(name, text)
}

// bad reports whether an object can never be read.
func bad(err error) bool {
	return fleet.ClassOf(err) == fleet.NotFound || errors.As(err, new(*fleet.BadInput))
}
