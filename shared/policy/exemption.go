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
	return first(p.Exemptions, func(e Exemption) bool { return e.concerns(control, rule, at) && e.means(ref, l) })
}

// Lapsed returns the first exemption that would match the resource and has expired at a
// time.
func (p *Policy) Lapsed(control, rule string, ref fleet.Ref, l fleet.Fact[fleet.Listing], at time.Time) (Exemption, bool) {
	return first(p.Exemptions, func(e Exemption) bool { return !at.Before(e.Expires) && e.excuses(control, rule, ref, l) })
}

func first(of []Exemption, ok func(Exemption) bool) (Exemption, bool) {
	if i := slices.IndexFunc(of, ok); i >= 0 {
		return of[i], true
	}
	return Exemption{}, false
}

func (e Exemption) excuses(control, rule string, ref fleet.Ref, l fleet.Fact[fleet.Listing]) bool {
	return e.about(control, rule) && e.means(ref, l)
}

func (e Exemption) about(control, rule string) bool {
	return e.Control == control && (e.Rule == "" || e.Rule == rule)
}

// concerns reports whether the exemption works for a rule at a time.
func (e Exemption) concerns(control, rule string, at time.Time) bool {
	return at.Before(e.Expires) && e.about(control, rule)
}

func (e Exemption) means(ref fleet.Ref, l fleet.Fact[fleet.Listing]) bool {
	return e.match(ref, l) == Yes
}

// match is the answer of the exemption's instances and selector on a resource.
func (e Exemption) match(ref fleet.Ref, l fleet.Fact[fleet.Listing]) Match {
	switch {
	case len(e.Instances) == 0:
		return e.Match(ref.Scope, l)
	case ref.Kind != fleet.KindInstance || !slices.Contains(e.Instances, ref.ID):
		return No
	case e.Selector.Empty():
		return Yes
	}
	return e.Match(ref.Scope, l)
}

// Expired returns the exemptions that have expired at a time, in the order of the file.
func (p *Policy) Expired(at time.Time) []Exemption {
	return slices.DeleteFunc(slices.Clone(p.Exemptions), func(e Exemption) bool { return at.Before(e.Expires) })
}
