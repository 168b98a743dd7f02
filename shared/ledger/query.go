package ledger

import (
	"context"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// Query selects from the ledger of one function.
type Query struct {
	Function string
	// From is the earliest time, To the first time that is too late; zero for no
	// end.
	From, To time.Time
	// Run selects one run; empty for all.
	Run string
}

// Account is what the ledger tells about one batch.
type Account struct {
	Intent fleet.Entry
	// Last is the outcome or, without one, what was settled; nil while the intent
	// is open.
	Last *fleet.Entry
}

// Accounts yields what the query selects, by time. An object that cannot be read, or an
// end that tells of other changes than its intent, yields a [*fleet.BadInput] and is left
// where it is.
func Accounts(ctx context.Context, store Store, q Query) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		for names, err := range titles(ctx, store, q) {
			var a Account
			if err == nil {
				a, err = names.account(ctx, store)
			}
			if err == nil && q.Run != "" && !a.belongs(q.Run) {
				continue
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

func (a Account) belongs(run string) bool {
	return slices.ContainsFunc(a.Intent.Changes, func(c fleet.EntryChange) bool { return c.Run == run })
}

// names are the objects of one batch, by what a listing tells.
type names struct {
	stem   string
	title  title
	stages []fleet.Stage
}

func (n names) open() bool { return len(n.stages) == 1 && n.stages[0] == fleet.StageIntent }

func (n names) account(ctx context.Context, store Store) (a Account, err error) {
	if a.Intent, err = fetch(ctx, store, n.stem, fleet.StageIntent); err != nil {
		return a, err
	}
	if stage := n.told(); stage != fleet.StageIntent {
		e, err := fetch(ctx, store, n.stem, stage)
		a.Last = &e
		if err == nil && !slices.EqualFunc(a.Intent.Changes, e.Changes, sameChange) {
			err = &fleet.BadInput{Where: "ledger object " + object(&fleet.Entry{Name: n.stem, Stage: stage}), What: "its changes are not those of its intent"}
		}
		return a, err
	}
	return a, nil
}

// sameChange reports whether an end tells of a change of the intent: all but what became
// of it is the same.
func sameChange(intended, told fleet.EntryChange) bool {
	for _, c := range []*fleet.EntryChange{&intended, &told} {
		c.State, c.Why, c.After, c.RequestIDs = "", "", "", nil
	}
	return reflect.DeepEqual(intended, told)
}

// Across yields what a query selects from the ledgers of several functions, by time:
// with [Query.Run], one run from its first batch to its last. The query's own Function
// counts for nothing. Errors are as for [Accounts], each in its place; an error of a
// listing ends the sequence.
func Across(ctx context.Context, store Store, functions []string, q Query) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		heads, stop, err := open(ctx, store, functions, q)
		defer stop()
		for err == nil && len(heads) > 0 {
			i := earliest(heads)
			n := heads[i].names
			a, rerr := n.account(ctx, store)
			if rerr != nil || q.Run == "" || a.belongs(q.Run) {
				if !yield(a, rerr) {
					return
				}
			}
			heads, err = advance(heads, i)
		}
		if err != nil {
			yield(Account{}, err)
		}
	}
}

// head is the next batch of one function, and how to come to the one after it.
type head struct {
	names names
	next  func() (names, error, bool)
}

// open begins to list each function. stop has to be called in any case.
func open(ctx context.Context, store Store, functions []string, q Query) (heads []head, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	for _, f := range functions {
		q.Function = f
		next, done := iter.Pull2(titles(ctx, store, q))
		stops = append(stops, done)
		n, err, ok := next()
		if err != nil {
			return nil, stop, err
		}
		if ok {
			heads = append(heads, head{n, next})
		}
	}
	return heads, stop, nil
}

func earliest(heads []head) int {
	at := 0
	for i, h := range heads {
		if h.names.title.at.Before(heads[at].names.title.at) {
			at = i
		}
	}
	return at
}

// advance takes the next batch of the function that was at i.
func advance(heads []head, i int) ([]head, error) {
	n, err, ok := heads[i].next()
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return slices.Delete(heads, i, i+1), nil
	}
	heads[i].names = n
	return heads, nil
}

// titles lists batches without reading their objects. A name that is none of ours
// is passed over: nothing can be told about it.
func titles(ctx context.Context, store Store, q Query) iter.Seq2[names, error] {
	return func(yield func(names, error) bool) {
		var now names
		flush := func() bool {
			n := now
			now = names{}
			return n.stem == "" || !q.selects(n.title) || yield(n, nil)
		}
		for name, err := range list(ctx, store, q) {
			if err != nil {
				yield(names{}, err)
				return
			}
			s, stage := split(name)
			t, ok := read(s)
			if !ok {
				continue
			}
			if !q.To.IsZero() && !t.at.Before(q.To) {
				break
			}
			if s != now.stem {
				if !flush() {
					return
				}
				now = names{stem: s, title: t}
			}
			now.stages = append(now.stages, stage)
		}
		flush()
	}
}

func (q Query) selects(t title) bool {
	return q.Run == "" || t.run == several || t.run == q.Run
}

// afterDays sorts after all days, and before what else a function keeps.
const afterDays = "~"

// list goes through the names of days from a time on, page by page.
func list(ctx context.Context, store Store, q Query) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		prefix, after := q.Function+"/", ""
		if !q.From.IsZero() {
			after = prefix + q.From.UTC().Format(timeForm)
		}
		for {
			page, more, err := store.List(ctx, prefix, after)
			if err != nil {
				yield("", err)
				return
			}
			for _, name := range page {
				if name > prefix+afterDays || !yield(name, nil) {
					return
				}
			}
			if !more || len(page) == 0 {
				return
			}
			after = page[len(page)-1]
		}
	}
}

// Below returns the part of a store under a prefix such as "ledger/".
func Below(store Store, prefix string) Store {
	if prefix == "" {
		return store
	}
	return below{store, strings.TrimSuffix(prefix, "/") + "/"}
}

type below struct {
	store  Store
	prefix string
}

func (b below) Put(ctx context.Context, name string, body []byte) error {
	return b.store.Put(ctx, b.prefix+name, body)
}

func (b below) Get(ctx context.Context, name string) ([]byte, error) {
	return b.store.Get(ctx, b.prefix+name)
}

func (b below) List(ctx context.Context, prefix, after string) ([]string, bool, error) {
	if after != "" {
		after = b.prefix + after
	}
	names, more, err := b.store.List(ctx, b.prefix+prefix, after)
	for i, n := range names {
		names[i] = strings.TrimPrefix(n, b.prefix)
	}
	return names, more, err
}
