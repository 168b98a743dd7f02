package rules_test

import (
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/shares"
)

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
	for _, v := range shares.Role(w, p) {
		if v.Rule == policy.RuleFailedShare {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestAShareThatLackedRightsIsToBeRepeatedOnceTheyAreThere(t *testing.T) {
	const again = "aliyun ecs ModifyImageSharePermission --RegionId cn-hangzhou --ImageId s-1 --AddAccount.1 1000000000000002"
	for _, code := range []string{fleet.AssumeRoleError, "InvalidParameter.KMSKeyId.CMKUnauthorized", "InvalidParameter.KMSKeyId.KMSUnauthorized"} {
		w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.ErrorCode = code })
		v := ruled(t, w, approving(), policy.RuleFailedShare)
		expect(t, v, fleet.Violation, "has the rights by now")
		if v.Ref.ID != "s-1" || v.Ref.Kind != fleet.KindImage || v.Remedy != again {
			t.Errorf("%s: %+v", code, v)
		}
		w.Sides[0].Role = trusting(accounts(sharee))
		expect(t, ruled(t, w, approving(), policy.RuleShareKeys), fleet.Violation, resOne, fleet.SetKeyPolicy, fleet.AttachKeyPolicy)
		w.Sides[0].Role = missing()
		expect(t, ruled(t, w, approving(), policy.RuleShareTrust), fleet.Violation, "missing", fleet.EnsureShareRole)
		if v := ruled(t, w, approving(), policy.RuleFailedShare); !strings.Contains(v.Remedy, "once share-trust and share-keys pass: "+again) {
			t.Errorf("%s: %s", code, v.Remedy)
		}
	}
}

// unhealed are the codes that no grant heals, each with a word of what to do.
var unhealed = map[string]string{
	"InvalidParameter.KMSKeyId.CMKNotEnabled":                 "EnableKey",
	"InvalidOperation.ServiceKeyEncryptedImageUnsupported":    "CopyImage",
	"InvalidOperation.ServiceKeyEncryptedSnapshotUnsupported": "CopyImage",
	"OperationDeined.FullImage":                               "system disk",
	"OperationDeined.EncryptedSnapshot":                       "not encrypted",
	"OperationDenied.InvalidImageStatus":                      "ModifyImageAttribute",
	"InvalidImageId.BidMismatch":                              "export the image",
	"QuotaExceed.ShareImage":                                  "quota",
	"QuotaExceed.ShareImageUser":                              "quota",
}

func TestAFailureThatNoGrantHealsSaysWhatToDoAndNothingIsGranted(t *testing.T) {
	for code, word := range unhealed {
		w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.ErrorCode, s.Role = code, missing() })
		v := ruled(t, w, approving(), policy.RuleFailedShare)
		expect(t, v, fleet.Violation, code)
		if !strings.Contains(v.Remedy, word) {
			t.Errorf("%s: %s", code, v.Remedy)
		}
		for _, v := range shares.Role(w, approving()) {
			if len(v.Changes) > 0 {
				t.Errorf("%s: %s changes %v", code, v.Rule, kinds(v))
			}
		}
	}
}

// The rows of the table and those of the advice are the same: each kind of failure has
// words of its own.
func TestEachFailureOfTheTableHasAdviceOfItsOwn(t *testing.T) {
	said := map[string]fleet.ShareFailure{}
	for code := range unhealed {
		w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.ErrorCode = code })
		v := ruled(t, w, approving(), policy.RuleFailedShare)
		if of, ok := said[v.Remedy]; ok && of != fleet.ShareFailureOf(code) {
			t.Errorf("%s has the advice of another row", code)
		}
		said[v.Remedy] = fleet.ShareFailureOf(code)
	}
	if len(said) != int(fleet.ShareQuota)-1 { // all but NoShareFailure and LacksRights
		t.Errorf("%d kinds of advice", len(said))
	}
}

func TestNoAdviceDeletesARoleAndNothingIsUnneededWhileSharesFail(t *testing.T) {
	codes := []string{fleet.AssumeRoleError}
	for code := range unhealed {
		codes = append(codes, code)
	}
	for _, code := range codes {
		w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.ErrorCode = code })
		expect(t, ruled(t, w, approving(), policy.RuleTakeBack), fleet.Passes, "")
	}
	idle := sharing(imageRole())
	idle.Sides[0].Tags = fleet.See(map[string]string{})
	for _, v := range shares.Role(idle, approving()) {
		if text := v.Reason + v.Remedy; strings.Contains(text, "delete the role") || strings.Contains(text, "DeleteRole") {
			t.Errorf("%s: %s", v.Rule, text)
		}
	}
}

func TestWhatIsNoFailedShareOfOursIsNotReported(t *testing.T) {
	for name, change := range map[string]func(*fleet.ShareWorld, *fleet.ShareSide){
		"not our image, or not encrypted": func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed = nil },
		"no approved account":             func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.Share.Add = []fleet.AccountID{stranger} },
		"the account itself":              func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.Share.Add = []fleet.AccountID{here.Account} },
		"another error":                   func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.ErrorCode = "Throttling" },
		"too old":                         func(w *fleet.ShareWorld, _ *fleet.ShareSide) { w.At = w.At.Add(24 * time.Hour) },
	} {
		silent(t, name, failedToShare(change), approving())
	}
	shared := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Claimed = []fleet.SharedResource{with(string(sharee))}
	})
	expect(t, ruled(t, shared, approving(), policy.RuleFailedShare), fleet.Passes, "by now")
}

func TestAServiceKeyIsSaidWhateverTheCode(t *testing.T) {
	w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed[0].Keys.V[0].Service = fleet.See(true) })
	if v := ruled(t, w, approving(), policy.RuleFailedShare); !strings.Contains(v.Remedy, "CopyImage") {
		t.Errorf("got %s", v.Remedy)
	}
}

func TestACallNamesNoMoreAccountsThanECSObeys(t *testing.T) {
	var many []fleet.AccountID
	for n := range 15 {
		many = append(many, fleet.AccountID("20000000000000"+string(rune('0'+n/10))+string(rune('0'+n%10))))
	}
	p := approving(func(p *policy.ShareRole) {
		for _, id := range many {
			p.Approved.Accounts = append(p.Approved.Accounts, policy.ApprovedAccount{ID: id, Trust: policy.TrustNow})
		}
	})
	w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Ref.Call.Share.Add, s.Role = many, trusting(rampolicy.Sharees{Accounts: many}, resOne)
	})
	if v := ruled(t, w, p, policy.RuleFailedShare); strings.Count(v.Remedy, "AddAccount") != 10 {
		t.Errorf("got %s", v.Remedy)
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

func TestEachFailedShareIsReportedOfItsImageWithItsOwnAccounts(t *testing.T) {
	w := failedToShare(alsoFailed(third, stranger), func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Ref.Call.Share.Also[0].Code = "OperationDeined.FullImage"
	})
	said := map[string]fleet.Verdict{}
	for _, v := range shares.Role(w, approving(approvingThird)) {
		if v.Rule == policy.RuleFailedShare {
			said[v.Ref.ID] = v
		}
	}
	expect(t, said["s-1"], fleet.Violation, string(sharee)+" failed with AssumeRoleError")
	expect(t, said["s-2"], fleet.Violation, string(third)+" "+string(stranger)+" failed with OperationDeined.FullImage")
	if said["s-2"].Ref.Scope.Region != "cn-shanghai" {
		t.Errorf("got %+v", said["s-2"].Ref)
	}
}

func TestFailedSharesOfSeveralImagesGetTheirKeys(t *testing.T) {
	w := failedToShare(alsoFailed(sharee), func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Role = trusting(accounts(sharee)) })
	v := ruled(t, w, approving(), policy.RuleShareKeys)
	expect(t, v, fleet.Violation, resTwo, fleet.SetKeyPolicy, fleet.AttachKeyPolicy)
	if v.Changes[0].Want != rampolicy.KeyPolicy(rampolicy.Keys{resOne, resTwo}) {
		t.Errorf("got %+v", v.Changes[0])
	}
}

func TestOnlyTheImagesOfApprovedAccountsGetTheirKeys(t *testing.T) {
	w := failedToShare(alsoFailed(stranger))
	expect(t, ruled(t, w, approving(), policy.RuleShareKeys), fleet.Passes, "1 keys")
}

func TestAKeyOfAFailedShareThatWasNotReadIsUnknown(t *testing.T) {
	for word, change := range map[string]func(*fleet.ShareWorld, *fleet.ShareSide){
		"names no image": func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.Share.ImageID, s.Claimed = "", nil },
		"cn-shanghai":    func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed, s.Regions.V[1].Unread = nil, "denied" },
		"keys of s-1": func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
			s.Claimed[0].Keys = fleet.Unknown[[]fleet.KMSKey]("denied")
		},
	} {
		expect(t, ruled(t, failedToShare(change), approving(), policy.RuleShareKeys), fleet.Undecided, word)
	}
	foreign := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed = nil })
	expect(t, ruled(t, foreign, approving(), policy.RuleShareKeys), fleet.NotApplicable, "")
}

func TestEachFailedShareCountsForADayOfItsOwn(t *testing.T) {
	w := failedToShare(alsoFailed(third))
	w.Sides[0].Ref.Call.Share.Also[0].Time = noon.Add(-25 * time.Hour).Format(time.RFC3339)
	v := ruled(t, w, approving(approvingThird), policy.RuleShareTrust)
	expect(t, v, fleet.Passes, "")
	w.Sides[0].Ref.Call.Share.Also[0].Time = noon.Add(-23 * time.Hour).Format(time.RFC3339)
	expect(t, ruled(t, w, approving(approvingThird), policy.RuleShareTrust), fleet.Violation, string(third), fleet.SetShareTrust)
}

func TestAccountsThatAreNoNumbersAreNeverTrustedNorSharedWith(t *testing.T) {
	w := failedToShare(alsoFailed("*", "evil", ""), func(w *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Ref.Call.Share.Add = []fleet.AccountID{"*", "root", "1000000000000002@evil"}
		w.Directory.V.Members["evil"] = fleet.See("")
	})
	p := approving(func(p *policy.ShareRole) { p.Approved.Directory = policy.TrustNow })
	silent(t, "odd accounts", w, p)
	if c := ruled(t, w, p, policy.RuleShareTrust).Changes; len(c) > 0 {
		t.Errorf("got %+v", c)
	}
}

func TestAFailedShareWithAnUnapprovedAccountIsReportedAndNotTrusted(t *testing.T) {
	w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Ref.Call.Share.Add, s.Role = []fleet.AccountID{stranger}, missing()
	})
	v := ruled(t, w, approving(), policy.RuleShareeApproved)
	expect(t, v, fleet.Violation, string(stranger))
	if v.Evidence[0].Source != fleet.Claimed.String() {
		t.Errorf("got %+v", v.Evidence)
	}
	expect(t, ruled(t, w, approving(), policy.RuleShareTrust), fleet.NotApplicable, "")
}

// A share that failed for another reason than rights is reported with an unapproved account
// too; the call to repeat names approved accounts alone.
func TestNoCallToRepeatNamesAnUnapprovedAccount(t *testing.T) {
	for code := range unhealed {
		for _, named := range [][]fleet.AccountID{{sharee, stranger}, {stranger}} {
			w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
				s.Ref.Call.ErrorCode, s.Ref.Call.Share.Add = code, named
			})
			v := ruled(t, w, approving(), policy.RuleFailedShare)
			expect(t, v, fleet.Violation, code)
			if strings.Contains(v.Remedy, string(stranger)) {
				t.Errorf("%s: %s", code, v.Remedy)
			}
			if len(named) == 1 && strings.Contains(v.Remedy, "AddAccount") {
				t.Errorf("%s: a call without accounts: %s", code, v.Remedy)
			}
			expect(t, ruled(t, w, approving(), policy.RuleShareeApproved), fleet.Violation, string(stranger))
		}
	}
}

func TestAShareThatFailsInAnUnguardedRegionKeepsWhatItNeeds(t *testing.T) {
	w := failedToShare()
	w.Sides[0].Claimed[0].Region = "cn-beijing"
	w.Sides[0].Regions.V = append(w.Sides[0].Regions.V, fleet.ShareRegion{Region: "cn-beijing", Resources: w.Sides[0].Claimed})
	p := approving()
	p.Regions = []fleet.Region{"cn-hangzhou"}
	expect(t, ruled(t, w, p, policy.RuleTakeBack), fleet.Passes, "")
	expect(t, ruled(t, w, p, policy.RuleShareeApproved), fleet.NotApplicable, "")
}

func TestNoKeyIsTakenBackWhileASharesImageIsUnknown(t *testing.T) {
	w := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.Share.ImageID, s.Claimed = "", nil })
	w.Sides[0].Role.V.Policies[0].Name = "fleetwarden-share-image-1"
	expect(t, ruled(t, w, approving(), policy.RuleTakeBack), fleet.Undecided, "names no image")
}
