package undo

import (
	"cmp"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// facet is the property that changes of related kinds move.
type facet string

const (
	attached facet = "role"   // of an instance; its value is the role's name
	tag      facet = "tag"    // of an instance; key=value
	power    facet = "power"  // Running, or the tag that says why it was stopped
	grant    facet = "grant"  // a policy of a role; the policy's name
	trust    facet = "trust"  // the trust document of a role
	mark     facet = "mark"   // the tag [fleet.TagUnused] of a role
	keys     facet = "keys"   // a key policy attached to a role; the role's name
	document facet = "policy" // the document of a key policy
)

// slot is one property of one resource, with one value; empty stands for none.
type slot struct {
	key   fleet.Key
	facet facet
	// name distinguishes slots of one facet and key: a tag's key, a policy, a role. For
	// power it is the key of the tag.
	name string
}

const running = "Running"

// move is a change of a slot's value.
type move struct {
	slot     slot
	from, to string
}

// kinds are the kinds of change that move a facet: from none, to none, and from any value to
// another.
type kinds struct{ onto, off, over fleet.ChangeKind }

// movers has the kinds of each facet; each kind moves one.
var movers = map[facet]kinds{
	attached: {fleet.AttachRole, fleet.DetachRole, fleet.ReplaceRole},
	tag:      {fleet.TagInstance, fleet.UntagInstance, fleet.TagInstance},
	power:    {fleet.StopInstance, fleet.StartInstance, ""},
	grant:    {fleet.GrantRole, fleet.RevokeRole, ""},
	trust:    {over: fleet.SetShareTrust},
	mark:     {over: fleet.MarkUnused},
	keys:     {fleet.AttachKeyPolicy, fleet.DetachKeyPolicy, ""},
	document: {over: fleet.SetKeyPolicy},
}

// none is the value of an unchanged facet: an instance that was not stopped is running.
func (f facet) none() string {
	if f == power {
		return running
	}
	return ""
}

// named is the name of the slot of a facet that has a value.
func (f facet) named(value string) string {
	switch f {
	case tag, power:
		return keyOf(value)
	case grant, keys:
		return value
	}
	return ""
}

// moved returns how a change moves its slot; false for kinds that move none.
func moved(c fleet.Change) (move, bool) {
	for f, by := range movers {
		m, value := move{from: c.Before, to: c.Want}, c.Want
		switch c.Kind {
		case "":
			continue
		case by.over:
		case by.onto:
			m.from = f.none()
		case by.off:
			m.to, value = f.none(), c.Before
		default:
			continue
		}
		m.slot = slot{key(c.Ref), f, f.named(value)}
		return m, true
	}
	return move{}, false
}

// key is the key of a ref's slots. RAM compares names without regard to case.
func key(r fleet.Ref) fleet.Key {
	k := r.Key()
	if k.Kind == fleet.KindRole || k.Kind == fleet.KindPolicy {
		k.ID = strings.ToLower(k.ID)
	}
	return k
}

func keyOf(tag string) string {
	k, _, _ := strings.Cut(tag, "=")
	return k
}

// kind is the kind of change that makes a move.
func (m move) kind() fleet.ChangeKind {
	by := movers[m.slot.facet]
	switch none := m.slot.facet.none(); {
	case m.from == none && by.onto != "":
		return by.onto
	case m.to == none && by.off != "":
		return by.off
	}
	return cmp.Or(by.over, by.onto)
}

// change is the change of a ref that makes a move.
func (m move) change(ref fleet.Ref) fleet.Change {
	return fleet.Change{Kind: m.kind(), Ref: ref, Before: m.from, Want: m.to}
}

// same reports whether two values of a facet mean the same.
func (f facet) same(a, b string) bool {
	switch {
	case a == b:
		return true
	case a == "" || b == "":
		return false
	}
	switch f {
	case attached, grant, keys:
		return strings.EqualFold(a, b)
	case trust:
		return rampolicy.SameTrust(a, b)
	case document:
		return rampolicy.Same(a, b)
	}
	return false
}
