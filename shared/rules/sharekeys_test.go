package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

func TestExactlyTheKeysInUseAreGranted(t *testing.T) {
	w := sharing(trusting(accounts(sharee)), with(string(sharee)))
	v := ruled(t, w, approving(), policy.RuleShareKeys)
	expect(t, v, fleet.Violation, resOne, fleet.SetKeyPolicy, fleet.AttachKeyPolicy)
	set, attach := v.Changes[0], v.Changes[1]
	if set.Ref.ID != "fleetwarden-share-snapshot-1" || set.Want != rampolicy.KeyPolicy(rampolicy.Keys{resOne}) || set.Before != "" {
		t.Errorf("got %+v", set)
	}
	if attach.Want != fleet.SnapshotShareRole || attach.Needs != set.Ref.Key() {
		t.Errorf("got %+v", attach)
	}
	expect(t, ruled(t, sharing(trusting(accounts(sharee), resOne), with(string(sharee))), approving(), policy.RuleShareKeys), fleet.Passes, "")
}

func TestANameThatAnotherPolicyHasIsPassedOver(t *testing.T) {
	w := sharing(trusting(accounts(sharee)), with(string(sharee)))
	w.Sides[0].Taken = fleet.See([]string{"fleetwarden-share-snapshot-1", "fleetwarden-share-snapshot-2"})
	v := ruled(t, w, approving(), policy.RuleShareKeys)
	expect(t, v, fleet.Violation, resOne, fleet.SetKeyPolicy, fleet.AttachKeyPolicy)
	if v.Changes[0].Ref.ID != "fleetwarden-share-snapshot-3" {
		t.Errorf("got %+v", v.Changes[0])
	}
}

func TestAKeyIsAddedToThePolicyThatIsThere(t *testing.T) {
	more := with(string(sharee))
	more.ID, more.Keys = "s-2", fleet.See([]fleet.KMSKey{keyTwo})
	v := ruled(t, sharing(trusting(accounts(sharee), resOne), with(string(sharee)), more), approving(), policy.RuleShareKeys)
	expect(t, v, fleet.Violation, resTwo, fleet.SetKeyPolicy)
	if c := v.Changes[0]; c.Before != rampolicy.KeyPolicy(rampolicy.Keys{resOne}) || c.Want != rampolicy.KeyPolicy(rampolicy.Keys{resOne, resTwo}) {
		t.Errorf("got %+v", c)
	}
}

func TestManyKeysAreSpreadOverPoliciesUntilARoleTakesNoMore(t *testing.T) {
	r := with(string(sharee))
	r.Keys = fleet.See([]fleet.KMSKey(nil))
	for i := range 1200 {
		k := keyOne
		k.ID = fmt.Sprintf("key-hzz%036d", i)
		r.Keys.V = append(r.Keys.V, k)
	}
	v := ruled(t, sharing(trusting(accounts(sharee)), r), approving(), policy.RuleShareKeys)
	if n := len(v.Changes); n != 20 || !strings.Contains(v.Reason, "10 custom policies") {
		t.Fatalf("%d changes: %.200s", n, v.Reason)
	}
	for _, c := range v.Changes {
		if len(c.Want) > rampolicy.MaxPolicy {
			t.Errorf("%s: %d bytes", c.Ref.ID, len(c.Want))
		}
	}
}

func TestAnotherPolicyThatGrantsAKeyIsEnoughAndOneThatDeniesItIsSaid(t *testing.T) {
	role := trusting(accounts(sharee))
	role.V.Policies = []fleet.Policy{{Name: "by-hand", Type: fleet.CustomPolicy, Document: `{"Version":"1","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}`}}
	expect(t, ruled(t, sharing(role, with(string(sharee))), approving(), policy.RuleShareKeys), fleet.Passes, "")
	denied := trusting(accounts(sharee), resOne)
	denied.V.Policies = append(denied.V.Policies, fleet.Policy{Name: "no", Type: fleet.CustomPolicy, Document: `{"Version":"1","Statement":[{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}]}`})
	expect(t, ruled(t, sharing(denied, with(string(sharee))), approving(), policy.RuleShareKeys), fleet.Violation, "denies")
}

func TestThePolicyOfAlibabaCloudIsAttachedOnlyWhereItIsAskedFor(t *testing.T) {
	w := sharing(trusting(accounts(sharee)), with(string(sharee)))
	p := approving(func(p *policy.ShareRole) { p.KeyPolicy = policy.KeysAll })
	v := ruled(t, w, p, policy.RuleShareKeys)
	expect(t, v, fleet.Violation, "", fleet.AttachKeyPolicy)
	if v.Changes[0].Ref.ID != policy.KeysAll {
		t.Errorf("got %+v", v.Changes[0])
	}
}

func TestAServiceKeyIsReportedWithAdviceAndNeverGranted(t *testing.T) {
	r := with(string(sharee))
	r.Keys.V[0].Service = fleet.See(true)
	w := sharing(trusting(accounts(sharee)), r)
	v := ruled(t, w, approving(), policy.RuleServiceKey)
	expect(t, v, fleet.Violation, "s-1")
	if !strings.Contains(v.Remedy, "CopySnapshot") {
		t.Errorf("remedy: %s", v.Remedy)
	}
	expect(t, ruled(t, w, approving(), policy.RuleShareKeys), fleet.NotApplicable, "")
}

func TestAKeyThatIsNotKnownToBeOursIsNotGranted(t *testing.T) {
	for _, change := range []func(*fleet.KMSKey){
		func(k *fleet.KMSKey) { k.Service = fleet.Unknown[bool]("denied") },
		func(k *fleet.KMSKey) { k.Account = stranger },
		func(k *fleet.KMSKey) { k.ID = "*" },
	} {
		r := with(string(sharee))
		change(&r.Keys.V[0])
		expect(t, ruled(t, sharing(trusting(accounts(sharee)), r), approving(), policy.RuleShareKeys), fleet.Undecided, "")
	}
	unread := with(string(sharee))
	unread.Keys = fleet.Unknown[[]fleet.KMSKey]("denied")
	expect(t, ruled(t, sharing(trusting(accounts(sharee)), unread), approving(), policy.RuleShareKeys), fleet.Undecided, "denied")
}

func TestWhatIsNotEncryptedNeedsNothing(t *testing.T) {
	r := with(string(stranger))
	r.Keys = fleet.See([]fleet.KMSKey(nil))
	w := sharing(missing(), r)
	for _, rule := range []string{policy.RuleShareeApproved, policy.RuleShareTrust} {
		expect(t, ruled(t, w, approving(), rule), fleet.NotApplicable, "")
	}
}

// ended is a role of ours with trust and a key that nothing needs, and one still shared.
func ended() *fleet.ShareWorld {
	return sharing(trusting(accounts(sharee, stranger), resOne, resTwo), with(string(sharee)))
}

func TestWhatIsNotNeededAnyMoreIsReportedByDefault(t *testing.T) {
	v := ruled(t, ended(), approving(), policy.RuleTakeBack)
	expect(t, v, fleet.Violation, string(stranger))
	if !strings.Contains(v.Reason, resTwo) || strings.Contains(v.Reason, resOne) || !strings.Contains(v.Remedy, "2024-06-30") {
		t.Errorf("got %+v", v)
	}
	expect(t, ruled(t, sharing(trusting(accounts(sharee), resOne), with(string(sharee))), approving(), policy.RuleTakeBack), fleet.Passes, "")
}

func TestTakingBackWaitsUntilTheSameWasSeenLongEnough(t *testing.T) {
	p := approving(enforced)
	w := ended()
	v := ruled(t, w, p, policy.RuleTakeBack)
	expect(t, v, fleet.Violation, "first time", fleet.MarkUnused)
	mark := v.Changes[0].Want
	w.Sides[0].Tags.V[fleet.TagUnused] = mark
	w.At = noon.Add(p.ShareRole.TakeBackAfter - time.Minute)
	expect(t, ruled(t, w, p, policy.RuleTakeBack), fleet.Violation, "to be taken back in")
	w.At = noon.Add(p.ShareRole.TakeBackAfter)
	v = ruled(t, w, p, policy.RuleTakeBack)
	expect(t, v, fleet.Violation, "", fleet.SetShareTrust, fleet.SetKeyPolicy)
	if v.Changes[0].Want != trusting(accounts(sharee)).V.Trust || v.Changes[1].Want != rampolicy.KeyPolicy(rampolicy.Keys{resOne}) {
		t.Errorf("got %+v", v.Changes)
	}
	w.Sides[0].Regions.V[0].Resources = nil // now other parts are unneeded: the time restarts
	expect(t, ruled(t, w, p, policy.RuleTakeBack), fleet.Violation, "first time", fleet.MarkUnused)
}

func TestWhatIsNeededAgainStopsTheTime(t *testing.T) {
	w := sharing(trusting(accounts(sharee), resOne), with(string(sharee)))
	w.Sides[0].Tags.V[fleet.TagUnused] = "20261101T000000Z-0123456789abcdef"
	v := ruled(t, w, approving(enforced), policy.RuleTakeBack)
	expect(t, v, fleet.Violation, "needed again", fleet.MarkUnused)
	w.Sides[0].Tags.V[fleet.TagUnused] = v.Changes[0].Want
	expect(t, ruled(t, w, approving(enforced), policy.RuleTakeBack), fleet.Passes, "")
}

func TestNothingIsTakenBackWhileAnythingCouldNotBeSeen(t *testing.T) {
	for name, blind := range map[string]func(*fleet.ShareWorld){
		"a region": func(w *fleet.ShareWorld) { w.Sides[0].Regions.V[1].Unread = "denied" },
		"regions":  func(w *fleet.ShareWorld) { w.Sides[0].Regions = fleet.Unknown[[]fleet.ShareRegion]("denied") },
		"a key": func(w *fleet.ShareWorld) {
			w.Sides[0].Regions.V[0].Resources[0].Keys = fleet.Unknown[[]fleet.KMSKey]("denied")
		},
		"the tags": func(w *fleet.ShareWorld) { w.Sides[0].Tags = fleet.Unknown[map[string]string]("denied") },
		"a folder": func(w *fleet.ShareWorld) {
			w.Sides[0].Regions.V[0].Resources[0].Sharees = []fleet.Sharee{{Kind: fleet.ShareeFolder, ID: "fd-new"}}
		},
	} {
		w := ended()
		blind(w)
		v := ruled(t, w, approving(enforced), policy.RuleTakeBack)
		if v.Outcome != fleet.Undecided || len(v.Changes) > 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestTheLastTrustCannotBeTakenBackAndAnEmptyPolicyIsDetached(t *testing.T) {
	p := approving(enforced)
	w := sharing(trusting(accounts(sharee), resOne))
	w.Sides[0].Tags.V[fleet.TagUnused] = ruled(t, w, p, policy.RuleTakeBack).Changes[0].Want
	w.At = noon.Add(p.ShareRole.TakeBackAfter)
	expect(t, ruled(t, w, p, policy.RuleTakeBack), fleet.Violation, "all that the role trusts", fleet.DetachKeyPolicy)
}

func TestAnUnapprovedShareeOfARunningShareKeepsTheTrustItHas(t *testing.T) {
	w := sharing(trusting(accounts(sharee, stranger), resOne), with(string(sharee), string(stranger)))
	expect(t, ruled(t, w, approving(enforced), policy.RuleTakeBack), fleet.Passes, "")
	expect(t, ruled(t, w, approving(enforced), policy.RuleShareeApproved), fleet.Violation, string(stranger))
}
