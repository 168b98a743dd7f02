package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// Applied records which plan a run applies.
type Applied struct {
	V      int       `json:"v"`
	Run    string    `json:"run"`
	Plan   string    `json:"plan"`
	Digest string    `json:"digest"`
	At     time.Time `json:"at"`
	// Queued is how many items the run enqueues for their owners. Older versions wrote it
	// under another name; no version reads it.
	Queued int `json:"queued"`
}

// Note records that a run applies a plan, before any owner's inbox gets a ref.
func Note(ctx context.Context, store ledger.Store, a Applied) error {
	a.V = Version
	if err := ledger.PutJSON(ctx, store, "applies/"+a.Run+".json", a); err != nil {
		return fmt.Errorf("recording run %s: %w", a.Run, err)
	}
	return nil
}

// Enqueuer puts refs into the inbox of a function in a region. An error of class NotFound
// means that there is no such inbox.
type Enqueuer func(ctx context.Context, function string, region fleet.Region, refs []fleet.Ref) error

// Enqueue puts the refs of all fresh items into their owners' inboxes, as part of a run. Items
// without an inbox are held. It returns how many items were enqueued.
func Enqueue(ctx context.Context, all []Check, run string, enqueue Enqueuer) (queued int, err error) {
	type inbox struct {
		region   fleet.Region
		function string
	}
	by := map[inbox][]int{}
	for i, s := range all {
		if s.Fresh() {
			k := inbox{s.Item.Scope.Region, fleet.Owner(s.Item.Control)}
			by[k] = append(by[k], i)
		}
	}
	keys := slices.SortedFunc(maps.Keys(by), func(a, b inbox) int {
		return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(a.function, b.function))
	})
	for _, k := range keys {
		var refs []fleet.Ref
		for _, i := range by[k] {
			ref := all[i].Item.Ref()
			ref.Try.Run = run
			refs = append(refs, ref)
		}
		err := enqueue(ctx, k.function, k.region, refs)
		if fleet.ClassOf(err) == fleet.NotFound {
			where := cmp.Or(string(k.region), "the home region")
			for _, i := range by[k] {
				all[i].Held = fmt.Sprintf("there is no inbox of %s in %s: deploy the functions there", k.function, where)
			}
			continue
		}
		if err != nil {
			return queued, fmt.Errorf("enqueuing for %s: %w", k.function, err)
		}
		queued += len(by[k])
	}
	return queued, nil
}

// Outcome is the outcome of an item that was enqueued.
type Outcome struct {
	Item Item
	// State is empty while no final one is known, and [Over] if the repair was made, but
	// not by this run.
	State fleet.State
	Why   string
}

// Over is the state of an item with nothing left to do, and without a record of its owner.
const Over fleet.State = "nothing-to-do"

// Awaited are the items of a run that waits for their owners' records.
type Awaited struct {
	// Store holds the ledger; From is when the items were enqueued, by the cloud's clock.
	Store ledger.Store
	Run   string
	From  time.Time

	Outcomes []Outcome

	found records         // so far
	ended map[string]bool // names of batches with an outcome, which are not read again
}

// Await returns the fresh items, to wait for.
func Await(store ledger.Store, run string, from time.Time, all []Check) *Awaited {
	a := &Awaited{Store: store, Run: run, From: from, found: records{}, ended: map[string]bool{}}
	for _, s := range all {
		if s.Fresh() {
			a.Outcomes = append(a.Outcomes, Outcome{Item: s.Item})
		}
	}
	return a
}

// Open returns how many items have no final outcome yet.
func (a *Awaited) Open() int {
	n := 0
	for _, o := range a.Outcomes {
		if o.State == "" {
			n++
		}
	}
	return n
}

// The ledger is read after one and two seconds, and then each readEvery; items without a
// record are checked again after each recheckEvery reads.
const (
	readEvery    = 3 * time.Second
	recheckEvery = 10
)

// Wait reads the ledger until all items have an outcome, or until the patience is spent.
// After each read it calls ended with how many items got an outcome; check checks items again.
func (a *Awaited) Wait(ctx context.Context, patience time.Duration, sleep func(context.Context, time.Duration) error,
	check func(context.Context, []Item) ([]Check, error), ended func(n int)) error {
	open := a.Open()
	for n := 1; open > 0 && patience > 0; n++ {
		pause := min(time.Duration(n)*time.Second, readEvery, patience)
		patience -= pause
		err := sleep(ctx, pause)
		if err == nil {
			err = a.Read(ctx)
		}
		if err == nil && n%recheckEvery == 0 {
			err = a.Recheck(ctx, check)
		}
		if err != nil {
			return err
		}
		ended(open - a.Open())
		open = a.Open()
	}
	return nil
}

type changeKey struct {
	kind fleet.ChangeKind
	ref  fleet.Key
}

// records are the owners' latest records of each change.
type records map[changeKey]fleet.ChangeRecord

// final reports whether a state is the last one: a change that is delayed or was forwarded
// gets another.
func final(s fleet.State) bool { return s != "" && s != fleet.Later && s != fleet.Forwarded }

// add adds a record. A state that is not final does not replace one that is.
func (r records) add(c fleet.ChangeRecord) {
	k := changeKey{c.Kind, fleet.Key{Scope: fleet.Scope{Account: c.Account, Region: c.Region}, Kind: c.RefKind, ID: c.ID}}
	if final(c.State) || !final(r[k].State) {
		r[k] = c
	}
}

// read adds the records of one owner. Changes of an object that cannot be decoded stay open.
func (a *Awaited) read(ctx context.Context, function string) error {
	q := ledger.Query{Function: function, From: a.From.Add(-time.Minute), Run: a.Run}
	for batch, err := range ledger.Batches(ctx, unread{a.Store, a.ended}, q) {
		switch {
		case errors.As(err, new(*fleet.BadInput)):
			continue
		case err != nil:
			return err
		case batch.Last == nil:
			continue
		}
		for _, c := range batch.Last.Changes {
			if c.Run == a.Run {
				a.found.add(c.ChangeRecord)
			}
		}
		if batch.Last.Stage == fleet.StageOutcome { // a settled batch may still get one
			a.ended[batch.Intent.Name] = true
		}
	}
	return nil
}

// Read reads what the owners have recorded. It reads the ledger of all of them, since a
// change that one owner forwards is recorded by another.
func (a *Awaited) Read(ctx context.Context) error {
	for _, function := range fleet.Owners() {
		if err := a.read(ctx, function); err != nil {
			return fmt.Errorf("reading what %s has done: %w", function, err)
		}
	}
	for i := range a.Outcomes {
		if a.Outcomes[i].State == "" {
			a.Outcomes[i].State, a.Outcomes[i].Why = a.Outcomes[i].Item.outcome(a.found)
		}
	}
	return nil
}

// outcome returns an item's state by records: that of the changes to its own resource, once
// all of them have one. If there are no such changes, or if one that they depend on failed or
// is held, it is that of the changes to other resources, such as a role.
func (i Item) outcome(found records) (fleet.State, string) {
	var own, beside []fleet.ChangeRecord
	for _, c := range i.Changes {
		key := fleet.Key{Scope: c.Scope, Kind: c.RefKind, ID: c.ID}
		r := found[changeKey{c.Kind, key}]
		if key == i.Ref().Key() {
			own = append(own, r)
		} else if final(r.State) {
			beside = append(beside, r)
		}
	}
	state, why := worst(beside)
	switch {
	case len(own) == 0:
		return state, why
	case slices.ContainsFunc(own, func(r fleet.ChangeRecord) bool { return r.State != "" }):
		if !slices.ContainsFunc(own, func(r fleet.ChangeRecord) bool { return !final(r.State) }) {
			return worst(own)
		}
	case state == fleet.Failed || state == fleet.Held:
		return state, why
	}
	return "", ""
}

// worst returns the first record of a change that was not done, or else the first record.
func worst(rs []fleet.ChangeRecord) (fleet.State, string) {
	if len(rs) == 0 {
		return "", ""
	}
	i := max(0, slices.IndexFunc(rs, func(r fleet.ChangeRecord) bool { return r.State != fleet.Done }))
	return rs[i].State, rs[i].Why
}

// Recheck checks the open items again: one with nothing left to do needs no record, and one that is
// held meanwhile, as by a pause, gets none for now.
func (a *Awaited) Recheck(ctx context.Context, check func(context.Context, []Item) ([]Check, error)) error {
	var open []Item
	var at []int
	for i, o := range a.Outcomes {
		if o.State == "" {
			open, at = append(open, o.Item), append(at, i)
		}
	}
	if len(open) == 0 {
		return nil
	}
	checks, err := check(ctx, open)
	if err != nil {
		return err
	}
	by := map[string]Outcome{}
	for _, s := range checks {
		switch {
		case s.Over:
			by[s.Item.name()] = Outcome{State: Over, Why: s.Stale}
		case s.Held != "":
			by[s.Item.name()] = Outcome{State: fleet.Held, Why: s.Held}
		}
	}
	for n, i := range at {
		if o, ok := by[open[n].name()]; ok {
			a.Outcomes[i].State, a.Outcomes[i].Why = o.State, o.Why
		}
	}
	return nil
}

func (i Item) name() string { return i.Control + " " + i.Ref().String() }
