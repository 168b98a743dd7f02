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
	// From is the earliest time, To the end, exclusive; zero for no limit.
	From, To time.Time
	// Run selects one run; empty for all.
	Run string
}

// Batch is the ledger's record of one batch.
type Batch struct {
	Intent fleet.Entry
	// Last is the outcome or, without one, the settled entry; nil while the intent is open.
	Last *fleet.Entry
	// Lost says that the batch has ended, and that its end could not be read; only [Find] yields
	// such a batch.
	Lost bool
}

// Batches yields the selected batches, by time. An object that cannot be read, or an
// outcome whose changes are not those of its intent, yields a [*fleet.BadInput] and is left
// unchanged.
func Batches(ctx context.Context, store Store, q Query) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for names, err := range titles(ctx, store, q) {
			var b Batch
			if err == nil {
				b, err = names.batch(ctx, store)
			}
			if err == nil && q.Run != "" && !b.belongs(q.Run) {
				continue
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

func (b Batch) belongs(run string) bool {
	return slices.ContainsFunc(b.Intent.Changes, func(c fleet.EntryChange) bool { return c.Run == run })
}

// names are the objects of one batch, from a listing.
type names struct {
	stem   string
	title  title
	stages []fleet.Stage
}

func (n names) open() bool { return len(n.stages) == 1 && n.stages[0] == fleet.StageIntent }

func (n names) batch(ctx context.Context, store Store) (b Batch, err error) {
	if b.Intent, err = fetch(ctx, store, n.stem, fleet.StageIntent); err != nil {
		return b, err
	}
	if stage := n.last(); stage != fleet.StageIntent {
		e, err := fetch(ctx, store, n.stem, stage)
		b.Last = &e
		if err == nil && !slices.EqualFunc(b.Intent.Changes, e.Changes, sameChange) {
			err = &fleet.BadInput{Where: "ledger object " + object(&fleet.Entry{Name: n.stem, Stage: stage}), What: "its changes are not those of its intent"}
		}
		return b, err
	}
	return b, nil
}

// sameChange reports whether an end is of a change of the intent: all members but the
// result are equal.
func sameChange(intended, ended fleet.EntryChange) bool {
	for _, c := range []*fleet.EntryChange{&intended, &ended} {
		c.State, c.Why, c.After, c.RequestIDs = "", "", "", nil
	}
	return reflect.DeepEqual(intended, ended)
}

// Across yields the selected batches of several functions, by time: with [Query.Run], one
// run from its first batch to its last. The query's own Function is ignored. Errors are as
// for [Batches], each at its time; an error of a listing ends the sequence.
func Across(ctx context.Context, store Store, functions []string, q Query) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		var listed []iter.Seq2[names, error]
		for _, f := range functions {
			q.Function = f
			listed = append(listed, titles(ctx, store, q))
		}
		for n, err := range Merge(listed, func(a, b names) int { return a.title.at.Compare(b.title.at) }) {
			if err != nil {
				yield(Batch{}, err)
				return
			}
			b, err := n.batch(ctx, store)
			if err == nil && q.Run != "" && !b.belongs(q.Run) {
				continue
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// Stems lists the selected batches of a function by their names, without reading any: see
// [Intent].
func Stems(ctx context.Context, store Store, q Query) (stems []string, err error) {
	for n, err := range titles(ctx, store, q) {
		if err != nil {
			return nil, err
		}
		stems = append(stems, n.stem)
	}
	return stems, nil
}

// Intent reads the intent of one of [Stems].
func Intent(ctx context.Context, store Store, stem string) (fleet.Entry, error) {
	return fetch(ctx, store, stem, fleet.StageIntent)
}

// titles lists batches without reading their objects. A name of another form is skipped.
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

// afterDays sorts after all days, and before a function's other objects.
const afterDays = "~"

// list yields the names of days from a time on.
func list(ctx context.Context, store Store, q Query) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		prefix := q.Function + "/"
		for name, err := range Names(ctx, store, prefix, q.after()) {
			if name > prefix+afterDays || !yield(name, err) {
				return
			}
		}
	}
}

// after sorts before the names of the query's time, and after all earlier ones.
func (q Query) after() string {
	if q.From.IsZero() {
		return ""
	}
	return q.Function + "/" + q.From.UTC().Format(timeForm)
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
