package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// retry returns a ref to the inbox that could not be handled, and records why, once a pass. After
// a day it is a dead letter; after an hour, where time does not heal the cause.
func (p *pass) retry(r fleet.Ref, cause error) error {
	limit := patience
	if !fleet.ClassOf(cause).Passing() {
		limit = time.Hour
	}
	if p.now().Sub(p.firstSeen(r.Try)) > limit {
		p.given, p.why = append(p.given, r), cmp.Or(p.why, cause)
		return nil
	}
	after := backoff(r.Try.N + 1)
	p.wait(r, after)
	if p.unread {
		return nil
	}
	p.unread = true
	return p.recorder.Finding(fleet.Verdict{Ref: fleet.Ref{Scope: p.Home, Kind: fleet.KindDeployment, ID: r.ID}, Rule: "notify",
		Outcome: fleet.Pending, Again: after, Reason: cause.Error()})
}

// wait re-queues a ref.
func (p *pass) wait(r fleet.Ref, after time.Duration) {
	r.Try.N++
	r.Try.FirstSeen = p.firstSeen(r.Try)
	p.later[after] = append(p.later[after], r)
}

// firstSeen is since when a message carries on a card; that of a redrive begins again.
func (p *pass) firstSeen(t fleet.Try) time.Time {
	if now := p.now(); t.FirstSeen.IsZero() || t.FirstSeen.After(now) {
		return now
	}
	return t.FirstSeen
}

// flush sends what waits to the inbox, and what is given up to the dead letters. Then it notes
// that a message carries on each of these cards, as far as there is time: what is found later
// that day then adds no other message.
func (p *pass) flush(ctx context.Context) error {
	var errs []error
	for after, refs := range p.later {
		p.recorder.Add(fleet.Pass{Again: len(refs)})
		errs = append(errs, p.Inbox.Again(ctx, refs, after))
	}
	for _, name := range slices.Sorted(maps.Keys(p.lost)) {
		l := p.lost[name]
		refs := make([]fleet.Ref, len(l.cards))
		for i, x := range l.cards {
			refs[i] = x.ref(p.Home)
		}
		errs = append(errs, p.Inbox.Bury(ctx, refs), p.fault(name, fleet.High, fmt.Sprintf("%d cards are dead letters, the first of them %s of %s: %s", len(refs), l.cards[0].card.Key, l.cards[0].card.Day, l.why),
			fmt.Sprintf("mend the channel until \"fleetwarden notify --test %s\" is right, then type: fleetwarden redrive --region %s --apply", name, p.Home.Region)))
		p.queued = append(p.queued, l.cards...)
	}
	if len(p.given) > 0 {
		errs = append(errs, p.Inbox.Bury(ctx, p.given), p.fault(p.given[0].ID, fleet.High, fmt.Sprintf("%d messages are dead letters, the first of them of %s: %s", len(p.given), p.given[0].ID, p.why),
			fmt.Sprintf("mend what the reason names, then type: fleetwarden redrive --region %s --apply", p.Home.Region)))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var unnoted error
	for _, x := range p.queued {
		if within(ctx, p.Options.Margin/2) {
			break
		}
		if p.states[x.card.Day][x.channel.Name+"/"+x.card.Key].queued {
			continue
		}
		if err := p.put(ctx, x, "queued", "", true); err != nil {
			unnoted = cmp.Or(unnoted, err)
		}
	}
	if unnoted != nil {
		return p.fault("queued", fleet.Low, "that messages carry cards on could not be noted, so that a card may have two: "+unnoted.Error(), "")
	}
	return nil
}

// fault records why something is not delivered.
func (p *pass) fault(id string, severity fleet.Severity, reason, remedy string) error {
	return p.recorder.Finding(fleet.Verdict{Ref: fleet.Ref{Scope: p.Home, Kind: fleet.KindDeployment, ID: id}, Rule: "notify",
		Outcome: fleet.Fault, Severity: severity, Reason: reason, Remedy: remedy})
}

// requeue returns a card to the inbox.
func (p *pass) requeue(x due, after time.Duration) {
	p.wait(x.ref(p.Home), max(after, time.Second).Round(time.Second))
	p.queued = append(p.queued, x)
}

// backoff is the time after a try: a minute, doubled up to an hour.
func backoff(try int) time.Duration { return min(time.Minute<<min(max(try-1, 0), 6), time.Hour) }
