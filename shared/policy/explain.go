package policy

import (
	"fmt"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// Result is what a policy has a control do with a resource.
type Result string

// The results, without regard to what the rules find.
const (
	// ResultOff: the control is off.
	ResultOff Result = "off"
	// ResultOutside: the resource is outside of the control's scope.
	ResultOutside Result = "not judged"
	// ResultUnknown: a fact is missing that a selector needs: the rules say so, and change
	// nothing.
	ResultUnknown Result = "unknown"
	// ResultAudited: it is judged, and changes are only reported.
	ResultAudited Result = "audited"
	// ResultEnforced: it is judged, and changes are made.
	ResultEnforced Result = "enforced"
)

// Explained is how a policy decides on a resource for one control. A key is a place in the
// file, such as controls.agent.exclude[0].
type Explained struct {
	Control string `json:"control"`
	// Rule is set where a rule has a scope of its own.
	Rule   string `json:"rule,omitempty"`
	Mode   Mode   `json:"mode"`
	Result Result `json:"result"`
	// Judged answers whether the scope has the resource, and ScopeKey is what decided that;
	// empty: nothing limits the scope.
	Judged   Match  `json:"judged"`
	ScopeKey string `json:"scopeKey,omitempty"`
	// Enforced answers whether changes are made, by the mode and EnforceKey.
	Enforced   Match  `json:"enforced"`
	EnforceKey string `json:"enforceKey,omitempty"`
	// ByTags says that one of these answers rests on tags alone, which any principal with tag
	// permissions can set.
	ByTags bool `json:"byTags,omitempty"`
	// Manager owns the instance, and no include names it: it is not changed.
	Manager string `json:"manager,omitempty"`
	// SelfManaged answers whether the resource is the operator's own trust service's, by
	// SelfManagedKey.
	SelfManaged    Match  `json:"selfManaged,omitempty"`
	SelfManagedKey string `json:"selfManagedKey,omitempty"`
	// Skip are rules that are not asked.
	Skip       []string          `json:"skip,omitempty"`
	Exemptions []ExplainedExcuse `json:"exemptions,omitempty"`
}

// ExplainedExcuse is an exemption that names the resource. Of those that work the first one
// counts.
type ExplainedExcuse struct {
	Key string `json:"key"`
	// Rule is empty for each of the control.
	Rule   string `json:"rule,omitempty"`
	Owner  string `json:"owner"`
	Reason string `json:"reason"`
	// LastDay is the last day on which it works, as 2006-01-02.
	LastDay string `json:"lastDay"`
	// Applies is Maybe where a fact is missing; such a one does not work.
	Applies Match `json:"applies"`
	Ended   bool  `json:"ended,omitempty"`
}

// MarshalText implements encoding.TextMarshaler.
func (m Match) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Explain returns how p decides on an instance, or on an account as a whole, at a time. It
// follows the same selectors as the gate of the rules.
func (p *Policy) Explain(ref fleet.Ref, l fleet.Fact[fleet.Listing], at time.Time) (out []Explained) {
	for _, control := range Controls() {
		of, listed := ref, l
		switch {
		case control == ControlShareRole: // it judges accounts
			of = fleet.Ref{Scope: fleet.Scope{Account: ref.Scope.Account}, Kind: fleet.KindAccount}
			listed = fleet.Unknown[fleet.Listing]("not an instance")
		case ref.Kind != fleet.KindInstance:
			continue
		}
		out = append(out, p.explain(control, "", of, listed, at))
		if control == ControlTrustedInstance && p.HasScope(RuleHardeningAsked) {
			out = append(out, p.explain(control, RuleHardeningAsked, of, listed, at))
		}
	}
	return out
}

func (p *Policy) explain(control, rule string, ref fleet.Ref, l fleet.Fact[fleet.Listing], at time.Time) Explained {
	c := p.scopeOf(control, rule)
	e := Explained{Control: control, Rule: rule, Mode: c.Mode, Skip: c.Skip}
	e.Judged, e.ScopeKey = p.judged(control, rule, ref.Scope, l)
	e.Enforced, e.EnforceKey = p.Enforces(control, ref.Scope, l), keyOf(control)+".mode"
	if p.Partly(control) {
		e.EnforceKey = decides(keyOf(control)+".enforceFor", c.EnforceFor, func(s Selector) Match { return s.Match(ref.Scope, l) }, e.Enforced)
	}
	e.ByTags = p.LeftOutByTag(control, rule, ref.Scope, l) || l.Seen() && e.Judged != No && p.EnforcesByTag(control, ref.Scope, l)
	if ref.Kind == fleet.KindInstance {
		if l.Seen() && e.Judged == Yes && c.MayChange(ref.Scope, l) == No {
			e.Manager = l.V.Manager()
		}
		if mine := p.IsSelfManaged(ref.Scope, l); mine != No && (control == ControlInstanceRole || control == ControlAgent) {
			e.SelfManaged, e.SelfManagedKey = mine, decides("selfManaged", p.SelfManaged, func(s Selector) Match { return s.Match(ref.Scope, l) }, mine)
		}
	}
	for i, x := range p.Exemptions {
		applies := x.match(ref, l)
		if x.Control != control || applies == No || rule != "" && x.Rule != "" && x.Rule != rule {
			continue
		}
		e.Exemptions = append(e.Exemptions, ExplainedExcuse{Key: fmt.Sprintf("exemptions[%d]", i), Rule: x.Rule, Owner: x.Owner, Reason: x.Reason,
			LastDay: x.Expires.Add(-time.Nanosecond).UTC().Format(time.DateOnly), Applies: applies, Ended: !at.Before(x.Expires)})
	}
	switch {
	case e.Mode == Off:
		e.Result = ResultOff
	case e.Judged == No:
		e.Result = ResultOutside
	case e.Judged == Maybe:
		e.Result = ResultUnknown
	case e.Enforced == Yes:
		e.Result = ResultEnforced
	default:
		e.Result = ResultAudited
	}
	return e
}

// judged is the scope of a rule, and the key that decides.
func (p *Policy) judged(control, rule string, s fleet.Scope, l fleet.Fact[fleet.Listing]) (Match, string) {
	c, own := p.scopeOf(control, rule), p.control(control)
	match := func(x Selector) Match { return x.Match(s, l) }
	include, exclude := keyOf(control)+".include", keyOf(control)+".exclude"
	answer := c.Covers(s, l)
	switch {
	case c.Mode == Off:
		return No, keyOf(control) + ".mode"
	case len(p.Accounts) > 0 && !p.Knows(s.Account):
		return No, "accounts"
	case !p.Guards(s):
		return No, "regions"
	}
	if out := anyOf(c.Exclude, match); out == Yes || out == Maybe && answer == Maybe {
		key := decides(exclude, own.Exclude, match, out)
		if n := len(own.Exclude); anyOf(own.Exclude, match) != out { // it is the rule's
			key = decides(keyOf(control)+".hardening.exclude", c.Exclude[n:], match, out)
		}
		return answer, key
	}
	if len(c.Include) == 0 {
		return answer, ""
	}
	if p.HasScope(rule) && len(p.TrustedInstance.Hardening.Include) > 0 {
		include = keyOf(control) + ".hardening.include"
	}
	return answer, decides(include, c.Include, match, answer)
}

// decides is the first of some selectors that gives an answer; No is the answer of all.
func decides(key string, of []Selector, match func(Selector) Match, answer Match) string {
	for i, s := range of {
		if answer != No && match(s) == answer {
			return fmt.Sprintf("%s[%d]", key, i)
		}
	}
	return key
}

// keyOf is where a control stands in the file.
func keyOf(control string) string {
	first, rest, _ := strings.Cut(control, "-")
	if rest != "" {
		rest = strings.ToUpper(rest[:1]) + rest[1:]
	}
	return "controls." + first + rest
}
