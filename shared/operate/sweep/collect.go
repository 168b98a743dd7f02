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
	"fleetwarden/shared/reconcile"
)

// collector collects what one pass of a shard finds. It checks nothing again: that is for the
// owners, which are notified of changes when the whole shard has been judged.
type collector struct {
	s        *Sweep
	into     *progress
	recorder *reconcile.Recorder
	// seen counts the resources, pages the pages that were read since the last part; what was
	// found in them is in the fields up to size, which is about how many bytes it takes.
	seen     int
	pages    int
	findings []fleet.Record
	drift    []Drift
	// due are resources whose patience has ended and that no change helps, memory is what is
	// to be remembered.
	due    []Drift
	memory []memory.Entry
	size   int
	// notified returns up to when the owner of a control knows what has matured; of one of
	// which a part is enforced, in that part.
	notified func(control string, part bool) (time.Time, error)
	// tally counts the whole attempt.
	tally *tally
	// covered are the changes of the page that the policy has made.
	covered map[fleet.ChangeID]bool
	// settling is set while the pass checks the intents that others left open.
	settling bool
	// broken says why what was found cannot be kept: the log or the store failed.
	broken error
}

func (s *Sweep) collect(p *progress) *collector {
	c := &collector{s: s, into: p, tally: newTally(p.totals)}
	o := s.Options
	o.Record, o.DryRun, o.Stamp.Run = c.log, p.start.DryRun, p.start.Run
	c.recorder = reconcile.NewRecorder(o)
	return c
}

func (c *collector) broke(err error) {
	if c.broken == nil {
		c.broken = err
	}
}

// fine reports whether a finding gets no line of its own: it is counted. What stands for
// many resources at once is a remark of the whole sweep: see [Result.Findings].
func fine(f *fleet.FindingRecord) bool {
	return f.Outcome == fleet.Passes || f.Outcome == fleet.NotApplicable || f.Outcome == fleet.NotAssessable
}

// log counts a record, and keeps and logs what is not fine.
func (c *collector) log(r fleet.Record) error {
	if c.broken != nil {
		return c.broken
	}
	again := !c.settling && !c.count(r)
	if again || r.Finding != nil && fine(r.Finding) {
		return nil
	}
	if err := c.s.log(r); err != nil {
		return ours{fmt.Errorf("writing a record: %w", err)}
	}
	return nil
}

// count returns false for what the shard has said before.
func (c *collector) count(r fleet.Record) bool {
	switch {
	case r.Change != nil:
		c.tally.change(r.Change, c.covered[r.Change.Identity()])
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
func (c *collector) instances(w *fleet.World, verdicts []fleet.Verdict) {
	listed := make(map[fleet.Key]fleet.Fact[fleet.Listing], len(w.Instances))
	for _, in := range w.Instances {
		listed[in.Ref.Key()] = in.Listed
	}
	c.saw(len(w.Instances), verdicts)
	c.matured(w, verdicts)
	c.note(w, verdicts)
	c.exempted(verdicts, func(v fleet.Verdict) (policy.Exemption, bool) {
		return c.s.Options.Policy.Exempt(v.Control, v.Rule, v.Ref, listed[v.Ref.Key()], w.At)
	})
}

// shares sees what was decided about what an account shares.
func (c *collector) shares(w *fleet.ShareWorld, verdicts []fleet.Verdict) {
	n := 0
	for _, side := range w.Sides {
		for _, r := range side.Regions.V {
			n += len(r.Resources)
		}
	}
	c.saw(n, verdicts)
	c.exempted(verdicts, func(v fleet.Verdict) (policy.Exemption, bool) {
		return c.s.Options.Policy.Exempt(v.Control, v.Rule, v.Ref, fleet.Fact[fleet.Listing]{}, w.At)
	})
}

// exempted counts what exemptions were good for.
func (c *collector) exempted(verdicts []fleet.Verdict, by func(fleet.Verdict) (policy.Exemption, bool)) {
	for _, v := range verdicts {
		if v.Outcome != fleet.Exempted {
			continue
		}
		if e, ok := by(v); ok {
			c.tally.exempt[exemption(e)]++
		}
	}
}

// saw counts n resources, and keeps the changes that the verdicts on them ask for.
func (c *collector) saw(n int, verdicts []fleet.Verdict) {
	c.seen += n
	c.covered = map[fleet.ChangeID]bool{}
	for _, v := range verdicts {
		for _, ch := range v.Changes {
			if ch.Covered {
				c.covered[ch.Identity()] = true
			}
		}
	}
	drift := DriftOf(verdicts)
	for _, d := range drift {
		for _, ch := range d.Changes {
			c.size += sizeOfDrift(ch)
		}
	}
	c.drift = append(c.drift, drift...)
}

// DriftOf returns the changes that verdicts of one scope ask for, by control and resource, each
// once.
func DriftOf(verdicts []fleet.Verdict) (out []Drift) {
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
			i = len(out)
			at[k] = i
			out = append(out, Drift{Control: v.Control, Kind: v.Ref.Kind, ID: v.Ref.ID})
		}
		for _, ch := range v.Changes {
			out[i].Covered = out[i].Covered || ch.Covered
			if !slices.ContainsFunc(out[i].Changes, func(x fleet.Change) bool { return x.Identity() == ch.Identity() }) {
				out[i].Changes = append(out[i].Changes, ch)
			}
		}
	}
	return out
}

// soon is how much earlier in the night than the sweep before a sweep may see an instance. A
// grace of whole days that ends within that time is left to the owner, which waits for its
// end: the next sweep would be a day late.
const soon = 30 * time.Minute

// matured collects violations whose patience has ended, or ends soon, that ask for no change,
// and that the owner has not been notified of: it reports them, once. Of a control of which a
// part is enforced they are those of that part.
func (c *collector) matured(w *fleet.World, verdicts []fleet.Verdict) {
	p := c.s.Options.Policy
	for _, v := range verdicts {
		part := p.Partly(v.Control)
		if v.Outcome != fleet.Violation || len(v.Changes) > 0 || !v.Matured(w.At.Add(soon)) || part && !v.Covered {
			continue
		}
		due := v.Since.Add(v.Patience)
		if part { // what was tagged, or named by the policy, yesterday may have matured long before
			due = later(due, c.taken(w, v))
		}
		if !due.After(c.into.start.BeforeAt) && (part || p.ModeOf(v.Control) == policy.Enforce) {
			known, err := c.notified(v.Control, part)
			if err != nil {
				c.broken = err
				return
			}
			if !due.After(known) {
				continue
			}
		}
		c.due = append(c.due, Drift{Control: v.Control, Kind: v.Ref.Kind, ID: v.Ref.ID, Covered: v.Covered})
		c.tally.due[v.Control]++
		c.size += 100
	}
}

// taken is since when sweeps have found that a violation is in the part that is enforced.
func (c *collector) taken(w *fleet.World, v fleet.Verdict) time.Time {
	for _, in := range w.Instances {
		if since, ok := in.Found.V[inPart(v.Rule)]; ok && in.Ref.Key() == v.Ref.Key() {
			return since
		}
	}
	return c.into.start.At
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// full says that it is time to write a part.
func (c *collector) full() bool { return c.size >= partSize }

// write makes a part of what was found. next is where the next pass continues, empty at the
// end; page are the ids of the page before it.
//
// The part is read back. That a store took an object, or had it already, does not say
// whose it is: an answer that got lost makes it try again.
func (c *collector) write(ctx context.Context, next fleet.Cursor, page []string) error {
	p := c.into
	t := c.tally.totals()
	t.Seen, t.Pages, t.Calls = p.totals.Seen+c.seen, p.totals.Pages+c.pages, p.calls(c.s.Options.Meter)
	t.Remembered = p.totals.Remembered + len(c.memory)
	out := part{V: Version, N: p.parts + 1, At: c.s.Options.Meter.Now(), Next: next, Page: page, Totals: t, Findings: c.findings, Drift: c.drift,
		Due: c.due, Past: p.past, Compared: p.compared, Memory: c.memory}
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

// claim makes an object. The error is [errTaken] when another pass has made it.
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
