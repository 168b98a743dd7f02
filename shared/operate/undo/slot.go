package undo

import (
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// facet is what changes of related kinds move.
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

// slot is one thing that has one value; empty stands for none.
type slot struct {
	key   fleet.Key
	facet facet
	// name tells slots of one facet and key apart: a tag's key, a policy, a role. For
	// power it is the key of the tag.
	name string
}

const running = "Running"

// move is a change as a slot sees it.
type move struct {
	slot     slot
	from, to string
}

// moved returns how a change moves its slot; false for kinds that move none.
func moved(c fleet.Change) (move, bool) {
	m := func(f facet, name, from, to string) (move, bool) {
		return move{slot{key(c.Ref), f, name}, from, to}, true
	}
	switch c.Kind {
	case fleet.AttachRole:
		return m(attached, "", "", c.Want)
	case fleet.DetachRole:
		return m(attached, "", c.Before, "")
	case fleet.ReplaceRole:
		return m(attached, "", c.Before, c.Want)
	case fleet.TagInstance:
		return m(tag, keyOf(c.Want), c.Before, c.Want)
	case fleet.UntagInstance:
		return m(tag, keyOf(c.Before), c.Before, "")
	case fleet.StopInstance:
		return m(power, keyOf(c.Want), running, c.Want)
	case fleet.StartInstance:
		return m(power, keyOf(c.Before), c.Before, running)
	case fleet.GrantRole:
		return m(grant, c.Want, "", c.Want)
	case fleet.RevokeRole:
		return m(grant, c.Before, c.Before, "")
	case fleet.SetShareTrust:
		return m(trust, "", c.Before, c.Want)
	case fleet.MarkUnused:
		return m(mark, "", c.Before, c.Want)
	case fleet.AttachKeyPolicy:
		return m(keys, c.Want, "", c.Want)
	case fleet.DetachKeyPolicy:
		return m(keys, c.Before, c.Before, "")
	case fleet.SetKeyPolicy:
		return m(document, "", c.Before, c.Want)
	}
	return move{}, false
}

// key is where a ref's slots are. RAM compares names without regard to case.
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
	none := func(onto, off, over fleet.ChangeKind) fleet.ChangeKind {
		switch "" {
		case m.from:
			return onto
		case m.to:
			return off
		}
		return over
	}
	switch m.slot.facet {
	case attached:
		return none(fleet.AttachRole, fleet.DetachRole, fleet.ReplaceRole)
	case tag:
		return none(fleet.TagInstance, fleet.UntagInstance, fleet.TagInstance)
	case power:
		if m.to == running {
			return fleet.StartInstance
		}
		return fleet.StopInstance
	case grant:
		return none(fleet.GrantRole, fleet.RevokeRole, "")
	case trust:
		return fleet.SetShareTrust
	case mark:
		return fleet.MarkUnused
	case keys:
		return none(fleet.AttachKeyPolicy, fleet.DetachKeyPolicy, "")
	default:
		return fleet.SetKeyPolicy
	}
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
