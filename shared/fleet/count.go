package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
)

// ChangeID identifies a change. What several rules ask for, or what is wanted for the sake
// of several instances, such as one role, is one change.
type ChangeID struct {
	Kind         ChangeKind
	Key          Key
	Before, Want string
}

// Identity returns the id of a change.
func (c Change) Identity() ChangeID { return ChangeID{c.Kind, c.Ref.Key(), c.Before, c.Want} }

// Identity returns the id of the change that a record is about.
func (c ChangeRecord) Identity() ChangeID {
	return ChangeID{c.Kind, c.Change().Ref.Key(), c.Before, c.Want}
}

// Change is what was to be done.
func (c ChangeRecord) Change() Change {
	ref := Ref{Scope: Scope{Account: c.Account, Region: c.Region}, Kind: c.RefKind, ID: c.ID}
	return Change{Kind: c.Kind, Ref: ref, Before: c.Before, Want: c.Want, Reason: c.Reason}
}

// Disturbs reports whether a change of a kind takes something from a running workload: an
// instance that is stopped, or without its role for a while.
func (k ChangeKind) Disturbs() bool {
	return k == ReplaceRole || k == DetachRole || k == StopInstance
}

// Total is a number of distinct changes, and of those among them that disturb a workload.
type Total struct{ N, Disturbing int }

// Distinct counts changes, each once. The zero Distinct has counted none.
//
// A change to an instance is asked for by that instance's rules alone, which follow one
// another: it is remembered until the next instance. What instances share is remembered
// for good, by its digest, so that counting a fleet takes little memory.
type Distinct struct {
	Total

	shared  map[string]bool
	current Key
	own     []ChangeID
}

// Add counts a change, and reports whether it had not been counted before.
func (d *Distinct) Add(id ChangeID) bool {
	if !d.fresh(id) {
		return false
	}
	d.N++
	if id.Kind.Disturbs() {
		d.Disturbing++
	}
	return true
}

// Clone returns a count that continues by itself.
func (d *Distinct) Clone() Distinct {
	return Distinct{d.Total, maps.Clone(d.shared), d.current, slices.Clone(d.own)}
}

func (d *Distinct) fresh(id ChangeID) bool {
	if id.Key.Kind != KindInstance {
		digest := id.digest()
		if d.shared[digest] {
			return false
		}
		if d.shared == nil {
			d.shared = map[string]bool{}
		}
		d.shared[digest] = true
		return true
	}
	if id.Key != d.current {
		d.current, d.own = id.Key, d.own[:0]
	}
	if slices.Contains(d.own, id) {
		return false
	}
	d.own = append(d.own, id)
	return true
}

func (id ChangeID) digest() string {
	h := sha256.New()
	for _, s := range []string{string(id.Kind), string(id.Key.Scope.Account), string(id.Key.Scope.Region), string(id.Key.Kind), id.Key.ID, id.Before, id.Want} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Shared returns the digests of the counted changes that instances may share, sorted: with
// [Resume], counting continues elsewhere.
func (d *Distinct) Shared() []string { return slices.Sorted(maps.Keys(d.shared)) }

// Resume returns a count that stands at a total and knows the changes with these digests.
func Resume(t Total, shared []string) *Distinct {
	d := &Distinct{Total: t, shared: map[string]bool{}}
	for _, s := range shared {
		d.shared[s] = true
	}
	return d
}
