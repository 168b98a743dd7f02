package sweep

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/memory"
	"fleetwarden/shared/policy"
)

// collector takes what the core finds in one pass of a shard. It is the pass's inbox,
// too: what is looked at again is the owners' affair, and what changes would be made is
// told to them when the whole shard has been judged.
type collector struct {
	s    *Sweep
	into *place
	// What was found since the last part, and about how many bytes that takes.
	seen     int
	pages    int
	findings []fleet.Record
	drift    []Drift
	// due are things whose patience has ended and that no change helps, memory is what is
	// to be remembered.
	due    []Drift
	memory []memory.Entry
	size   int
	// notified returns up to when the owner of a control knows what has matured.
	notified func(control string) (time.Time, error)
	// tally counts the whole attempt.
	tally *tally
	// settling is set while the pass looks at what others left open.
	settling bool
	// broken says why what was found cannot be kept: the log or the store failed.
	broken error
}

func (s *Sweep) collect(p *place) *collector {
	return &collector{s: s, into: p, tally: newTally(p.totals)}
}

// Again implements [reconcile.Inbox].
func (c *collector) Again(context.Context, []fleet.Ref, time.Duration) error { return nil }

// Forward implements [reconcile.Inbox].
func (c *collector) Forward(context.Context, []fleet.Change) error { return nil }

// fine reports whether a finding gets no line of its own: it is counted. What stands for
// many resources at once is a remark of the whole sweep: see [Result.Findings].
func fine(f *fleet.FindingRecord) bool {
	switch f.Outcome {
	case fleet.Passes, fleet.NotApplicable, fleet.NotAssessable:
		return true
	}
	return false
}

// record counts a record, and keeps and logs what is not fine.
func (c *collector) record(r fleet.Record) error {
	if c.broken != nil {
		return c.broken
	}
	if r.Change != nil && r.Change.State == fleet.Forwarded {
		ch := *r.Change
		ch.State, ch.Why = fleet.Planned, "its owner is told when the limits let all of the shard's changes through"
		r.Change = &ch
	}
	again := !c.settling && !c.count(r)
	if again || r.Finding != nil && fine(r.Finding) {
		return nil
	}
	if err := c.s.log(r); err != nil {
		c.broken = ours{fmt.Errorf("writing a record: %w", err)}
		return c.broken
	}
	return nil
}

// count returns false for what the shard has said before.
func (c *collector) count(r fleet.Record) bool {
	switch {
	case r.Change != nil:
		c.tally.change(r.Change)
	case r.Finding == nil:
	case !c.tally.finding(r.Finding):
		return false
	case !fine(r.Finding):
		f := *r.Finding
		r.Finding = &f
		c.findings = append(c.findings, r)
		c.size += sizeOfFinding(f)
	}
	return true
}

// partSize is about how many bytes a part may grow to.
const partSize = 256 << 10

// sizeOfFinding and sizeOfDrift are about what one takes in a part, in bytes.
func sizeOfFinding(f fleet.FindingRecord) int {
	n := 500 + len(f.Reason) + len(f.Remedy)
	for _, e := range f.Evidence {
		n += 50 + len(e.Name) + len(e.Value)
	}
	return n
}

func sizeOfDrift(ch fleet.Change) int { return 300 + len(ch.Before) + len(ch.Want) + len(ch.Reason) }

// instances sees what was decided about a page.
func (c *collector) instances(w *fleet.World, verdicts []fleet.Verdict, p *policy.Policy) {
	listed := make(map[fleet.Key]fleet.Fact[fleet.Listing], len(w.Instances))
	for _, in := range w.Instances {
		listed[in.Ref.Key()] = in.Listed
	}
	c.saw(len(w.Instances), verdicts)
	c.matured(verdicts, w.At)
	c.note(w, verdicts)
	c.exempted(verdicts, func(v fleet.Verdict) (policy.Exemption, bool) {
		return p.Exempt(v.Control, v.Rule, v.Ref, listed[v.Ref.Key()], w.At)
	})
}

// shares sees what was decided about what an account shares.
func (c *collector) shares(w *fleet.ShareWorld, verdicts []fleet.Verdict, p *policy.Policy) {
	things := 0
	for _, side := range w.Sides {
		for _, r := range side.Regions.V {
			things += len(r.Resources)
		}
	}
	c.saw(things, verdicts)
	c.exempted(verdicts, func(v fleet.Verdict) (policy.Exemption, bool) {
		return p.Exempt(v.Control, v.Rule, v.Ref, fleet.Fact[fleet.Listing]{}, w.At)
	})
}

// exempted counts what exemptions were good for.
func (c *collector) exempted(verdicts []fleet.Verdict, by func(fleet.Verdict) (policy.Exemption, bool)) {
	for _, v := range verdicts {
		if v.Outcome != fleet.Exempted || c.settling {
			continue
		}
		if e, ok := by(v); ok {
			c.tally.exempt[exemption(e)]++
		}
	}
}

// saw keeps what verdicts on a number of things would change.
func (c *collector) saw(things int, verdicts []fleet.Verdict) {
	if c.settling {
		return
	}
	c.seen += things
	type key struct {
		control string
		ref     fleet.Key
	}
	at := map[key]int{}
	for _, v := range verdicts {
		if len(v.Changes) == 0 {
			continue
		}
		k := key{v.Control, v.Ref.Key()}
		i, ok := at[k]
		if !ok {
			i = len(c.drift)
			at[k] = i
			c.drift = append(c.drift, Drift{Control: v.Control, Kind: v.Ref.Kind, ID: v.Ref.ID})
		}
		for _, ch := range v.Changes {
			if !slices.ContainsFunc(c.drift[i].Changes, func(x fleet.Change) bool { return x.Identity() == ch.Identity() }) {
				c.drift[i].Changes = append(c.drift[i].Changes, ch)
				c.size += sizeOfDrift(ch)
			}
		}
	}
}

// soon is how much earlier in the night than the sweep before a sweep may see an instance. A
// grace of whole days that ends within that time is left to the owner, which waits for its
// end: the next sweep would be a day late.
const soon = 30 * time.Minute

// matured collects violations whose patience has ended, or ends soon, that ask for no change,
// and that the owner has not been notified of: it reports them, once.
func (c *collector) matured(verdicts []fleet.Verdict, at time.Time) {
	if c.settling {
		return
	}
	for _, v := range verdicts {
		if v.Outcome != fleet.Violation || len(v.Changes) > 0 || !v.Matured(at.Add(soon)) {
			continue
		}
		if end := v.Since.Add(v.Patience); !end.After(c.into.start.BeforeAt) && c.s.Options.Policy.ModeOf(v.Control) == policy.Enforce {
			known, err := c.notified(v.Control)
			if err != nil {
				c.broken = err
				return
			}
			if !end.After(known) {
				continue
			}
		}
		c.due = append(c.due, Drift{Control: v.Control, Kind: v.Ref.Kind, ID: v.Ref.ID})
		c.tally.due[v.Control]++
		c.size += 100
	}
}

// full says that it is time to write a part.
func (c *collector) full() bool { return c.size >= partSize }

// write makes a part of what was found. next is where to go on, empty at the end; page
// are the ids of the page before it.
//
// The part is read back. That a store took an object, or had it already, does not say
// whose it is: an answer that got lost makes it try again.
func (c *collector) write(ctx context.Context, next fleet.Cursor, page []string) error {
	p := c.into
	t := c.tally.totals()
	t.Seen, t.Pages, t.Calls = p.totals.Seen+c.seen, p.totals.Pages+c.pages, p.calls(c.s.Options.Meter)
	t.Remembered = p.totals.Remembered + len(c.memory)
	out := part{V: Version, N: p.parts + 1, At: c.s.Options.Meter.Now(), Next: next, Page: page, Totals: t, Findings: c.findings, Drift: c.drift,
		Due: c.due, Past: p.past, Memory: c.memory}
	body, err := json.Marshal(out)
	if err == nil {
		err = claim(ctx, c.s.Store, p.partObject(out.N), body)
	}
	if err != nil {
		c.broken = err
		return err
	}
	p.parts, p.totals = out.N, t
	p.at, p.page, p.read, p.wrote = next, page, next == "", true
	c.seen, c.pages, c.findings, c.drift, c.due, c.memory, c.size = 0, 0, nil, nil, nil, nil, 0
	return nil
}

// claim makes an object, and tells whether what is there is what this pass made.
func claim(ctx context.Context, store ledger.Store, name string, body []byte) error {
	err := put(ctx, store, name, body)
	if err != nil && fleet.ClassOf(err) != fleet.Exists {
		return err
	}
	stored, err := store.Get(ctx, name)
	if err != nil {
		return ours{fmt.Errorf("reading %s back: %w", name, err)}
	}
	if !bytes.Equal(stored, body) {
		return fmt.Errorf("writing %s: %w", name, errTaken)
	}
	return nil
}
