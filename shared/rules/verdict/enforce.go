package verdict

import (
	"cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// Enforce marks what the control acts on by its mode and enforceFor: the verdict, and which of
// its changes are made. shared, unless nil, says why a change to what others use as well is not
// made for the sake of one of them; "" if it is. What needs a change that is not made is not
// made either.
func Enforce(p *policy.Policy, v fleet.Verdict, listed fleet.Fact[fleet.Listing], shared func(fleet.Change) string) fleet.Verdict {
	match := p.Enforces(v.Control, v.Ref.Scope, listed)
	v.Covered = match == policy.Yes
	if len(v.Changes) == 0 {
		return v
	}
	why := uncovered(p, v, listed, match)
	for i := range v.Changes {
		c := &v.Changes[i]
		c.Covered, c.Uncovered = v.Covered, why
		if v.Covered && shared != nil {
			c.Uncovered = shared(*c)
			c.Covered = c.Uncovered == ""
		}
	}
	for i := range v.Changes {
		for _, need := range v.Changes {
			if c := &v.Changes[i]; c.Covered && need.Ref.Key() == c.Needs && !need.Covered {
				c.Covered, c.Uncovered = false, "it needs what is not made: "+need.Uncovered
			}
		}
	}
	return v
}

// uncovered is why a control of which a part is enforced does not act on a resource.
func uncovered(p *policy.Policy, v fleet.Verdict, listed fleet.Fact[fleet.Listing], match policy.Match) string {
	const audit = "the control is in audit mode, and "
	switch {
	case v.Covered || !p.Partly(v.Control):
		return ""
	case match == policy.Maybe:
		return audit + "whether its enforceFor takes this could not be determined: " + cmp.Or(listed.Why, "it was not read")
	case p.EnforcesByTag(v.Control, v.Ref.Scope, listed):
		return audit + "its enforceFor does not take this, by its tags, or the lack of them; " + AnyTagger
	}
	return audit + "its enforceFor does not take this"
}
