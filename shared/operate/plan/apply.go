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

// Applied says which plan a run has applied.
type Applied struct {
	V      int       `json:"v"`
	Run    string    `json:"run"`
	Plan   string    `json:"plan"`
	Digest string    `json:"digest"`
	At     time.Time `json:"at"`
	Told   int       `json:"told"`
}

// Note stores that a run applies a plan: before anybody is told.
func Note(ctx context.Context, store ledger.Store, a Applied) error {
	a.V = Version
	if err := ledger.PutJSON(ctx, store, "applies/"+a.Run+".json", a); err != nil {
		return fmt.Errorf("noting run %s: %w", a.Run, err)
	}
	return nil
}

// Enqueuer puts refs into the inbox of a function in a region. An error of class NotFound
// says that there is no such inbox.
type Enqueuer func(ctx context.Context, function string, region fleet.Region, refs []fleet.Ref) error

// Enqueue tells the owners of all fresh items where to look, in the name of a run. What no
// inbox takes is held. It returns how many items were told.
func Enqueue(ctx context.Context, all []Standing, run string, tell Enqueuer) (told int, err error) {
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
		err := tell(ctx, k.function, k.region, refs)
		if fleet.ClassOf(err) == fleet.NotFound {
			where := cmp.Or(string(k.region), "the home region")
			for _, i := range by[k] {
				all[i].Held = fmt.Sprintf("there is no inbox of %s in %s: deploy the functions there", k.function, where)
			}
			continue
		}
		if err != nil {
			return told, fmt.Errorf("telling %s: %w", k.function, err)
		}
		told += len(by[k])
	}
	return told, nil
}

// Outcome is what became of an item that was told.
type Outcome struct {
	Item Item
	// State is empty while nothing final is known, and [Over] when somebody or something
	// else has made it right.
	State fleet.State
	Why   string
}

// Over is the state of an item of which nothing is to do any more, and of which its owner
// has no record.
const Over fleet.State = "nothing-to-do"

// Awaited are the items whose owners' records are waited for.
type Awaited struct {
	// Store holds the ledger; From is when the owners were told, by the cloud's clock.
	Store ledger.Store
	Run   string
	From  time.Time

	Outcomes []Outcome

	told  records         // so far
	ended map[string]bool // names of batches that were read to their end
}

// Await waits for what is fresh.
func Await(store ledger.Store, run string, from time.Time, all []Standing) *Awaited {
	a := &Awaited{Store: store, Run: run, From: from, told: records{}, ended: map[string]bool{}}
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

// How often the ledger is read, after a hasty beginning, and after how many reads the
// world is looked at for what has no record.
const (
	readEvery = 3 * time.Second
	lookEvery = 10
)

// Wait reads the ledger until all items have an outcome, or until the patience is spent.
// look checks items again, and ended is called with how many got an outcome at each read.
func (a *Awaited) Wait(ctx context.Context, patience time.Duration, sleep func(context.Context, time.Duration) error,
	look func(context.Context, []Item) ([]Standing, error), ended func(n int)) error {
	open := a.Open()
	for n := 1; open > 0 && patience > 0; n++ {
		pause := min(time.Duration(n)*time.Second, readEvery, patience)
		patience -= pause
		err := sleep(ctx, pause)
		if err == nil {
			err = a.Read(ctx)
		}
		if err == nil && n%lookEvery == 0 {
			err = a.Look(ctx, look)
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

// records are what the owners tell about each change.
type records map[changeKey]fleet.ChangeRecord

// final: what is put off, or has another owner, is still to come.
func final(s fleet.State) bool { return s != "" && s != fleet.Later && s != fleet.Forwarded }

// add takes a record in; what is not final says nothing beside what is.
func (r records) add(c fleet.ChangeRecord) {
	k := changeKey{c.Kind, fleet.Key{Scope: fleet.Scope{Account: c.Account, Region: c.Region}, Kind: c.RefKind, ID: c.ID}}
	if final(c.State) || !final(r[k].State) {
		r[k] = c
	}
}

// read takes in what one owner has told. What nobody can read leaves its changes open.
func (a *Awaited) read(ctx context.Context, function string) error {
	q := ledger.Query{Function: function, From: a.From.Add(-time.Minute), Run: a.Run}
	for account, err := range ledger.Batches(ctx, unread{a.Store, a.ended}, q) {
		switch {
		case errors.As(err, new(*fleet.BadInput)):
			continue
		case err != nil:
			return err
		case account.Last == nil:
			continue
		}
		for _, c := range account.Last.Changes {
			if c.Run == a.Run {
				a.told.add(c.ChangeRecord)
			}
		}
		if account.Last.Stage == fleet.StageOutcome { // what was settled may get one yet
			a.ended[account.Intent.Name] = true
		}
	}
	return nil
}

// Read reads from the ledger what the owners have recorded since. A change that one of them
// forwards is in the ledger of another.
func (a *Awaited) Read(ctx context.Context) error {
	for _, function := range fleet.Owners() {
		if err := a.read(ctx, function); err != nil {
			return fmt.Errorf("reading what %s has done: %w", function, err)
		}
	}
	for i := range a.Outcomes {
		if a.Outcomes[i].State == "" {
			a.Outcomes[i].State, a.Outcomes[i].Why = a.Outcomes[i].Item.outcome(a.told)
		}
	}
	return nil
}

// outcome is what records tell about an item: of the changes to the thing itself, once
// all are known, the first that was not simply done; without any, or when what they need
// could not be had, that of what is changed beside it.
func (i Item) outcome(told records) (fleet.State, string) {
	var own, beside []fleet.ChangeRecord
	for _, c := range i.Changes {
		key := fleet.Key{Scope: c.Scope, Kind: c.RefKind, ID: c.ID}
		r := told[changeKey{c.Kind, key}]
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

// worst is the first record of something that was not done, or else the first.
func worst(rs []fleet.ChangeRecord) (fleet.State, string) {
	if len(rs) == 0 {
		return "", ""
	}
	i := max(0, slices.IndexFunc(rs, func(r fleet.ChangeRecord) bool { return r.State != fleet.Done }))
	return rs[i].State, rs[i].Why
}

// Look looks at what is still open: what is right by now needs nobody's record.
func (a *Awaited) Look(ctx context.Context, look func(context.Context, []Item) ([]Standing, error)) error {
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
	standings, err := look(ctx, open)
	if err != nil {
		return err
	}
	by := map[string]string{}
	for _, s := range standings {
		if s.Over {
			by[s.Item.name()] = s.Stale
		}
	}
	for n, i := range at {
		if why := by[open[n].name()]; why != "" {
			a.Outcomes[i].State, a.Outcomes[i].Why = Over, why
		}
	}
	return nil
}

func (i Item) name() string { return i.Control + " " + i.Ref().String() }
