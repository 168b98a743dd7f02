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
	side.Claimed = fleet.See(with())
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
	expect(t, v, fleet.Violation, "s-1", fleet.MarkRetried, fleet.RetryShare)
	mark, again := v.Changes[0], v.Changes[1]
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
		"not our image, or not encrypted": func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed = fleet.Fact[fleet.SharedResource]{} },
		"no keys":                         func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed.V.Keys = fleet.See([]fleet.KMSKey(nil)) },
		"keys not read": func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
			s.Claimed.V.Keys = fleet.Dunno[[]fleet.KMSKey]("denied")
		},
		"a service key":      func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed.V.Keys.V[0].Service = fleet.See(true) },
		"nobody approved":    func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.Share.Add = []fleet.AccountID{stranger} },
		"the account itself": func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.Share.Add = []fleet.AccountID{here.Account} },
		"another error":      func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Ref.Call.ErrorCode = "Throttling" },
		"too old":            func(w *fleet.ShareWorld, _ *fleet.ShareSide) { w.At = w.At.Add(24 * time.Hour) },
	} {
		silent(t, name, failedToShare(change), approving(repeating))
	}
	shared := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) { s.Claimed = fleet.See(with(string(sharee))) })
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
	marked := ruled(t, w, p, rules.RuleFailedShare).Changes[0].Want
	w.Sides[0].Tags.V[fleet.TagRetried] = marked
	expect(t, ruled(t, w, p, rules.RuleFailedShare), fleet.Violation, "repeated today")

	other := failedToShare(func(_ *fleet.ShareWorld, s *fleet.ShareSide) {
		s.Tags.V[fleet.TagRetried], s.Claimed.V.ID = marked, "s-2"
	})
	v := ruled(t, other, p, rules.RuleFailedShare)
	expect(t, v, fleet.Violation, "s-2", fleet.MarkRetried, fleet.RetryShare)
	if both := v.Changes[0].Want; !strings.HasPrefix(both, marked+"-") {
		t.Errorf("%s forgets %s", both, marked)
	}

	w.At = w.At.Add(13 * time.Hour) // the next day
	expect(t, ruled(t, w, p, rules.RuleFailedShare), fleet.Violation, "", fleet.MarkRetried, fleet.RetryShare)

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
	expect(t, v, fleet.Violation, "", fleet.MarkRetried, fleet.RetryShare)
	if n := len(strings.Fields(v.Changes[1].Want)); n != 10 {
		t.Errorf("%d accounts", n)
	}
}
