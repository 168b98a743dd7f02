package policy

import (
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// Exemption excuses violations, for a time, by its owner's decision.
type Exemption struct {
	// Control is the id of a control.
	Control string
	// Rule is the id of one of its rules; empty for all.
	Rule string
	// Selector and Instances both have to match the resource, as far as they are set. At
	// least one of them is.
	Selector
	Instances []string
	// Owner answers for the exemption; Reason says why it exists.
	Owner  string
	Reason string
	// Expires is the end of the exemption, exclusive.
	Expires time.Time
}

// Exempt returns the first valid exemption of a violation. One that needs facts that were
// not observed does not apply.
func (p *Policy) Exempt(control, rule string, ref fleet.Ref, l fleet.Fact[fleet.Listing], at time.Time) (Exemption, bool) {
	for _, e := range p.Exemptions {
		if e.Control == control && (e.Rule == "" || e.Rule == rule) && e.means(ref, l) && at.Before(e.Expires) {
			return e, true
		}
	}
	return Exemption{}, false
}

// Lapsed returns the first exemption that would match the resource and has expired at a
// time.
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

// Expired returns the exemptions that have expired at a time, in the order of the file.
func (p *Policy) Expired(at time.Time) []Exemption {
	var expired []Exemption
	for _, e := range p.Exemptions {
		if !at.Before(e.Expires) {
			expired = append(expired, e)
		}
	}
	return expired
}
