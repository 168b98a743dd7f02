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
func (p *pass) gather(ctx context.Context, ids []string) error {
	var errs []error
	days := map[string][]string{}
	for _, id := range ids {
		day, _, ok := notify.FoundIn(id)
		if !ok {
			errs = append(errs, p.fault(id, fleet.Medium, "it names nothing that a pass found", ""))
			continue
		}
		days[day] = append(days[day], id)
	}
	for day, ids := range days {
		errs = append(errs, p.gatherDay(ctx, day, ids))
	}
	return errors.Join(errs...)
}

func (p *pass) gatherDay(ctx context.Context, day string, ids []string) error {
	slices.Sort(ids)
	open := map[string][]policy.Channel{} // by key: channels for which no card of the day is under way
	for _, id := range ids {
		f, err := p.found(ctx, id)
		if bad(err) {
			err = p.fault(id, fleet.Medium, "what a pass found cannot be read: "+err.Error(), "the log of the function has it, and so has the next sweep")
		}
		if err != nil {
			return err
		}
		for _, g := range f.Groups {
			if _, known := open[g.Key()]; known {
				continue
			}
			if open[g.Key()], err = p.without(ctx, day, g); err != nil {
				return err
			}
		}
	}
	groups, more, err := p.around(ctx, day, ids, open)
	if err != nil {
		return err
	}
	for _, g := range groups {
		card, err := p.keep(ctx, newCard(day, p.now(), g, more))
		if err != nil {
			return err
		}
		for _, c := range open[g.Key()] {
			p.due = append(p.due, due{c, card, fleet.Try{}})
		}
	}
	return nil
}

// shown is how many ids a card has.
const shown = 10

func newCard(day string, now time.Time, g notify.Group, more bool) notify.Card {
	kind := notify.KindFinding
	if g.Change != "" {
		kind = notify.KindChange
	}
	c := notify.Card{V: notify.CardVersion, Kind: kind, Key: g.Key(), Day: day, At: now, Group: g, More: more}
	c.IDs = c.IDs[:min(len(c.IDs), shown)]
	return c
}

// without returns the channels that want a card of a group, and that neither have that of the
// day nor get it by another message.
func (p *pass) without(ctx context.Context, day string, g notify.Group) (out []policy.Channel, err error) {
	for _, c := range p.Notify.Channels {
		if !wants(c, g) {
			continue
		}
		st, err := p.state(ctx, day, c.Name, g.Key())
		if err != nil {
			return nil, err
		}
		if !st.sent && !st.queued {
			out = append(out, c)
		}
	}
	return out, nil
}

// wants reports whether a channel gets the card of a group.
func wants(c policy.Channel, g notify.Group) bool {
	if g.Change != "" {
		return c.WantsChange(g.Control, g.Account)
	}
	return c.Wants(g.Control, g.Account, g.Severity)
}

// around merges the groups of the open keys: those of the ids, and those that other passes
// left since a while before the first of them. more says that there are others still.
func (p *pass) around(ctx context.Context, day string, ids []string, open map[string][]policy.Channel) (_ []notify.Group, more bool, _ error) {
	var groups notify.Groups
	add := func(id string) error {
		f, err := p.found(ctx, id)
		if bad(err) { // the pass that takes its message reports it
			return nil
		}
		for _, g := range f.Groups {
			if len(open[g.Key()]) > 0 {
				groups.Add(g)
			}
		}
		return err
	}
	wanted := false
	for _, id := range ids {
		if err := add(id); err != nil {
			return nil, false, err
		}
	}
	for _, channels := range open {
		wanted = wanted || len(channels) > 0
	}
	if !wanted {
		return nil, false, nil
	}
	_, oldest, _ := notify.FoundIn(ids[0])
	n := 0
	for name, err := range ledger.Names(ctx, p.Store, notify.FoundFolder+day+"/", notify.FoundAfter(day, oldest.Add(-notify.Gather))) {
		if err != nil {
			return nil, false, fmt.Errorf("listing what was found: %w", err)
		}
		id := strings.TrimSuffix(strings.TrimPrefix(name, notify.FoundFolder), ".json")
		if slices.Contains(ids, id) {
			continue
		}
		if n++; n > maxRead {
			return groups.All(), true, nil
		}
		if err := add(id); err != nil {
			return nil, false, err
		}
	}
	return groups.All(), false, nil
}

// found reads what a pass found, once.
func (p *pass) found(ctx context.Context, id string) (notify.Found, error) {
	if f, ok := p.read[id]; ok {
		return f, nil
	}
	name := notify.FoundObject(id)
	text, err := p.Store.Get(ctx, name)
	if err != nil {
		return notify.Found{}, fmt.Errorf("reading what was found: %w", err)
	}
	f, err := notify.DecodeFound(name, text)
	if err == nil {
		p.read[id] = f
	}
	return f, err
}

// bad reports whether an object can never be read.
func bad(err error) bool {
	return fleet.ClassOf(err) == fleet.NotFound || errors.As(err, new(*fleet.BadInput))
}
