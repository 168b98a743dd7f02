package reconcile

import (
	"slices"

	"fleetwarden/shared/fleet"
)

// settled determines by a second look what became of changes whose pass died: one that is
// still wanted was not made; one that is in place was. ok is false if any of them cannot be
// determined: it is unclear.
func settled(changes []fleet.EntryChange, verdicts []fleet.Verdict) (out []fleet.EntryChange, ok bool) {
	out, ok = slices.Clone(changes), true
	for i := range out {
		if c := &out[i].ChangeRecord; !settleChange(c, verdicts) {
			c.State, c.Why, ok = fleet.Unclear, "its pass died before it could record the outcome, which nothing shows since", false
		}
	}
	return out, ok
}

func settleChange(c *fleet.ChangeRecord, verdicts []fleet.Verdict) bool {
	ref := fleet.Key{Scope: fleet.Scope{Account: c.Account, Region: c.Region}, Kind: c.RefKind, ID: c.ID}
	if slices.ContainsFunc(verdicts, func(v fleet.Verdict) bool { return asksFor(v, ref, c) }) {
		c.State, c.Why = fleet.Skipped, "not made: its pass died, and it is still wanted"
		return true
	}
	judged := slices.DeleteFunc(slices.Clone(verdicts), func(v fleet.Verdict) bool { return v.Control != c.Control || v.Rule != c.Rule })
	itself := slices.DeleteFunc(slices.Clone(judged), func(v fleet.Verdict) bool { return v.Ref.Key() != ref })
	switch {
	case len(itself) > 0:
		return settleJudged(c, itself[0])
	case rest(verdicts, ref) != "":
		c.State, c.Why = fleet.Unclear, "its pass died before it could record the outcome, and now: "+rest(verdicts, ref)
		return true
	case slices.ContainsFunc(judged, speaks):
		// A role, say, that instances needed and that none of them asks for any more.
		c.State, c.Why = fleet.Done, "found done: its pass died before it could record the outcome"
		return true
	case slices.ContainsFunc(judged, conclusive):
		c.State, c.Why = fleet.Unclear, "its pass died before it could record the outcome, and nothing that is seen now does"
		return true
	}
	return false
}

// speaks: a verdict that holds, or that asks for other changes, would have asked for this
// one if it were still to be made. One that asks for nothing does not show it.
func speaks(v fleet.Verdict) bool {
	return conclusive(v) && (v.Outcome == fleet.Passes || len(v.Changes) > 0)
}

// rest says why something else is wanted of the same thing; "" when nothing is.
func rest(verdicts []fleet.Verdict, ref fleet.Key) string {
	for _, v := range verdicts {
		for _, x := range v.Changes {
			if x.Ref.Key() == ref {
				return x.Reason
			}
		}
	}
	return ""
}

// settleJudged settles a change to the very thing that was judged.
func settleJudged(c *fleet.ChangeRecord, v fleet.Verdict) bool {
	shows := func(e fleet.Evidence) bool {
		return e.Value == c.Want && e.Source == fleet.Observed.String()
	}
	switch {
	case slices.ContainsFunc(v.Evidence, shows):
		c.State, c.After, c.Why = fleet.Done, c.Want, "found done: its pass died before it could record the outcome"
	case conclusive(v):
		c.State, c.Why = fleet.Unclear, "its pass died before it could record the outcome, and now: "+v.Reason
	default:
		return false
	}
	return true
}

func asksFor(v fleet.Verdict, ref fleet.Key, c *fleet.ChangeRecord) bool {
	return slices.ContainsFunc(v.Changes, func(x fleet.Change) bool {
		return x.Kind == c.Kind && x.Ref.Key() == ref && x.Want == c.Want
	})
}

// conclusive: a further check would say nothing else.
func conclusive(v fleet.Verdict) bool {
	switch v.Outcome {
	case fleet.Pending, fleet.Undecided:
		return false
	}
	return v.Again == 0
}
