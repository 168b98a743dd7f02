package rules_test

import (
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rules"
)

// edited is an edit so long before noon.
func edited(before time.Duration, ours bool, doc string) fleet.TrustEdit {
	return fleet.TrustEdit{At: noon.Add(-before), Role: fleet.SnapshotShareRole, Trust: doc, Ours: ours}
}

func TestAnEditThatOurWriteReplacedUnreadIsReported(t *testing.T) {
	const other = fleet.AccountID("1000000000000004")
	now := trusting(accounts(sharee))
	written := edited(time.Hour, true, now.V.Trust)
	foreign := trusting(accounts(other)).V.Trust
	for name, x := range map[string]struct {
		edits []fleet.TrustEdit
		want  fleet.Outcome
	}{
		"a second before":                     {[]fleet.TrustEdit{written, edited(time.Hour+time.Second, false, foreign)}, fleet.Violation},
		"in the same second":                  {[]fleet.TrustEdit{written, edited(time.Hour, false, foreign)}, fleet.Violation},
		"in the same second, listed newer":    {[]fleet.TrustEdit{edited(time.Hour, false, foreign), written}, fleet.Violation},
		"before a write that is not the last": {[]fleet.TrustEdit{edited(time.Minute, true, now.V.Trust), written, edited(time.Hour+time.Second, false, foreign)}, fleet.Violation},
		"a document that cannot be read":      {[]fleet.TrustEdit{written, edited(time.Hour, false, "{")}, fleet.Violation},
		"long before, so that we read it":     {[]fleet.TrustEdit{written, edited(time.Hour+time.Minute, false, foreign)}, fleet.Passes},
		"after our write":                     {[]fleet.TrustEdit{edited(time.Hour-time.Second, false, foreign), written}, fleet.Passes},
		"what stands now":                     {[]fleet.TrustEdit{written, edited(time.Hour, false, now.V.Trust)}, fleet.Passes},
		"our own":                             {[]fleet.TrustEdit{written, edited(time.Hour, true, foreign)}, fleet.Passes},
		"nobody else's":                       {[]fleet.TrustEdit{written}, fleet.Passes},
	} {
		w := sharing(now, with(string(sharee)))
		w.Sides[0].Edits = fleet.See(x.edits)
		v := ruled(t, w, approving(), rules.RuleLostEdit)
		if v.Outcome != x.want || len(v.Changes) > 0 {
			t.Errorf("%s: got %s (%s) with %d changes, want %s", name, v.Outcome, v.Reason, len(v.Changes), x.want)
		}
		if v.Outcome == fleet.Violation && !strings.Contains(v.Remedy, x.edits[len(x.edits)-1].Trust) && !strings.Contains(v.Remedy, x.edits[0].Trust) {
			t.Errorf("%s: the remedy lacks the lost document: %s", name, v.Remedy)
		}
	}
}

func TestRecordsThatCannotBeReadLeaveItUndecidedWhetherAnEditWasLost(t *testing.T) {
	w := sharing(trusting(accounts(sharee)), with(string(sharee)))
	w.Sides[0].Edits = fleet.Dunno[[]fleet.TrustEdit]("denied")
	expect(t, ruled(t, w, approving(), rules.RuleLostEdit), fleet.Undecided, "denied")
}

func TestNothingIsSaidOfLostEditsWhereWeWroteNothing(t *testing.T) {
	for name, edits := range map[string]fleet.Fact[[]fleet.TrustEdit]{
		"nobody asked":    {},
		"no edits":        fleet.See([]fleet.TrustEdit(nil)),
		"somebody else's": fleet.See([]fleet.TrustEdit{edited(time.Hour, false, "{}")}),
	} {
		w := sharing(trusting(accounts(sharee)), with(string(sharee)))
		w.Sides[0].Edits = edits
		for _, v := range rules.ShareRole(w, approving()) {
			if v.Rule == rules.RuleLostEdit {
				t.Errorf("%s: got %s (%s)", name, v.Outcome, v.Reason)
			}
		}
	}
}
