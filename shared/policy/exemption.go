package policy

import (
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// Exemption lets things stay as they are, for a time, by somebody's decision.
type Exemption struct {
	// Control is the id of a control.
	Control string
	// Rule is the id of one of its rules; empty means each of them.
	Rule string
	// Selector and Instances both have to mean the thing, as far as they are
	// set. At least one of them is.
	Selector
	Instances []string
	// Owner answers for the exemption; Reason says why it exists.
	Owner  string
	Reason string
	// Expires is the first moment at which the exemption no longer works.
	Expires time.Time
}

// Exempt returns the first exemption that works at a time for a thing that a
// rule found fault with. One that could only be told from facts that were not
// observed does not work.
func (p *Policy) Exempt(control, rule string, ref fleet.Ref, l fleet.Fact[fleet.Listing], at time.Time) (Exemption, bool) {
	for _, e := range p.Exemptions {
		if e.Control == control && (e.Rule == "" || e.Rule == rule) && e.means(ref, l) && at.Before(e.Expires) {
			return e, true
		}
	}
	return Exemption{}, false
}

// Lapsed returns the first exemption that would mean the thing and no longer works at
// a time.
func (p *Policy) Lapsed(control, rule string, ref fleet.Ref, l fleet.Fact[fleet.Listing], at time.Time) (Exemption, bool) {
	for _, e := range p.Expired(at) {
		if e.Control == control && (e.Rule == "" || e.Rule == rule) && e.means(ref, l) {
			return e, true
		}
	}
	return Exemption{}, false
}

func (e Exemption) means(ref fleet.Ref, l fleet.Fact[fleet.Listing]) bool {
	if len(e.Instances) == 0 {
		return e.Match(ref.Scope, l) == Yes
	}
	named := ref.Kind == fleet.KindInstance && slices.Contains(e.Instances, ref.ID)
	return named && (e.Selector.Empty() || e.Match(ref.Scope, l) == Yes)
}

// Expired returns the exemptions that no longer work at a time, in the order of
// the file.
func (p *Policy) Expired(at time.Time) []Exemption {
	var expired []Exemption
	for _, e := range p.Exemptions {
		if !at.Before(e.Expires) {
			expired = append(expired, e)
		}
	}
	return expired
}
