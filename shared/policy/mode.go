package policy

import (
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// ModeOf returns the mode of a control by its id; an unknown control is off.
func (p *Policy) ModeOf(control string) Mode {
	if c := p.control(control); c != nil {
		return c.Mode
	}
	return Off
}

// Partly reports whether a control is in audit, and enforced for a part of its resources.
func (p *Policy) Partly(control string) bool {
	c := p.control(control)
	return c != nil && c.Mode == Audit && len(c.EnforceFor) > 0
}

// Enforces reports whether a control acts on a resource, by its mode and enforceFor: Maybe
// where that depends on a fact that was not observed, which never allows a change. It says
// nothing of include, exclude and exemptions, which the rules have applied before.
func (p *Policy) Enforces(control string, scope fleet.Scope, l fleet.Fact[fleet.Listing]) Match {
	return p.enforces(control, func(s Selector) Match { return s.Match(scope, l) })
}

// EnforcesByTag reports whether only tags decide that, which any principal with tag
// permissions can set.
func (p *Policy) EnforcesByTag(control string, scope fleet.Scope, l fleet.Fact[fleet.Listing]) bool {
	return p.Partly(control) && p.enforces(control, func(s Selector) Match { return s.untagged(scope, l) }) == Maybe
}

func (p *Policy) enforces(control string, match func(Selector) Match) Match {
	switch {
	case p.ModeOf(control) == Enforce:
		return Yes
	case p.Partly(control):
		return anyOf(p.control(control).EnforceFor, match)
	}
	return No
}

// ActsOn reports whether a rule of a control may have something changed for the sake of a
// resource: it covers it, enforces it, and no exemption excuses it. Maybe where that depends on
// a fact that was not observed.
func (p *Policy) ActsOn(control, rule string, ref fleet.Ref, l fleet.Fact[fleet.Listing], at time.Time) Match {
	excused := No
	for _, e := range p.Exemptions {
		if e.concerns(control, rule, at) {
			excused = max(excused, e.match(ref, l))
		}
	}
	return min(p.Covers(control, rule, ref.Scope, l), p.Enforces(control, ref.Scope, l), Yes-excused)
}

// CoversAll reports whether a rule of a control leaves out nothing that the policy guards, by
// include, exclude or an exemption.
func (p *Policy) CoversAll(control, rule string, at time.Time) bool {
	if !p.Asks(control, rule) {
		return false
	}
	c := p.scopeOf(control, rule)
	return len(c.Include)+len(c.Exclude) == 0 && !slices.ContainsFunc(p.Exemptions, func(e Exemption) bool { return e.concerns(control, rule, at) })
}

// EnforcesAll reports whether a control is enforced for all that the policy guards in an
// account, by accounts and regions alone, so that no fact about a resource can limit it.
func (p *Policy) EnforcesAll(control string, account fleet.AccountID) bool {
	all := func(r fleet.Region) bool {
		return p.Enforces(control, fleet.Scope{Account: account, Region: r}, fleet.Unknown[fleet.Listing]("any")) == Yes
	}
	if len(p.Regions) == 0 {
		return all("")
	}
	return !slices.ContainsFunc(p.Regions, func(r fleet.Region) bool { return !all(r) })
}

// Makes reports whether a control makes a change or has a consequence, as its mode is now, of
// which the gate of the rules has determined whether it is covered by [Policy.Enforces].
func (p *Policy) Makes(control string, covered bool) bool {
	return p.ModeOf(control) == Enforce || p.Partly(control) && covered
}

// Only returns p with all controls but these switched off; without any it is p.
func (p *Policy) Only(controls []string) *Policy {
	if len(controls) == 0 {
		return p
	}
	only := *p
	for _, c := range Controls() {
		if !slices.Contains(controls, c) {
			only.control(c).Mode = Off
		}
	}
	return &only
}
