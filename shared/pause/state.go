package pause

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// State is the orders of a moment that may still count, newest first.
type State struct{ orders []fleet.Order }

// Read lists the orders. The error of one that cannot be read is a [*fleet.BadInput] that
// names it; then, as after any other error, nothing may be changed.
func Read(ctx context.Context, store ledger.Store, now time.Time) (State, error) {
	return ReadBack(ctx, store, now, MaxFor+skew) // older ones have ended
}

// ReadBack lists the orders that were given since a time that long ago.
func ReadBack(ctx context.Context, store ledger.Store, now time.Time, back time.Duration) (State, error) {
	var s State
	for name, err := range ledger.Names(ctx, store, Folder, "") {
		switch {
		case err != nil:
			return State{}, fmt.Errorf("reading what is paused: %w", err)
		case name == Folder: // as a console makes it
			continue
		}
		o, err := parse(name)
		if err == nil && o.At.Sub(now) > skew {
			err = &fleet.BadInput{Where: "ledger object " + name, What: "it is an order from the future, " + o.At.Format(time.RFC3339)}
		}
		if err != nil {
			return State{}, fmt.Errorf("reading what is paused: %w; remove it from the ledger's bucket", err)
		}
		if now.Sub(o.At) <= back {
			s.orders = append(s.orders, o)
		}
	}
	return s, nil
}

// On returns the pause that lasts longest of those that stop a control in an account now; ok is
// false where none does.
func (s State) On(control string, account fleet.AccountID, now time.Time) (pause fleet.Order, ok bool) {
	var resumed time.Time
	for _, o := range s.orders {
		switch {
		case !o.Covers(control, account):
		case o.Resume && resumed.IsZero():
			resumed = o.At
		case o.Resume, o.At.Before(resumed):
			return pause, ok
		case o.Until.After(now) && o.Until.After(pause.Until):
			pause, ok = o, true
		}
	}
	return pause, ok
}

// AsOf returns the orders that had been given at a time.
func (s State) AsOf(at time.Time) State {
	return State{slices.DeleteFunc(slices.Clone(s.orders), func(o fleet.Order) bool { return o.At.After(at) })}
}

// Next is the time of the next order: now, or after the newest. Clocks of the cloud differ by
// seconds, and answers have whole ones.
func (s State) Next(now time.Time) time.Time {
	for _, o := range s.orders {
		if !o.At.Before(now) {
			now = o.At.Add(time.Millisecond)
		}
	}
	return now
}

// Since returns the orders that were given at a time or later, and the pauses that still last for
// at least a part of what they cover, with what resumed the other parts; newest first.
func (s State) Since(at, now time.Time) (out []fleet.Order) {
	lasts := func(i int) bool { return s.orders[i].Until.After(now) && !resumed(s.orders[i], s.orders[:i]) }
	for i, o := range s.orders {
		counts := !o.At.Before(at) || lasts(i)
		for j := i + 1; o.Resume && !counts && j < len(s.orders); j++ {
			counts = overlap(o, s.orders[j]) && lasts(j)
		}
		if counts {
			out = append(out, o)
		}
	}
	return out
}

// overlap reports whether there is something that both orders cover.
func overlap(a, b fleet.Order) bool {
	return (a.Control == "" || b.Control == "" || a.Control == b.Control) && (a.Account == "" || b.Account == "" || a.Account == b.Account)
}

// resumed reports whether one of the later orders resumes all that a pause covers.
func resumed(o fleet.Order, later []fleet.Order) bool {
	return slices.ContainsFunc(later, func(l fleet.Order) bool { return l.Resume && l.At.After(o.At) && l.Covers(o.Control, o.Account) })
}

// Ends reports whether an order to resume would end a pause, or a part of one, at its time.
func (s State) Ends(resume fleet.Order) bool {
	controls, accounts := []string{resume.Control}, []fleet.AccountID{resume.Account}
	for _, o := range s.orders {
		controls, accounts = append(controls, o.Control), append(accounts, o.Account)
	}
	// Without a name they stand for those that no order names.
	for _, control := range controls {
		for _, account := range accounts {
			if _, paused := s.On(control, account, resume.At); paused && resume.Covers(control, account) {
				return true
			}
		}
	}
	return false
}

// Finding is the finding about an order; at is where it is not about one account.
func Finding(o fleet.Order, at fleet.Scope) fleet.FindingRecord {
	return fleet.FindingRecord{Control: o.Control, Rule: o.Rule(), Outcome: fleet.Fault, Severity: fleet.High, Account: cmp.Or(o.Account, at.Account),
		Kind: fleet.KindFleet, Reason: o.Sentence(), Remedy: o.Remedy()}
}
