package policy

import (
	"cmp"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// Match is whether a selector matches a resource.
type Match uint8

// The answers of a selector, ordered so that min is "and", max is "or", and the difference
// from Yes is "not".
const (
	// No: it does not match.
	No Match = iota
	// Maybe: it needs a fact that was not observed. Never take it for Yes before a change,
	// nor for a reason to pass.
	Maybe
	// Yes: it matches.
	Yes
)

func (m Match) String() string { return [...]string{"no", "maybe", "yes"}[m] }

// The values of Selector.Managed.
const (
	// ManagedNone means instances that no service owns.
	ManagedNone = "none"
	// ManagedAutoScaling means instances of a scaling group.
	ManagedAutoScaling = "auto-scaling"
	// ManagedACK means nodes of a Container Service cluster.
	ManagedACK = "ack"
)

// AnyValue, as the value of a tag, matches each value, and the empty one.
const AnyValue = "*"

// Selector matches a set of resources. All keys that are set must match; within a key one
// value suffices. A selector without any key matches nothing.
type Selector struct {
	Accounts       []fleet.AccountID
	Regions        []fleet.Region
	ResourceGroups []string
	VPCs           []string
	// Tags are all required; AnyValue matches each value.
	Tags map[string]string
	// Families are bare instance families, such as g7t.
	Families []string
	// Managed is the service that owns the instance's life: ManagedNone, ManagedAutoScaling
	// or ManagedACK.
	Managed []string
}

// Match reports whether s matches a resource in scope. Resource groups, VPCs, tags,
// families and managers need an observed listing: an unknown or claimed one gives Maybe.
func (s Selector) Match(scope fleet.Scope, l fleet.Fact[fleet.Listing]) Match {
	if s.Empty() || !oneOf(s.Accounts, scope.Account) || !oneOf(s.Regions, scope.Region) {
		return No
	}
	if !s.asksListing() {
		return Yes
	}
	if !l.Seen() {
		return Maybe
	}
	if s.matchListing(l.V) {
		return Yes
	}
	return No
}

// Empty reports whether s has no key at all.
func (s Selector) Empty() bool {
	return len(s.Accounts) == 0 && len(s.Regions) == 0 && !s.asksListing()
}

func (s Selector) asksListing() bool {
	return len(s.ResourceGroups)+len(s.VPCs)+len(s.Tags)+len(s.Families)+len(s.Managed) > 0
}

func (s Selector) matchListing(l fleet.Listing) bool {
	family, _ := l.Generation()
	return oneOf(s.ResourceGroups, l.ResourceGroup) &&
		oneOf(s.VPCs, l.VPC) &&
		allTags(s.Tags, l.Tags) &&
		oneOf(s.Families, family) &&
		oneOf(s.Managed, manager(l))
}

// oneOf reports whether v is one of the wanted values, or none are wanted.
func oneOf[T comparable](want []T, v T) bool {
	return len(want) == 0 || slices.Contains(want, v)
}

func allTags(want, tags map[string]string) bool {
	for key, value := range want {
		got, ok := tags[key]
		if !ok || value != AnyValue && value != got {
			return false
		}
	}
	return true
}

// manager returns the owner of an instance, in the terms of Selector.Managed.
func manager(l fleet.Listing) string {
	return cmp.Or(managers[l.Manager()], ManagedACK)
}

var managers = map[string]string{"": ManagedNone, "Auto Scaling": ManagedAutoScaling}

// Covers reports whether the control covers a resource. Instances that Auto Scaling or ACK
// own are covered like others; see [Control.MayChange]. A control that is off covers
// nothing. Rules use [Policy.Covers].
func (c Control) Covers(scope fleet.Scope, l fleet.Fact[fleet.Listing]) Match {
	return c.covers(func(s Selector) Match { return s.Match(scope, l) })
}

func (c Control) covers(match func(Selector) Match) Match {
	if c.Mode == Off {
		return No
	}
	included := Yes
	if len(c.Include) > 0 {
		included = anyOf(c.Include, match)
	}
	return min(included, Yes-anyOf(c.Exclude, match))
}

// MayChange reports whether the control may change a resource that it covers: an instance
// that Auto Scaling or ACK owns only if a selector of Include names its manager. It ignores
// audit and enforce, so that audit can report the change. Resources that are not instances
// have no manager and no listing: for those, use Covers.
func (c Control) MayChange(scope fleet.Scope, l fleet.Fact[fleet.Listing]) Match {
	covers := c.Covers(scope, l)
	if covers == No {
		return No
	}
	if !l.Seen() {
		return Maybe
	}
	names := func(s Selector) bool { return len(s.Managed) > 0 && s.Match(scope, l) == Yes }
	if l.V.Manager() != "" && !slices.ContainsFunc(c.Include, names) {
		return No
	}
	return covers
}

// IsSelfManaged reports whether a resource belongs to the operator's own trust service.
func (p *Policy) IsSelfManaged(scope fleet.Scope, l fleet.Fact[fleet.Listing]) Match {
	return anyOf(p.SelfManaged, func(s Selector) Match { return s.Match(scope, l) })
}

// SelfManagedByTag reports whether only tags decide that, which any principal with tag
// permissions can set.
func (p *Policy) SelfManagedByTag(scope fleet.Scope, l fleet.Fact[fleet.Listing]) bool {
	return anyOf(p.SelfManaged, func(s Selector) Match { return s.untagged(scope, l) }) == Maybe
}

// ByTag reports whether s needs tags that any principal with tag permissions can set: those
// of Tags, and that of ACK. The cloud's own tags, acs:…, cannot be set.
func (s Selector) ByTag() bool {
	for key := range s.Tags {
		if !strings.HasPrefix(key, "acs:") {
			return true
		}
	}
	return slices.Contains(s.Managed, ManagedACK) || slices.Contains(s.Managed, ManagedNone)
}

// untagged is Match without relying on tags: Maybe where they decide.
func (s Selector) untagged(scope fleet.Scope, l fleet.Fact[fleet.Listing]) Match {
	if !s.ByTag() {
		return s.Match(scope, l)
	}
	rest := s
	rest.Tags, rest.Managed = nil, nil
	if rest.Empty() {
		return Maybe
	}
	return min(rest.Match(scope, l), Maybe)
}

// anyOf is the "or" of selectors: No without any.
func anyOf(selectors []Selector, match func(Selector) Match) Match {
	best := No
	for _, s := range selectors {
		best = max(best, match(s))
	}
	return best
}
