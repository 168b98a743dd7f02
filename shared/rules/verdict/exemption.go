package verdict

import (
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// OutsideScope is the reason of a verdict on what the policy does not cover.
const OutsideScope = "outside the scope of the policy"

// AnyTagger is the reason why a tag is only a hint. A verdict that rests on such a tag
// includes it, so that no tag has a silent effect.
const AnyTagger = "whoever may tag can set that"

// NoInstance is the listing of what is no instance, for selectors.
func NoInstance() fleet.Fact[fleet.Listing] { return fleet.Unknown[fleet.Listing]("not an instance") }

// Waive makes a violation exempt that the policy exempts now, without its changes; one whose
// exemption has ended says so.
func Waive(p *policy.Policy, v fleet.Verdict, listed fleet.Fact[fleet.Listing], at time.Time) fleet.Verdict {
	if v.Outcome != fleet.Violation && v.Outcome != fleet.Conflict {
		return v
	}
	if e, ok := p.Exempt(v.Control, v.Rule, v.Ref, listed, at); ok {
		return exempted(v, e)
	}
	if e, ok := p.Lapsed(v.Control, v.Rule, v.Ref, listed, at); ok {
		v.Reason += fmt.Sprintf("; the exemption by %s (%s) ended on %s", e.Owner, e.Reason, lastDay(e))
	}
	return v
}

// lastDay is the last day on which an exemption works.
func lastDay(e policy.Exemption) string {
	return e.Expires.Add(-time.Nanosecond).Format(time.DateOnly)
}

func exempted(v fleet.Verdict, e policy.Exemption) fleet.Verdict {
	by := ""
	if e.ByTag() {
		by = ", by its tags (" + AnyTagger + ")"
	}
	v.Reason = fmt.Sprintf("exempt until %s by %s (%s)%s: %s", lastDay(e), e.Owner, e.Reason, by, v.Reason)
	v.Outcome, v.Severity, v.Remedy, v.Changes, v.Again, v.Patience = fleet.Exempted, fleet.Info, "", nil, 0, 0
	return v
}
