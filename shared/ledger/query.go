package ledger

import (
	"context"
	"iter"
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

// Accounts yields what the query selects, by time. An object that cannot be read
// yields a [*fleet.BadInput] and is left where it is.
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
	for _, stage := range []fleet.Stage{fleet.StageOutcome, fleet.StageSettled} {
		if slices.Contains(n.stages, stage) {
			e, err := fetch(ctx, store, n.stem, stage)
			a.Last = &e
			return a, err
		}
	}
	return a, nil
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

// list goes through the names from a time on, page by page.
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
				if !yield(name, nil) {
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
