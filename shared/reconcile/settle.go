package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// undetermined is how old an intent is whose changes are settled as unclear if nothing shows
// what became of them. A sweep each night finds an intent twice before it is too old to be
// searched for; it must not stay open for ever.
const undetermined = 24 * time.Hour

// Settle writes what a later look, which may have failed and is empty then, says became of
// the changes of an open intent, if it says it of all, or if the intent has been open for a
// day. It goes before any further change: afterwards it could not be determined who made it.
func Settle[W any](ctx context.Context, r *Recorder, open fleet.Entry, now Judged[W]) error {
	changes, ok := slices.Clone(open.Changes), true
	for i := range changes {
		ok = settle(&changes[i].ChangeRecord, now) && ok
	}
	if !ok && r.o.Meter.Now().Sub(open.Time) < undetermined {
		return nil
	}
	e := r.o.entry(fleet.StageSettled)
	e.Name, e.Changes = open.Name, changes
	err := r.o.Ledger.Write(ctx, &e)
	if fleet.ClassOf(err) == fleet.Exists {
		return nil // another pass settled and recorded it
	}
	if err != nil {
		return errors.Join(r.Finding(ledgerFault(open.Refs()[0].Scope, "the intent "+open.Name+" stays open: "+err.Error())), unfit(err))
	}
	for _, c := range changes {
		if err := r.change(c.ChangeRecord); err != nil {
			return fmt.Errorf("writing a change: %w", err)
		}
	}
	return nil
}

// settle determines what became of a change whose pass died: one that is still wanted was
// not made; one whose effect is in place was. It returns false if a further look may show
// more; until then, what became of it is unclear.
func settle[W any](c *fleet.ChangeRecord, now Judged[W]) bool {
	const died = "its pass died before it could record the outcome"
	change := c.Change()
	asks := func(v fleet.Verdict) bool {
		return slices.ContainsFunc(v.Changes, func(x fleet.Change) bool {
			return x.Kind == change.Kind && x.Ref.Key() == change.Ref.Key() && x.Want == change.Want
		})
	}
	judged := slices.DeleteFunc(slices.Clone(now.Verdicts), func(v fleet.Verdict) bool { return v.Control != c.Control || v.Rule != c.Rule })
	itself := func(v fleet.Verdict) bool { return v.Ref.Key() == change.Ref.Key() }
	if slices.ContainsFunc(judged, itself) { // those on other resources say nothing of this one
		judged = slices.DeleteFunc(judged, func(v fleet.Verdict) bool { return !itself(v) })
	}
	ended := slices.IndexFunc(judged, conclusive)
	switch {
	case slices.ContainsFunc(now.Verdicts, asks):
		c.State, c.Why = fleet.Skipped, "not made: its pass died, and it is still wanted"
	case now.inPlace(change):
		c.State, c.After, c.Why = fleet.Done, c.Want, "found done: "+died
	case ended >= 0:
		c.State, c.Why = fleet.Unclear, died+", and now: "+judged[ended].Reason
	default:
		c.State, c.Why = fleet.Unclear, died+", which nothing shows since"
		return false
	}
	return true
}

// conclusive: a further check would say nothing else.
func conclusive(v fleet.Verdict) bool {
	return v.Outcome != fleet.Pending && v.Outcome != fleet.Undecided && v.Again == 0
}
