package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/pause"
)

const (
	// pausesBack is how far back pauses are compared with what was changed: a week, and a day.
	pausesBack = 8 * 24 * time.Hour
	// noticed is after how long a pause stops every function: 30 seconds, and a batch.
	noticed = time.Minute
)

// pausesObeyed compares the pauses of the last days with the intents of the ledger, and has this
// build stop a change for an order. The doctor itself may not pause anything.
func pausesObeyed(ctx context.Context, x *examination) answer {
	if x.Ledger == nil {
		return answer{problems: one(Problem{Result: Unread, Says: "not asked: " + errNoLedger.Error(), Mend: "see ledger"})}
	}
	a := answer{}
	if err := pauseStops(context.WithoutCancel(ctx)); err != nil { // it asks nothing, so that it needs no time
		a.add(Problem{Result: Fail, Says: err.Error(), Mend: "deploy another build: " + x.deploy(x.Home)})
	}
	store := readOnly{x.Ledger}
	now := x.now()
	orders, err := read(ctx, x, func(ctx context.Context) (pause.State, error) { return pause.ReadBack(ctx, store, now, pausesBack) })
	if errors.As(err, new(*fleet.BadInput)) {
		a.add(Problem{Result: Fail, ID: x.Ledger.Address(pause.Folder), Says: "no function changes anything: " + err.Error(), Mend: "remove the object from the ledger's bucket"})
		return a
	}
	if err != nil {
		a.add(unread("what is paused", x.Home, x.Ledger.Address(pause.Folder), err))
		return a
	}
	ordered, intents := 0, 0
	for _, o := range orders.Since(time.Time{}, now) {
		if o.Resume {
			continue
		}
		ordered++
		if o.Until.After(now) {
			if current, on := orders.On(o.Control, o.Account, now); on && current.Object == o.Object {
				o = pause.Fill(ctx, store, o)
				a.add(Problem{Result: Warn, ID: o.Object, Says: o.Sentence(), Mend: o.Remedy()})
			}
		}
		intents += x.disobeyed(ctx, store, orders, o, now, &a)
	}
	a.says = fmt.Sprintf("this build stops a change for an order; none was ordered in the last %d days", pausesBack/(24*time.Hour))
	if ordered > 0 {
		a.says = fmt.Sprintf("this build stops a change for an order; orders in the last %d days: %d, intents while they lasted, of what they did not cover: %d",
			pausesBack/(24*time.Hour), ordered, intents)
	}
	return a
}

// disobeyed adds the intents of what an order had paused for a minute. It returns how many others
// there were meanwhile. An intent that was not read may be one.
func (x *examination) disobeyed(ctx context.Context, store ledger.Store, orders pause.State, o fleet.Order, now time.Time, a *answer) (others int) {
	end := o.Until
	if end.After(now) {
		end = now
	}
	owners := fleet.Owners()
	listed := make([][]string, len(owners))
	a.add(each(numbers(len(owners)), func(i int) (problems []Problem) {
		var err error
		listed[i], err = read(ctx, x, func(ctx context.Context) ([]string, error) {
			return ledger.Stems(ctx, store, ledger.Query{Function: owners[i], From: o.At.Add(noticed), To: end})
		})
		if err != nil {
			problems = one(unread("what "+owners[i]+" set out to change during pause "+o.Object, x.Home, o.Object, err))
		}
		return problems
	})...)
	stems := slices.Concat(listed...)
	intents := make([]fleet.Entry, len(stems))
	errs := make([]error, len(stems))
	each(numbers(len(stems)), func(i int) []Problem {
		intents[i], errs[i] = x.intents.get(stems[i], func() (fleet.Entry, error) {
			return read(ctx, x, func(ctx context.Context) (fleet.Entry, error) { return ledger.Intent(ctx, store, stems[i]) })
		})
		return nil
	})
	a.add(unreadOf("what was changed during a pause", x.Home, o.Object, errs)...)
	for i, intent := range intents {
		if errs[i] != nil {
			continue
		}
		for _, c := range intent.Changes {
			_, before := orders.AsOf(intent.Time.Add(-noticed)).On(c.Control, c.Account, intent.Time)
			_, then := orders.AsOf(intent.Time).On(c.Control, c.Account, intent.Time)
			if !o.Covers(c.Control, c.Account) || !before || !then {
				others++
				continue
			}
			a.add(Problem{Result: Fail, Region: c.Region, ID: intent.Name, Says: fmt.Sprintf("%s set out to change %s at %s, though paused by %s", intent.Function, c.ID, intent.Time.UTC().Format(time.RFC3339), o.Object),
				Mend: "see function-code and role-policies; then " + x.deploy(x.Home)})
			break
		}
	}
	return others
}

// readOnly is a ledger that is not written.
type readOnly struct{ Ledger }

// Put implements ledger.Store.
func (readOnly) Put(context.Context, string, []byte) error {
	return errors.New("the doctor writes nothing")
}
