package ledger

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"fleetwarden/shared/fleet"
)

// Search selects the newest batches that are about something.
type Search struct {
	Functions []string
	// From is the earliest time.
	From time.Time
	// Most is how many batches are read at most, the newest; their number is the cost, since
	// only an object says what it is about.
	Most int
	// About selects by an intent or, where that is lost, by what ended it.
	About func(fleet.Entry) bool
}

// Found is the result of a search.
type Found struct {
	// Batches are those selected, newest first.
	Batches []Batch
	// Listed is how many batches there are since From, Read how many were read. Where they
	// differ, Since is the time of the oldest that was read.
	Listed, Read int
	Since        time.Time
	// Unread are the errors of objects that could not be read: what they are about is not
	// known.
	Unread []error
}

// readers is how many objects are read at the same time.
const readers = 16

// Find searches. An object that cannot be read is reported in the result, and the others are
// read nevertheless; of a batch whose intent is lost the end is used. The error is that of a
// listing, or of the end of ctx.
func Find(ctx context.Context, store Store, s Search) (Found, error) {
	all, err := listed(ctx, store, s)
	if err != nil {
		return Found{}, err
	}
	out := Found{Listed: len(all), Read: min(len(all), s.Most), Since: s.From}
	all = all[:out.Read]
	if out.Read < out.Listed && out.Read > 0 {
		out.Since = all[out.Read-1].title.at
	}
	type result struct {
		batch Batch
		about bool
		errs  []error
	}
	results := make([]result, len(all))
	var group sync.WaitGroup
	next := make(chan int)
	for range min(readers, len(all)) {
		group.Go(func() {
			for i := range next {
				r := &results[i]
				r.batch, r.about, r.errs = all[i].matching(ctx, store, s.About)
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	group.Wait()
	for _, r := range results {
		out.Unread = append(out.Unread, r.errs...)
		if r.about {
			out.Batches = append(out.Batches, r.batch)
		}
	}
	return out, ctx.Err()
}

// listed are all batches of a search, newest first.
func listed(ctx context.Context, store Store, s Search) (all []names, err error) {
	for _, f := range s.Functions {
		for n, err := range titles(ctx, store, Query{Function: f, From: s.From}) {
			if err != nil {
				return nil, fmt.Errorf("listing the ledger of %s: %w", f, err)
			}
			all = append(all, n)
		}
	}
	slices.SortStableFunc(all, func(a, b names) int { return b.title.at.Compare(a.title.at) })
	return all, nil
}

// matching reads a batch if it is selected: mostly its intent alone.
func (n names) matching(ctx context.Context, store Store, about func(fleet.Entry) bool) (b Batch, ok bool, errs []error) {
	if !slices.Contains(n.stages, fleet.StageIntent) {
		errs = append(errs, &fleet.BadInput{Where: "ledger object " + object(&fleet.Entry{Name: n.stem, Stage: fleet.StageIntent}), What: "it is gone"})
	} else if b.Intent, errs = n.read(ctx, store, fleet.StageIntent); len(errs) == 0 && !about(b.Intent) {
		return b, false, nil
	}
	if n.open() {
		return b, len(errs) == 0, errs
	}
	end, err := n.read(ctx, store, n.last())
	if len(err) > 0 {
		b.Lost = true
		return b, len(errs) == 0, append(errs, err...)
	}
	b.Last = &end
	if len(errs) > 0 {
		b.Intent = end
	}
	return b, about(b.Intent), errs
}

func (n names) read(ctx context.Context, store Store, stage fleet.Stage) (fleet.Entry, []error) {
	e, err := fetch(ctx, store, n.stem, stage)
	if err != nil {
		return e, []error{err}
	}
	return e, nil
}
