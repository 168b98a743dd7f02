package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

// inShanghai is the same resource in another region, with a key of that region.
func inShanghai(r fleet.SharedResource) fleet.SharedResource {
	r.Region = "cn-shanghai"
	r.Keys = fleet.See([]fleet.KMSKey{{Account: here.Account, Region: "cn-shanghai", ID: "key-3", Service: fleet.See(false)}})
	return r
}

// twoRegions is a world where a snapshot is shared in each of two regions.
func twoRegions() *fleet.ShareWorld {
	three, _ := rampolicy.KeyResource(inShanghai(with(string(sharee))).Keys.V[0])
	w := sharing(trusting(accounts(sharee), resOne, three), with(string(sharee)))
	w.Sides[0].Regions.V[1].Resources = []fleet.SharedResource{inShanghai(with(string(sharee)))}
	return w
}

// Grants in a region that is missing from a list stay, however long that lasts, and no
// verdict that depends on the list passes.
func TestARegionThatIsNotListedIsNotTakenForGone(t *testing.T) {
	for name, short := range map[string]func(*fleet.ShareSide){
		"by ECS": func(s *fleet.ShareSide) { s.Regions.V = s.Regions.V[:1] },
		"by Resource Sharing": func(s *fleet.ShareSide) {
			s.Regions.V[1].Unlisted, s.Regions.V[1].Resources = true, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := twoRegions()
			short(&w.Sides[0])
			for _, rule := range []string{policy.RuleShareeApproved, policy.RuleShareTrust, policy.RuleTakeBack} {
				expect(t, ruled(t, w, approving(enforced), rule), fleet.Undecided, "cn-shanghai")
			}
		})
	}
}

// Without keys nothing remembers the region: then the time starts again with each change.
func TestTheTimeStartsAgainWhenTheRegionsDiffer(t *testing.T) {
	p := approving(enforced)
	w := sharing(trusting(accounts(sharee, stranger)), with(string(sharee)))
	short := func(w *fleet.ShareWorld) *fleet.ShareWorld {
		c := cloneShares(w)
		c.Sides[0].Regions.V = slices.Clone(w.Sides[0].Regions.V[:1])
		return c
	}
	mark := func(w *fleet.ShareWorld) string {
		v := ruled(t, w, p, policy.RuleTakeBack)
		expect(t, v, fleet.Violation, "first time", fleet.MarkUnused)
		return v.Changes[0].Want
	}
	w.Sides[0].Tags.V[fleet.TagUnused] = mark(w)
	w.At = noon.Add(p.ShareRole.TakeBackAfter + time.Hour)
	one := short(w)
	one.Sides[0].Tags.V[fleet.TagUnused] = mark(one)
	w.Sides[0].Tags.V[fleet.TagUnused] = one.Sides[0].Tags.V[fleet.TagUnused]
	w.At = w.At.Add(24 * time.Hour)
	mark(w)
}

// A region where Resource Sharing is known not to be served is like one without shares.
func TestWhereNothingCanBeSharedNothingIsUnknown(t *testing.T) {
	w := sharing(trusting(accounts(sharee), resOne), with(string(sharee)))
	w.Sides[0].Regions.V = append(w.Sides[0].Regions.V, fleet.ShareRegion{Region: "cn-nanjing"}, fleet.ShareRegion{Region: "xx-new", Unlisted: true})
	for _, rule := range []string{policy.RuleShareeApproved, policy.RuleShareTrust, policy.RuleShareKeys, policy.RuleTakeBack} {
		expect(t, ruled(t, w, approving(enforced), rule), fleet.Passes, "")
	}
}

func TestARegionOutsideThePolicyIsNotJudgedAndLosesNothing(t *testing.T) {
	three, _ := rampolicy.KeyResource(inShanghai(with(string(stranger))).Keys.V[0])
	w := sharing(trusting(accounts(sharee, stranger), resOne, three), with(string(sharee)))
	outside := &w.Sides[0].Regions.V[1]
	p := approving(enforced)
	p.Regions = []fleet.Region{"cn-hangzhou"}
	outside.Resources = []fleet.SharedResource{inShanghai(with(string(stranger)))}
	all := []string{policy.RuleShareTrust, policy.RuleShareKeys, policy.RuleTakeBack}
	for _, rule := range all {
		expect(t, ruled(t, w, p, rule), fleet.Passes, "")
	}
	if v := ruled(t, w, p, policy.RuleShareeApproved); strings.Contains(v.Reason, "shared with") {
		t.Errorf("the share itself is judged: %+v", v)
	}
	// An unread region only blocks removals.
	outside.Resources, outside.Unread = nil, "no answer"
	for _, rule := range all[:2] {
		expect(t, ruled(t, w, p, rule), fleet.Passes, "")
	}
	if v := ruled(t, w, p, policy.RuleTakeBack); v.Outcome != fleet.Undecided || !strings.Contains(v.Reason, "cn-shanghai") {
		t.Errorf("got %+v", v)
	}
}

// A key that could be ECS's own, or the account's, is not known to be unused.
func TestAKeyOfUnknownKindIsNotTakenBack(t *testing.T) {
	r := with(string(sharee))
	r.Keys.V[0].Service = fleet.Unknown[bool]("denied")
	expect(t, ruled(t, sharing(trusting(accounts(sharee), resOne), r), approving(enforced), policy.RuleTakeBack), fleet.Passes, "")
}
