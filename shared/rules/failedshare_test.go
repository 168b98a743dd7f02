package rules_test

import (
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules"
)

func repeating(p *policy.ShareRole) { p.RetryFailedShare = true }

// imageRole is a role of ours that trusts the sharee and grants keyOne.
func imageRole() fleet.Fact[fleet.Role] {
	return trusting(accounts(sharee), resOne)
}

// failedToShare is a world in which sharing an image with sharee and stranger failed
// an hour ago, and the role stands by now.
func failedToShare(change ...func(*fleet.ShareWorld, *fleet.ShareSide)) *fleet.ShareWorld {
	w := sharing(imageRole())
	side := &w.Sides[0]
	side.Ref.Kind = fleet.KindImageShare
	side.Ref.Call = &fleet.Call{ErrorCode: fleet.AssumeRoleError, Time: noon.Add(-time.Hour).Format(time.RFC3339),
		Share: &fleet.Share{ImageID: "s-1", Add: []fleet.AccountID{sharee, stranger}}}
	side.Claimed = []fleet.SharedResource{with()}
	for _, c := range change {
		c(w, side)
	}
	return w
}

// silent fails if the rule says anything.
func silent(t *testing.T, name string, w *fleet.ShareWorld, p *policy.Policy) {
	t.Helper()
	for _, v := range rules.ShareRole(w, p) {
		if v.Rule == rules.RuleFailedShare {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestAFailedShareIsRepeatedForExactlyTheApproved(t *testing.T) {
	v := ruled(t, failedToShare(), approving(repeating), rules.RuleFailedShare)
	expect(t, v, fleet.Violation, "s-1", fleet.RetryShare, fleet.MarkRetried)
	again, mark := v.Changes[0], v.Changes[1]
	if again.Want != string(sharee) || again.Ref.ID != "s-1" || again.Ref.Scope.Region != "cn-hangzhou" || again.Needs != mark.Ref.Key() {
		t.Errorf("got %+v", again)
	}
	if !strings.HasPrefix(mark.Want, noon.Format("20060102")+"-") {
		t.Errorf("got %+v", mark)
	}
}

func TestAFailedShareIsNotRepeatedUnlessAskedFor(t *testing.T) {
	silent(t, "off", failedToShare(), approving())
	for name, change := range map[string]func(*fleet.ShareWorld, *fleet.ShareSide){
		"not our image, or not encrypted": func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed = nil },
		"no keys":                         func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed[0].Keys = fleet.See([]fleet.KMSKey(nil)) },
		"keys not read": func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
			s.Claimed[0].Keys = fleet.Dunno[[]fleet.KMSKey]("denied")
		},
		"a service key":      func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed[0].Keys.V[0].Service = fleet.See(true) },
		"nobody approved":    func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.Share.Add = []fleet.AccountID{stranger} },
		"the account itself": func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.Share.Add = []fleet.AccountID{here.Account} },
		"another error":      func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.ErrorCode = "Throttling" },
		"too old":            func(w *fleet.ShareWorld, _ *fleet.ShareSide) { w.At = w.At.Add(24 * time.Hour) },
	} {
		silent(t, name, failedToShare(change), approving(repeating))
	}
	shared := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Claimed = []fleet.SharedResource{with(string(sharee))}
	})
	expect(t, ruled(t, shared, approving(repeating), rules.RuleFailedShare), fleet.Passes, "by now")
}

func TestAFailedShareWaitsForTheRole(t *testing.T) {
	for name, role := range map[string]fleet.Fact[fleet.Role]{
		"missing": missing(), "no trust": trusting(accounts("1000000000000003"), resOne), "no keys": trusting(accounts(sharee)),
		"unreadable": fleet.Dunno[fleet.Role]("denied"), "broken": fleet.See(fleet.Role{Trust: "{"}),
	} {
		w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Role = role })
		v := ruled(t, w, approving(repeating), rules.RuleFailedShare)
		expect(t, v, fleet.Violation, "once the role stands")
		if v.Again == 0 {
			t.Errorf("%s: nobody looks again", name)
		}
		w.Sides[0].Ref.Try.N = 8
		if v := ruled(t, w, approving(repeating), rules.RuleFailedShare); v.Again != 0 {
			t.Errorf("%s: it waits without an end", name)
		}
		audit := approving(repeating, func(p *policy.ShareRole) { p.Mode = policy.Audit })
		if v := ruled(t, failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Role = role }), audit, rules.RuleFailedShare); v.Again != 0 {
			t.Errorf("%s: audit waits for what it does not do", name)
		}
	}
}

func TestAFailedShareIsRepeatedOnceADay(t *testing.T) {
	p := approving(repeating)
	w := failedToShare()
	marked := ruled(t, w, p, rules.RuleFailedShare).Changes[1].Want
	w.Sides[0].Tags.V[fleet.TagRetried] = marked
	expect(t, ruled(t, w, p, rules.RuleFailedShare), fleet.Violation, "repeated today")

	other := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Tags.V[fleet.TagRetried], s.Claimed[0].ID, s.Ref.Call.Share.ImageID = marked, "s-2", "s-2"
	})
	v := ruled(t, other, p, rules.RuleFailedShare)
	expect(t, v, fleet.Violation, "s-2", fleet.RetryShare, fleet.MarkRetried)
	if both := v.Changes[1].Want; !strings.HasPrefix(both, marked+"-") {
		t.Errorf("%s forgets %s", both, marked)
	}

	w.At = w.At.Add(13 * time.Hour) // the next day
	expect(t, ruled(t, w, p, rules.RuleFailedShare), fleet.Violation, "", fleet.RetryShare, fleet.MarkRetried)

	full := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Tags.V[fleet.TagRetried] = noon.Format("20060102") + strings.Repeat("-0123456789ab", 9)
	})
	expect(t, ruled(t, full, p, rules.RuleFailedShare), fleet.Violation, "not repeated")

	unread := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Tags = fleet.Dunno[map[string]string]("denied") })
	expect(t, ruled(t, unread, p, rules.RuleFailedShare), fleet.Undecided, "denied")
}

func TestNoMoreAccountsAreSharedWithThanOneCallTakes(t *testing.T) {
	var many []fleet.AccountID
	for n := range 15 {
		many = append(many, fleet.AccountID("20000000000000"+string(rune('0'+n/10))+string(rune('0'+n%10))))
	}
	p := approving(repeating, func(p *policy.ShareRole) {
		for _, id := range many {
			p.Approved.Accounts = append(p.Approved.Accounts, policy.ApprovedAccount{ID: id, Trust: policy.TrustNow})
		}
	})
	w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Ref.Call.Share.Add, s.Role = many, trusting(rampolicy.Sharees{Accounts: many}, resOne)
	})
	v := ruled(t, w, p, rules.RuleFailedShare)
	expect(t, v, fleet.Violation, "", fleet.RetryShare, fleet.MarkRetried)
	if n := len(strings.Fields(v.Changes[0].Want)); n != 10 {
		t.Errorf("%d accounts", n)
	}
}

// alsoFailed joins a share of image s-2, with a key of its own, to the one that failed.
func alsoFailed(accounts ...fleet.AccountID) func(*fleet.ShareWorld, *fleet.ShareSide) {
	return func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		other := with()
		other.ID, other.Region, other.Keys = "s-2", "cn-shanghai", fleet.See([]fleet.KMSKey{keyTwo})
		s.Claimed = append(s.Claimed, other)
		s.Ref.Call.Share.Also = append(s.Ref.Call.Share.Also, fleet.FailedShare{ImageID: "s-2", Accounts: accounts, Time: s.Ref.Call.Time})
	}
}

const third fleet.AccountID = "1000000000000003"

func approvingThird(p *policy.ShareRole) {
	p.Approved.Accounts = append(p.Approved.Accounts, policy.ApprovedAccount{ID: third, Trust: policy.TrustNow})
}

func TestEachImageIsRepeatedWithItsOwnAccountsOnly(t *testing.T) {
	p := approving(repeating, approvingThird)
	w := failedToShare(alsoFailed(third, stranger), func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Role = trusting(accounts(sharee, third), resOne, resTwo)
	})
	v := ruled(t, w, p, rules.RuleFailedShare)
	expect(t, v, fleet.Violation, "image s-1, image s-2", fleet.RetryShare, fleet.RetryShare, fleet.MarkRetried)
	one, two := v.Changes[0], v.Changes[1]
	if one.Ref.ID != "s-1" || one.Want != string(sharee) || one.Ref.Scope.Region != "cn-hangzhou" {
		t.Errorf("got %+v", one)
	}
	if two.Ref.ID != "s-2" || two.Want != string(third) || two.Ref.Scope.Region != "cn-shanghai" {
		t.Errorf("got %+v", two)
	}
	if n := strings.Count(v.Changes[2].Want, "-"); n != 2 {
		t.Errorf("the mark %s remembers %d shares", v.Changes[2].Want, n)
	}
	w.Sides[0].Tags.V[fleet.TagRetried] = v.Changes[2].Want
	said := repeatsOf(w, p)
	for id, region := range map[string]fleet.Region{"s-1": "cn-hangzhou", "s-2": "cn-shanghai"} {
		expect(t, said[id], fleet.Violation, "repeated today")
		if said[id].Ref.Scope.Region != region {
			t.Errorf("got %+v", said[id].Ref)
		}
	}
}

// repeatsOf are the verdicts on failed shares, by image: "" for what is to be repeated.
func repeatsOf(w *fleet.ShareWorld, p *policy.Policy) map[string]fleet.Verdict {
	out := map[string]fleet.Verdict{}
	for _, v := range rules.ShareRole(w, p) {
		if v.Rule == rules.RuleFailedShare {
			out[v.Ref.ID] = v
		}
	}
	return out
}

func TestAShareThatCanBeRepeatedDoesNotWaitForAnother(t *testing.T) {
	w := failedToShare(alsoFailed(sharee)) // its role does not grant the key of s-2
	v := ruled(t, w, approving(repeating), rules.RuleFailedShare)
	expect(t, v, fleet.Violation, "image s-2 is repeated once the role stands", fleet.RetryShare, fleet.MarkRetried)
	if v.Changes[0].Ref.ID != "s-1" || v.Again == 0 {
		t.Errorf("got %+v", v)
	}
	w.Sides[0].Tags.V[fleet.TagRetried] = v.Changes[1].Want
	said := repeatsOf(w, approving(repeating))
	expect(t, said["s-1"], fleet.Violation, "repeated today")
	expect(t, said[""], fleet.Violation, "s-2")
	if said[""].Again == 0 || said["s-1"].Again != 0 {
		t.Error("nobody looks at s-2 again, or somebody at s-1")
	}
}

func TestFailedSharesOfSeveralImagesGetTheirKeys(t *testing.T) {
	w := failedToShare(alsoFailed(sharee), func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Role = trusting(accounts(sharee)) })
	v := ruled(t, w, approving(), rules.RuleShareKeys)
	expect(t, v, fleet.Violation, resTwo, fleet.SetKeyPolicy, fleet.AttachKeyPolicy)
	if v.Changes[0].Want != rampolicy.KeyPolicy(rampolicy.Keys{resOne, resTwo}) {
		t.Errorf("got %+v", v.Changes[0])
	}
}

func TestOnlyTheImagesOfApprovedAccountsGetTheirKeys(t *testing.T) {
	w := failedToShare(alsoFailed(stranger))
	expect(t, ruled(t, w, approving(), rules.RuleShareKeys), fleet.Passes, "1 keys")
}

func TestTheKeyOfAFailedShareThatCouldNotBeToldIsUnknown(t *testing.T) {
	for word, change := range map[string]func(*fleet.ShareWorld, *fleet.ShareSide){
		"names no image": func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.Share.ImageID, s.Claimed = "", nil },
		"cn-shanghai":    func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed, s.Regions.V[1].Unread = nil, "denied" },
		"keys of s-1": func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
			s.Claimed[0].Keys = fleet.Dunno[[]fleet.KMSKey]("denied")
		},
	} {
		expect(t, ruled(t, failedToShare(change), approving(), rules.RuleShareKeys), fleet.Undecided, word)
	}
	foreign := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed = nil })
	expect(t, ruled(t, foreign, approving(), rules.RuleShareKeys), fleet.NotApplicable, "")
}

func TestEachFailedShareCountsForADayOfItsOwn(t *testing.T) {
	w := failedToShare(alsoFailed(third))
	w.Sides[0].Ref.Call.Share.Also[0].Time = noon.Add(-25 * time.Hour).Format(time.RFC3339)
	v := ruled(t, w, approving(approvingThird), rules.RuleShareTrust)
	expect(t, v, fleet.Passes, "")
	w.Sides[0].Ref.Call.Share.Also[0].Time = noon.Add(-23 * time.Hour).Format(time.RFC3339)
	expect(t, ruled(t, w, approving(approvingThird), rules.RuleShareTrust), fleet.Violation, string(third), fleet.SetShareTrust)
}

func TestAccountsThatAreNoNumbersAreNeverTrustedNorSharedWith(t *testing.T) {
	w := failedToShare(alsoFailed("*", "evil", ""), func(w *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Ref.Call.Share.Add = []fleet.AccountID{"*", "root", "1000000000000002@evil"}
		w.Directory.V.Members["evil"] = fleet.See("")
	})
	p := approving(repeating, func(p *policy.ShareRole) { p.Approved.Directory = policy.TrustNow })
	silent(t, "odd accounts", w, p)
	if c := ruled(t, w, p, rules.RuleShareTrust).Changes; len(c) > 0 {
		t.Errorf("got %+v", c)
	}
}

// The limit of a pass stops changes in the order of the list: a mark without its share would
// be a share that nobody makes that day.
func TestALimitHoldsTheMarkBeforeItHoldsAShare(t *testing.T) {
	v := ruled(t, failedToShare(), approving(repeating), rules.RuleFailedShare)
	if n := len(v.Changes); v.Changes[n-1].Kind != fleet.MarkRetried || v.Changes[0].Needs != v.Changes[n-1].Ref.Key() {
		t.Errorf("got %v", kinds(v))
	}
}

func TestAFailedShareWithSomebodyUnapprovedIsReportedAndNobodyTrusted(t *testing.T) {
	w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Ref.Call.Share.Add, s.Role = []fleet.AccountID{stranger}, missing()
	})
	v := ruled(t, w, approving(), rules.RuleShareeApproved)
	expect(t, v, fleet.Violation, string(stranger))
	if v.Evidence[0].Source != fleet.Claimed.String() {
		t.Errorf("got %+v", v.Evidence)
	}
	expect(t, ruled(t, w, approving(), rules.RuleShareTrust), fleet.NotApplicable, "")
}
