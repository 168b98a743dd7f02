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

// Made is one change by the ledger's record of it.
type Made struct {
	fleet.ChangeRecord
	Run string
	// Function is the function whose part of the ledger has the record. Only its role can
	// write there, so the object's name says who wrote it, whatever its content claims.
	Function string
	// Entry is the name of the ledger object without its stage, At the time of its intent.
	Entry string
	At    time.Time
}

// Changes returns the changes of one batch. A change without a recorded outcome has no state.
func Changes(a ledger.Batch) []Made {
	entry := a.Intent
	if a.Last != nil {
		entry = *a.Last
	}
	function, _, _ := strings.Cut(a.Intent.Name, "/")
	out := make([]Made, len(entry.Changes))
	for i, c := range entry.Changes {
		out[i] = Made{ChangeRecord: c.ChangeRecord, Run: c.Run, Function: function, Entry: a.Intent.Name, At: a.Intent.Time}
		if a.Last == nil {
			out[i].State = ""
		}
	}
	return out
}

// change is the change with the value that was wanted, since that was read back. RAM may format
// a document in another way, so documents are compared by their meaning.
func (m Made) change() fleet.Change {
	ref := fleet.Ref{Scope: fleet.Scope{Account: m.Account, Region: m.Region}, Kind: m.RefKind, ID: m.ID}
	return fleet.Change{Kind: m.Kind, Ref: ref, Before: m.Before, Want: m.Want}
}

// Item is one resource that the run changed, and how it is restored.
type Item struct {
	// Made is the run's last change to it.
	Made Made
	// From is the value before the run, To the one that the run left; empty for none.
	From, To string
	// Why says why it cannot be undone, Remedy what the operator can do; both are empty if it
	// can.
	Why, Remedy string
	// Since is the last change to it by another run after this one; nil for none.
	Since *Made

	slot slot
	ref  fleet.Ref
	// half says that an undo began to replace the role, which takes two calls, and recorded
	// no outcome: if the instance has no role now, the undo has detached it.
	half bool
}

// back is the change from the value now to the one before the run.
func (i *Item) back(now string) fleet.Change {
	c := move{i.slot, now, i.From}.change(i.ref)
	c.Reason = "undoes " + string(i.Made.Kind) + " of run " + i.Made.Run
	return c
}

// Plan is what to change to undo a run.
type Plan struct {
	Run string
	// Items are the resources that the run changed, the last changed first.
	Items []*Item
	// Unread are the errors of ledger objects that could not be read, and of malformed changes
	// in them, which are missing here. They quote none of the content.
	Unread []error

	policy *policy.Policy
	slots  map[slot]*Item
}

// New makes the plan for a run from its changes, in any order. Those with the state done or
// started are undone; the account is read before each. If the state does not say whether a
// change was made, because the answer to its call was lost, the plan says so and leaves it to
// the operator: another caller may have made it. Changes in other states were not made. The
// policy says which role may be detached, and which accounts may be trusted again.
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
		p.addUnsure(m)
	}
	for _, it := range p.Items {
		switch {
		case it.Why != "":
		case it.slot.facet.same(it.From, it.To):
			it.Why = "the run has restored it itself"
		case it.slot.facet == trust:
			it.Why, it.Remedy = p.untrusted(it)
		}
	}
	return p
}

// add adds a change that is no newer than those before it. It is joined with the run's later
// change of the same slot if that began with the value that this one ended with: no other
// caller changed the slot in between.
func (p *Plan) add(m Made) {
	c := m.change()
	mv, ok := moved(c)
	why, remedy := p.unfit(m, mv, ok)
	holds := ok && !made(c) && m.credible()
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

// made reports whether a change created its resource: there is no earlier value to restore.
func made(c fleet.Change) bool { return c.Kind == fleet.SetKeyPolicy && c.Before == "" }

// join extends an item by an earlier change of the run. Times are in seconds, so one of the
// same second may have come later.
func (i *Item) join(m Made, mv move, why, remedy string) {
	switch same := mv.slot.facet.same; {
	case i.Why != "":
	case same(mv.to, i.From):
		i.From, i.Why, i.Remedy = mv.from, why, remedy
	case m.At.Equal(i.Made.At) && same(mv.from, i.To):
		i.To = mv.to
	}
	// Otherwise another caller changed it in between: only the changes after that are undone.
}

// addUnsure adds a change of which it is unknown whether it was made, unless the run made
// another change of the same slot for certain.
func (p *Plan) addUnsure(m Made) {
	c := m.change()
	mv, ok := moved(c)
	switch {
	case !m.credible():
		p.add(m) // which says why it is not undone
		return
	case ok && p.slots[mv.slot] != nil:
		return
	}
	it := &Item{Made: m, From: mv.from, To: mv.to, slot: mv.slot, ref: c.Ref,
		Why:    "the ledger does not say whether this was made",
		Remedy: "check it, and the ledger object " + m.Entry}
	p.Items = append(p.Items, it)
	if ok {
		p.slots[mv.slot] = it
	}
}

// Later adds a change by another run. If it was made later, the run's change of the same slot
// is stale.
func (p *Plan) Later(m Made) {
	mv, ok := moved(m.change())
	it := p.slots[mv.slot]
	switch {
	case !ok || it == nil || m.Run == p.Run || !m.At.After(it.Made.At) || !m.credible():
	case m.State == fleet.Done, m.State == fleet.Started:
		if it.Since == nil || !m.At.Before(it.Since.At) {
			it.Since = &m
		}
	case m.State != fleet.Skipped && m.Function == fleet.FunctionBackfill && it.undoneBy(mv):
		it.half = true
	}
}

// undoneBy reports whether a move replaces the role that the run left by the earlier one.
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
