package rules_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/shares"
)

func TestOnceTheChangesOfSharesAreMadeThereIsNothingToChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyShareWorld(t), anySharePolicy(t)
		for _, pass := range []time.Duration{0, 30 * 24 * time.Hour} { // what is not needed is due by then
			w.At = w.At.Add(pass)
			for range 3 { // what is wanted first, then the mark; what is due, then the mark again
				applyShares(w, shares.Role(w, p))
			}
			if c := changes(shares.Role(w, p)); len(c) != 0 {
				t.Errorf("still to change after %s: %v", pass, c)
			}
		}
	})
}

// shareBlurs are the ways to make one observed fact unknown. That a resource is not
// encrypted is left out: what may be encrypted counts as encrypted, and an approved
// sharee is trusted for it.
func shareBlurs(w *fleet.ShareWorld) []func(*fleet.ShareWorld) {
	out := []func(*fleet.ShareWorld){
		func(w *fleet.ShareWorld) { w.Directory = fleet.Unknown[fleet.Directory]("blurred") },
		func(w *fleet.ShareWorld) { w.Directory.V.Folders["fd-ghi"] = fleet.Unknown[string]("blurred") },
		func(w *fleet.ShareWorld) { w.Sides[0].Regions = fleet.Unknown[[]fleet.ShareRegion]("blurred") },
		func(w *fleet.ShareWorld) { w.Sides[0].Regions.V[1].Unread = "blurred" },
		func(w *fleet.ShareWorld) {
			w.Sides[0].Regions.V[0].Unread, w.Sides[0].Regions.V[0].Resources = "blurred", nil
		},
		func(w *fleet.ShareWorld) { w.Sides[0].Tags = fleet.Unknown[map[string]string]("blurred") },
		func(w *fleet.ShareWorld) { w.Sides[0].Role = fleet.Unknown[fleet.Role]("blurred") },
		func(w *fleet.ShareWorld) {
			w.Sides[0].Claimed, w.Sides[0].Regions.V[0].Unread = nil, "blurred"
		},
	}
	for id := range places {
		out = append(out, func(w *fleet.ShareWorld) { w.Directory.V.Members[id] = fleet.Unknown[string]("blurred") })
	}
	for i := range w.Sides[0].Regions.V[0].Resources {
		out = append(out, func(w *fleet.ShareWorld) {
			w.Sides[0].Regions.V[0].Resources[i].Keys = fleet.Unknown[[]fleet.KMSKey]("blurred")
		})
	}
	return out
}

// afterwards is what the role of a world gives once changes are made.
func afterwards(w *fleet.ShareWorld, vs []fleet.Verdict) map[string]bool {
	w = cloneShares(w)
	applyShares(w, vs)
	return power(w)
}

func TestKnowingLessNeitherOpensTheRoleNorTakesAnythingBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyShareWorld(t), anySharePolicy(t)
		applyShares(w, marked(shares.Role(w, p)))
		w.At = w.At.Add(pick(t, "later", 0, 8*24*time.Hour))
		now, before := power(w), afterwards(w, shares.Role(w, p))
		for n, blur := range shareBlurs(w) {
			less := cloneShares(w)
			blur(less)
			after := afterwards(w, shares.Role(less, p))
			for x := range after {
				if !now[x] && !before[x] {
					t.Errorf("blur %d: %s is let in", n, x)
				}
			}
			for x := range now {
				if before[x] && !after[x] {
					t.Errorf("blur %d: %s is taken back", n, x)
				}
			}
		}
	})
}

// Less knowledge never turns a violation into a pass: the rule reports it, or that it is
// unknown.
func TestKnowingLessNeverSettlesWhatTheShareRulesFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyShareWorld(t), anySharePolicy(t)
		found := map[string]fleet.Verdict{}
		for _, v := range shares.Role(w, p) {
			found[v.Rule] = v
		}
		for n, blur := range shareBlurs(w) {
			less := cloneShares(w)
			blur(less)
			for _, v := range shares.Role(less, p) {
				was := found[v.Rule]
				switch {
				case v.Rule == policy.RuleTakeBack: // it reports what is there too much
					continue
				case v.Rule == policy.RuleShareTrust && !less.Sides[0].Tags.Known(): // nothing is about to be taken back: it is trusted
					continue
				}
				if was.Outcome == fleet.Violation && (v.Outcome == fleet.Passes || v.Outcome == fleet.NotApplicable) {
					t.Errorf("blur %d: %s is settled: %s; it was: %s", n, v.Rule, v.Reason, was.Reason)
				}
			}
		}
	})
}

// marked are the changes that only begin to count time.
func marked(vs []fleet.Verdict) []fleet.Verdict {
	var out []fleet.Verdict
	for _, v := range vs {
		if len(v.Changes) == 1 && v.Changes[0].Kind == fleet.MarkUnused {
			out = append(out, v)
		}
	}
	return out
}

// A thousand histories of shares that come and go, of policies, of time and of people
// who write into the role: what is theirs stays byte for byte.
func TestAForeignStatementSurvivesAThousandHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			history(t)
		}
	})
}

func history(t *rapid.T) {
	w := anyShareWorld(t)
	role := &w.Sides[0].Role.V
	foreign := map[string]bool{}
	for range rapid.IntRange(1, 6).Draw(t, "looks") {
		if s := pick(t, "foreign edit", foreignStatements...); !role.Missing && !strings.Contains(role.Trust, s) {
			role.Trust = withStatement(role.Trust, s)
		}
		for _, s := range foreignStatements {
			foreign[s] = foreign[s] || strings.Contains(role.Trust, s)
		}
		w.Sides[0].Regions.V[0].Resources = anyResources(t)
		w.At = w.At.Add(pick(t, "passes", 0, time.Hour, 8*24*time.Hour))
		applyShares(w, shares.Role(w, anySharePolicy(t)))
		for s, was := range foreign {
			if was && !strings.Contains(role.Trust, s) {
				t.Fatalf("%s\nis gone from\n%s", s, role.Trust)
			}
		}
	}
}

func TestNothingIsTakenBackThatAShareeOfUnknownApprovalMayHangOn(t *testing.T) {
	p := approving(enforced, func(p *policy.ShareRole) { p.Approved.Directory = policy.TrustNow })
	w := sharing(trusting(rampolicy.Sharees{Accounts: []fleet.AccountID{sharee}, Directories: []string{dir}}), with(string(sharee), "1000000000000003"))
	w.Directory = fleet.Unknown[fleet.Directory]("denied")
	expect(t, ruled(t, w, p, policy.RuleTakeBack), fleet.Undecided, "nothing is taken back")
}

func TestAKeyIsTakenBackOnlyAfterThoseInUseAreGranted(t *testing.T) {
	w := sharing(trusting(accounts(sharee), resTwo), with(string(sharee))) // grants another key than the one in use
	p := approving(enforced)
	applyShares(w, marked(shares.Role(w, p)))
	w.At = w.At.Add(8 * 24 * time.Hour)
	expect(t, ruled(t, w, p, policy.RuleTakeBack), fleet.Violation, "grants their keys")
	applyShares(w, shares.Role(w, p))
	if got := power(w); !got[resOne] || !got[resTwo] {
		t.Fatalf("the role gives %v", got)
	}
	applyShares(w, shares.Role(w, p))
	if got := power(w); !got[resOne] || got[resTwo] {
		t.Errorf("the role gives %v", got)
	}
}
