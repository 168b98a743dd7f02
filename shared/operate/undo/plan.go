package undo

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// Made is one change as the ledger tells it.
type Made struct {
	fleet.ChangeRecord
	Run string
	// Function is whose part of the ledger tells it. Its role alone can write there, so
	// the object's name says who wrote it, whatever its content says.
	Function string
	// Entry is the ledger object, without its stage; At the time of its intent.
	Entry string
	At    time.Time
}

// Changes returns the changes of one batch. A change whose pass did not tell its end has
// no state.
func Changes(a ledger.Batch) []Made {
	told := a.Intent
	if a.Last != nil {
		told = *a.Last
	}
	function, _, _ := strings.Cut(a.Intent.Name, "/")
	out := make([]Made, len(told.Changes))
	for i, c := range told.Changes {
		out[i] = Made{ChangeRecord: c.ChangeRecord, Run: c.Run, Function: function, Entry: a.Intent.Name, At: a.Intent.Time}
		if a.Last == nil {
			out[i].State = ""
		}
	}
	return out
}

// change is what was done: what was wanted, since that was read back. RAM need not keep
// the bytes of a document, so those are compared by what they mean.
func (m Made) change() fleet.Change {
	ref := fleet.Ref{Scope: fleet.Scope{Account: m.Account, Region: m.Region}, Kind: m.RefKind, ID: m.ID}
	return fleet.Change{Kind: m.Kind, Ref: ref, Before: m.Before, Want: m.Want}
}

// Item is one thing that the run changed, and how it is put back.
type Item struct {
	// Made is the run's last change to it.
	Made Made
	// From is what it was before the run, To what the run left; empty for none.
	From, To string
	// Why says why it cannot be undone, Remedy what a person can do; both are empty
	// when it can.
	Why, Remedy string
	// Since is the last change to it by another run after this one; nil for none.
	Since *Made

	slot slot
	ref  fleet.Ref
	// half says that an undo began to replace the role, which takes two calls, and told
	// no end: the instance may have none now, and then it is the undo's doing.
	half bool
}

// back is the change from what it is now to what it was before the run.
func (i *Item) back(now string) fleet.Change {
	c := move{i.slot, now, i.From}.change(i.ref)
	c.Reason = "undoes " + string(i.Made.Kind) + " of run " + i.Made.Run
	return c
}

// Plan is what undoing a run means.
type Plan struct {
	Run string
	// Items are the things that the run changed, the last changed first.
	Items []*Item
	// Unread are objects of the ledger that could not be read, and changes in them that
	// cannot be any: what they tell is missing here. The errors quote none of it.
	Unread []error

	policy *policy.Policy
	slots  map[slot]*Item
}

// New makes the plan for a run of its changes, given in any order. What is done, or was
// made and not seen, is its doing, and the world is asked before anything is taken back.
// Where it is not known whether a change was made - its answer was lost, and it was not
// seen - the plan says so and leaves it to a person: what is there now may be somebody
// else's. Changes in other states are not its doing. The policy says which role may be
// detached, and who may be trusted again.
func New(run string, made []Made, pol *policy.Policy) *Plan {
	p := &Plan{Run: run, policy: pol, slots: map[slot]*Item{}}
	made = slices.Clone(made)
	slices.SortStableFunc(made, func(a, b Made) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Entry, a.Entry))
	})
	var unsure []Made
	for _, m := range made {
		if what := m.malformed(); what != "" {
			p.Unread = append(p.Unread, &fleet.BadInput{Where: "ledger object " + m.Entry, What: what})
			continue
		}
		switch m.State {
		case fleet.Done, fleet.Started:
			p.add(m)
		case "", fleet.Unclear, fleet.Later:
			unsure = append(unsure, m)
		}
	}
	for _, m := range unsure {
		p.doubt(m)
	}
	for _, it := range p.Items {
		switch {
		case it.Why != "":
		case it.slot.facet.same(it.From, it.To):
			it.Why = "the run has put it back itself"
		case it.slot.facet == trust:
			it.Why, it.Remedy = p.untrusted(it)
		}
	}
	return p
}

// add puts in a change that is no newer than those before it. It goes together with
// what the run later made of the same thing, if that began where this one ended: in
// between nobody else changed it.
func (p *Plan) add(m Made) {
	c := m.change()
	mv, ok := moved(c)
	why, remedy := p.unfit(m, mv, ok)
	holds := ok && !made(c) && m.ownDoing()
	if have := p.slots[mv.slot]; holds && have != nil {
		have.join(m, mv, why, remedy)
		return
	}
	it := &Item{Made: m, From: mv.from, To: mv.to, Why: why, Remedy: remedy, slot: mv.slot, ref: c.Ref}
	p.Items = append(p.Items, it)
	if holds {
		p.slots[mv.slot] = it
	}
}

// made reports whether a change made the thing that it is a change of: there is no value
// of before to go back to.
func made(c fleet.Change) bool { return c.Kind == fleet.SetKeyPolicy && c.Before == "" }

// join extends an item over another change of the run. Times are in seconds: one of the
// same second may have come after.
func (i *Item) join(m Made, mv move, why, remedy string) {
	switch same := mv.slot.facet.same; {
	case i.Why != "":
	case same(mv.to, i.From):
		i.From, i.Why, i.Remedy = mv.from, why, remedy
	case m.At.Equal(i.Made.At) && same(mv.from, i.To):
		i.To = mv.to
	}
	// Else somebody else's change lies between: only what came after it is undone.
}

// doubt puts in a change of which nobody knows whether it was made, unless the run made
// one to the same thing for certain.
func (p *Plan) doubt(m Made) {
	c := m.change()
	mv, ok := moved(c)
	switch {
	case !m.ownDoing():
		p.add(m) // as what it is: nobody's doing
		return
	case ok && p.slots[mv.slot] != nil:
		return
	}
	it := &Item{Made: m, From: mv.from, To: mv.to, slot: mv.slot, ref: c.Ref,
		Why:    "the run does not tell whether this was made",
		Remedy: "look at it, and at the ledger object " + m.Entry}
	p.Items = append(p.Items, it)
	if ok {
		p.slots[mv.slot] = it
	}
}

// Later notes a change by another run. One that was done after the plan's own run makes
// the run's change to the same thing stale.
func (p *Plan) Later(m Made) {
	mv, ok := moved(m.change())
	it := p.slots[mv.slot]
	switch {
	case !ok || it == nil || m.Run == p.Run || !m.At.After(it.Made.At) || !m.ownDoing():
	case m.State == fleet.Done, m.State == fleet.Started:
		if it.Since == nil || !m.At.Before(it.Since.At) {
			it.Since = &m
		}
	case m.State != fleet.Skipped && m.Function == fleet.FunctionBackfill && it.undoneBy(mv):
		it.half = true
	}
}

// undoneBy reports whether a move replaces the role that the run left by that of before.
func (i *Item) undoneBy(mv move) bool {
	return mv.slot == i.slot && mv.kind() == fleet.ReplaceRole && i.slot.facet.same(mv.from, i.To) && i.slot.facet.same(mv.to, i.From)
}

// Oldest is the time of the run's first change in the plan; zero for none.
func (p *Plan) Oldest() time.Time {
	var at time.Time
	for _, it := range p.Items {
		if at.IsZero() || it.Made.At.Before(at) {
			at = it.Made.At
		}
	}
	return at
}
