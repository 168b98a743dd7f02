package plan

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/sweep"
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
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("noting run %s: %w", a.Run, err)
	}
	if err := store.Put(ctx, "applies/"+a.Run+".json", text); err != nil {
		return fmt.Errorf("noting run %s: %w", a.Run, err)
	}
	return nil
}

// Teller puts refs into the inbox of a function in a region. An error of class NotFound
// says that there is no such inbox.
type Teller func(ctx context.Context, function string, region fleet.Region, refs []fleet.Ref) error

// Tell tells the owners of all fresh items where to look, in the name of a run. What no
// inbox takes is held. It returns how many items were told.
func Tell(ctx context.Context, all []Standing, run string, tell Teller) (told int, err error) {
	type inbox struct {
		region   fleet.Region
		function string
	}
	by := map[inbox][]int{}
	for i, s := range all {
		if s.Fresh() {
			k := inbox{s.Item.Scope.Region, sweep.Owner(s.Item.Control)}
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
			for _, i := range by[k] {
				all[i].Held = fmt.Sprintf("there is no inbox of %s in %s: deploy the functions there", k.function, k.region)
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
	// State is empty while nothing final is known.
	State fleet.State
	Why   string
}

// Awaited are the items whose owners' records are waited for.
type Awaited struct {
	// Store holds the ledger; From is when the owners were told, by the cloud's clock.
	Store ledger.Store
	Run   string
	From  time.Time

	Outcomes []Outcome
}

// Await waits for what is fresh.
func Await(store ledger.Store, run string, from time.Time, all []Standing) *Awaited {
	a := &Awaited{Store: store, Run: run, From: from}
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

type changeKey struct {
	kind fleet.ChangeKind
	ref  fleet.Key
}

// Read looks into the ledger for what the owners have told since.
func (a *Awaited) Read(ctx context.Context) error {
	told := map[changeKey]fleet.ChangeRecord{}
	functions := map[string]bool{}
	for _, o := range a.Outcomes {
		functions[sweep.Owner(o.Item.Control)] = true
	}
	for function := range functions {
		q := ledger.Query{Function: function, From: a.From.Add(-time.Minute), Run: a.Run}
		for account, err := range ledger.Accounts(ctx, a.Store, q) {
			if err != nil {
				return fmt.Errorf("reading what %s has done: %w", function, err)
			}
			if account.Last == nil {
				continue
			}
			for _, c := range account.Last.Changes {
				if c.Run == a.Run {
					told[changeKey{c.Kind, fleet.Key{Scope: fleet.Scope{Account: c.Account, Region: c.Region}, Kind: c.RefKind, ID: c.ID}}] = c.ChangeRecord
				}
			}
		}
	}
	for i := range a.Outcomes {
		if a.Outcomes[i].State == "" {
			a.Outcomes[i].State, a.Outcomes[i].Why = a.Outcomes[i].Item.outcome(told)
		}
	}
	return nil
}

// outcome is what records tell about an item: that of the change to the thing itself or,
// without one, the first that is final. A change that is put off is still to come.
func (i Item) outcome(told map[changeKey]fleet.ChangeRecord) (fleet.State, string) {
	var state fleet.State
	var why string
	for _, c := range i.Changes {
		key := fleet.Key{Scope: c.Scope, Kind: c.RefKind, ID: c.ID}
		r, ok := told[changeKey{c.Kind, key}]
		final := ok && r.State != fleet.Later
		if key == i.Ref().Key() {
			if !final {
				return "", ""
			}
			return r.State, r.Why
		}
		if final && state == "" {
			state, why = r.State, r.Why
		}
	}
	return state, why
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
		by[s.Item.name()] = s.Stale
	}
	for n, i := range at {
		if gone := by[open[n].name()]; gone != "" {
			a.Outcomes[i].State, a.Outcomes[i].Why = fleet.Skipped, gone
		}
	}
	return nil
}

func (i Item) name() string { return i.Control + " " + i.Ref().String() }
