package rampolicy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Equal reports whether both documents have the same meaning: order, white space, strings
// for lists, repeated statements, and principals spread over several statements make no
// difference. It is false where that is uncertain.
func (t *Trust) Equal(o *Trust) bool { return equal(t.statements, o.statements) }

// Holds reports whether t contains all of o. Like Equal, it compares the text: an account
// in o is not contained because t trusts its directory.
func (t *Trust) Holds(o *Trust) bool {
	held := meaning(t.statements)
	for key, principals := range meaning(o.statements) {
		said, ok := held[key]
		if !ok {
			return false
		}
		for p := range principals {
			if !said[p] {
				return false
			}
		}
	}
	return true
}

// Equal reports whether both policies have the same meaning, as for [Trust.Equal].
func (d *Document) Equal(o *Document) bool { return equal(d.statements, o.statements) }

func equal(a, b []*statement) bool {
	return maps.EqualFunc(meaning(a), meaning(b), maps.Equal)
}

// meaning groups principals by the rest of their statements.
func meaning(statements []*statement) map[string]map[principal]bool {
	said := map[string]map[principal]bool{}
	for _, s := range statements {
		key := s.key()
		if said[key] == nil {
			said[key] = map[principal]bool{}
		}
		for _, p := range s.principals {
			said[key][p] = true
		}
	}
	return said
}

// key is the statement without its principals, in a fixed order; the text of one that
// cannot be evaluated.
func (s *statement) key() string {
	if s.strange != "" {
		var text bytes.Buffer
		if err := json.Compact(&text, []byte(s.raw)); err != nil {
			return s.raw
		}
		return text.String()
	}
	conditions := make([]string, len(s.conditions))
	for i, c := range s.conditions {
		conditions[i] = fmt.Sprintf("%q %q %q", c.operator, c.key, sorted(c.values))
	}
	slices.Sort(conditions)
	return fmt.Sprintf("%t %t %q %t %q %s", s.deny, s.notAction, sorted(s.actions),
		s.notResource, sorted(s.resources), strings.Join(conditions, " "))
}

// Same reports whether two policy documents mean the same: RAM need not return the bytes
// that were written. A document that cannot be parsed is the same as its own bytes alone.
func Same(a, b string) bool { return same(a, b, Parse, (*Document).Equal) }

// SameTrust is [Same] for trust documents.
func SameTrust(a, b string) bool { return same(a, b, ParseTrust, (*Trust).Equal) }

func same[D any](a, b string, parse func(string) (D, error), equal func(D, D) bool) bool {
	if a == b {
		return true
	}
	x, errX := parse(a)
	y, errY := parse(b)
	return errX == nil && errY == nil && equal(x, y)
}
