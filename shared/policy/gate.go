package policy

import (
	"slices"

	"fleetwarden/shared/fleet"
)

// Guards reports whether the policy covers an account and region. Without accounts or
// regions in the file all are covered; resources of an account as a whole, which have no
// region, go by the account.
func (p *Policy) Guards(s fleet.Scope) bool {
	if len(p.Accounts) > 0 && !p.Knows(s.Account) {
		return false
	}
	return s.Region == "" || len(p.Regions) == 0 || slices.Contains(p.Regions, s.Region)
}

// Asks reports whether a rule of a control is used: the control is not off, does not skip
// the rule, and the rule's own switch, if it has one, is on.
func (p *Policy) Asks(control, rule string) bool {
	c := p.control(control)
	if c == nil || c.Mode == Off || slices.Contains(c.Skip, rule) {
		return false
	}
	switch rule {
	case RuleIMDS:
		return p.TrustedInstance.IMDS
	case RuleOverBroadRole:
		return p.InstanceRole.WarnOverBroad
	case RuleTrustClient:
		return p.Agent.TrustClient
	}
	return true
}

// Covers is the gate of every rule: whether it applies to a resource in scope, by mode,
// skip, accounts, regions, include and exclude; candidacy and exemptions are for the rules,
// which have the verdict. An empty rule is the control.
func (p *Policy) Covers(control, rule string, scope fleet.Scope, l fleet.Fact[fleet.Listing]) Match {
	if !p.Asks(control, rule) || !p.Guards(scope) {
		return No
	}
	return p.scopeOf(control, rule).Covers(scope, l)
}

// LeftOutByTag reports whether a rule does not apply to a resource because of its tags
// alone, which any principal with tag permissions can set.
func (p *Policy) LeftOutByTag(control, rule string, scope fleet.Scope, l fleet.Fact[fleet.Listing]) bool {
	return p.Asks(control, rule) && p.Guards(scope) && l.Seen() && p.Covers(control, rule, scope, l) == No &&
		p.scopeOf(control, rule).covers(func(s Selector) Match { return s.untagged(scope, l) }) == Maybe
}

// HasScope reports whether a rule has its own selectors, beside those of its control.
func (p *Policy) HasScope(rule string) bool {
	own := p.TrustedInstance.Hardening
	return rule == RuleHardeningAsked && len(own.Include)+len(own.Exclude) > 0
}

// scopeOf is the control, with the rule's own selectors if it has some.
func (p *Policy) scopeOf(control, rule string) Control {
	c := *p.control(control)
	if !p.HasScope(rule) {
		return c
	}
	own := p.TrustedInstance.Hardening
	if len(own.Include) > 0 {
		c.Include = own.Include
	}
	c.Exclude = slices.Concat(c.Exclude, own.Exclude)
	return c
}

// MayChange reports whether a control may change an instance: it covers it, and no
// service owns it unless the control's include names that service.
func (p *Policy) MayChange(control string, scope fleet.Scope, l fleet.Fact[fleet.Listing]) Match {
	c := p.control(control)
	if c == nil || !p.Guards(scope) {
		return No
	}
	return c.MayChange(scope, l)
}

func (p *Policy) control(id string) *Control {
	for _, c := range [...]struct {
		id      string
		control *Control
	}{
		{ControlTrustedInstance, &p.TrustedInstance.Control}, {ControlInstanceRole, &p.InstanceRole.Control},
		{ControlAgent, &p.Agent.Control}, {ControlShareRole, &p.ShareRole.Control},
	} {
		if c.id == id {
			return c.control
		}
	}
	return nil
}
