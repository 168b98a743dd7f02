package ledger

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"fleetwarden/shared/fleet"
)

// Search selects the newest batches that are about something.
type Search struct {
	Functions []string
	// From is the earliest time, To the end, exclusive: both in whole seconds, and no objects are
	// looked for outside of them.
	From, To time.Time
	// Most is how many batches are read at most, the newest; their number is the cost, since
	// only an object says what it is about.
	Most int
	// Within is how long it may take, in real time; zero for no limit.
	Within time.Duration
	// About selects by an intent or, where that is lost, by what ended it.
	About func(fleet.Entry) bool
}

// Found is the result of a search.
type Found struct {
	// Batches are those selected, newest first.
	Batches []Batch
	// Read is how many batches were read, Listed how many there are at least. Where they differ
	// there are more, and Since is the time of the oldest before which not all were read.
	Listed, Read int
	Since        time.Time
	// Late says that the time was up.
	Late bool
	// Unread are the errors of objects that could not be read: what they are about is not
	// known.
	Unread []error
}

// readers is how many objects are read at the same time.
const readers = 16

// reading is a batch that is read, or to be read.
type reading struct {
	names names
	batch Batch
	about bool
	errs  []error
	read  bool
}

// Find searches, from the newest batch back. An object that cannot be read is reported in the
// result, and the others are read nevertheless; of a batch whose intent is lost the end is used.
// The error is that of a listing, or of the end of ctx.
func Find(ctx context.Context, store Store, s Search) (Found, error) {
	timed, stop := ctx, func() {}
	if s.Within > 0 {
		timed, stop = context.WithTimeout(ctx, s.Within)
	}
	defer stop()
	var all []*reading
	next := make(chan *reading)
	var group sync.WaitGroup
	for range readers {
		group.Go(func() {
			for r := range next {
				r.batch, r.about, r.errs = r.names.matching(timed, store, s.About)
				r.read = timed.Err() == nil
			}
		})
	}
	more, err := false, error(nil)
	for n, failed := range s.newest(timed, store) {
		if more = failed == nil && len(all) == s.Most; more || failed != nil {
			err = failed
			break
		}
		r := &reading{names: n}
		all = append(all, r)
		next <- r
	}
	close(next)
	group.Wait()
	late := timed.Err() != nil
	if ctx.Err() != nil || err != nil && !late {
		return Found{}, cmp.Or(ctx.Err(), err)
	}
	return s.found(all, more, late), nil
}

// found sums up what was read.
func (s Search) found(all []*reading, more, late bool) Found {
	out := Found{Since: s.From, Read: len(all), Listed: len(all), Late: late}
	if i := slices.IndexFunc(all, func(r *reading) bool { return !r.read }); i >= 0 {
		out.Read = i
	} else if more || late {
		out.Listed++
	}
	if out.Read < out.Listed {
		out.Since = s.To
		if out.Read > 0 {
			out.Since = all[out.Read-1].names.title.at
		}
	}
	for _, r := range all[:out.Read] {
		out.Unread = append(out.Unread, r.errs...)
		if r.about {
			out.Batches = append(out.Batches, r.batch)
		}
	}
	return out
}

// newest yields all batches of a search, newest first, and lists no more than that takes.
func (s Search) newest(ctx context.Context, store Store) iter.Seq2[names, error] {
	var each []iter.Seq2[names, error]
	for _, f := range s.Functions {
		q := Query{Function: f, From: s.From.UTC().Truncate(time.Second), To: s.To.UTC().Truncate(time.Second)}
		each = append(each, func(yield func(names, error) bool) { q.backwards(ctx, store, spans, yield) })
	}
	return Merge(each, func(a, b names) int { return b.title.at.Compare(a.title.at) })
}

// spans are the parts into which a time is cut whose names are more than a page.
var spans = []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second}

// backwards yields batches newest first: those of one page reversed or, where there are more, part
// by part from the end to the oldest. It reports whether to continue.
func (q Query) backwards(ctx context.Context, store Store, parts []time.Duration, yield func(names, error) bool) bool {
	all, whole, err := q.page(ctx, store, false)
	if err == nil && !whole && (len(parts) == 0 || len(all) == 0) {
		all, whole, err = q.page(ctx, store, true)
	}
	switch {
	case err != nil: // before all that is older
		yield(names{title: title{at: q.To}}, fmt.Errorf("listing the ledger of %s: %w", q.Function, err))
		return false
	case whole:
		for _, n := range slices.Backward(all) {
			if !yield(n, nil) {
				return false
			}
		}
		return true
	}
	for part, oldest := q, all[0].title.at; part.To.After(oldest); part.To = part.From {
		part.From = part.To.Add(-1).Truncate(parts[0])
		if part.From.Before(q.From) {
			part.From = q.From
		}
		if !part.backwards(ctx, store, parts[1:], yield) {
			return false
		}
	}
	return true
}

// page lists the batches of the first page of names or, to the end, of all. whole says that there
// are no others.
func (q Query) page(ctx context.Context, store Store, toEnd bool) (all []names, whole bool, err error) {
	page := &onePage{Store: store, toEnd: toEnd, end: q.Function + "/" + q.To.Format(timeForm)}
	for n, err := range titles(ctx, page, q) {
		if err != nil {
			return nil, false, err
		}
		all = append(all, n)
	}
	return all, page.whole, nil
}

// onePage is the first page of a store's names or, to the end, all of them.
type onePage struct {
	Store
	toEnd bool
	end   string
	whole bool
}

// List implements [Store].
func (p *onePage) List(ctx context.Context, prefix, after string) ([]string, bool, error) {
	names, more, err := p.Store.List(ctx, prefix, after)
	p.whole = p.toEnd || !more || len(names) == 0 || names[len(names)-1] >= p.end
	return names, more && p.toEnd, err
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
