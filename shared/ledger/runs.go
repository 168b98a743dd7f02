package ledger

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// RunQuery selects runs from the ledgers of several functions.
type RunQuery struct {
	Functions []string
	// From is the earliest time of a batch, To the end, exclusive; zero for no limit.
	From, To time.Time
	// Count requests [Run.States], at one read for each batch. Without it only batches of
	// several runs are read.
	Count bool
}

// Run is the ledger's record of one run.
type Run struct {
	ID string
	// Functions that changed something in it, in order.
	Functions []string
	// First and Last are the times of its first and last intent among those selected.
	First, Last time.Time
	// Batches counts the batches with changes of the run, Open those without an outcome or
	// settled entry.
	Batches, Open int
	// States counts its changes; nil unless requested. A change of an open batch has no
	// state.
	States map[fleet.State]int
}

// Apart is how long a run may pause and still be one row: far longer than an inbox delays a
// message. A longer pause makes two rows, each complete for its time.
const Apart = 7 * 24 * time.Hour

// Runs yields one row for each run, by the time of its last batch, newest first. It lists
// day by day, backwards, and holds the runs of a week, or of the longest run's duration;
// names and objects are not held. An object that is needed and cannot be read yields its
// error and a zero Run, and the sequence continues: an object whose name has its run is
// counted nevertheless. A missing or invalid object is a [*fleet.BadInput]. An error of the
// listing ends the sequence.
func Runs(ctx context.Context, store Store, q RunQuery) iter.Seq2[Run, error] {
	return func(yield func(Run, error) bool) {
		days, err := daysOf(ctx, store, q)
		if err != nil {
			yield(Run{}, err)
			return
		}
		b := &board{by: map[string]*Run{}}
		for _, day := range slices.Backward(days) {
			if !b.emit(day, yield) {
				return
			}
			rows, problems, err := runsOf(ctx, store, q, day)
			for _, p := range append(problems, err) {
				if p != nil && !yield(Run{}, p) {
					return
				}
			}
			if err != nil {
				return
			}
			b.add(rows)
		}
		b.emit(time.Time{}, yield)
	}
}

// board holds the runs that earlier days may still extend. Going backwards, a run is first
// met at its last batch: that is the order of the rows.
type board struct {
	rows []*Run
	by   map[string]*Run
}

// add merges the rows of one day.
func (b *board) add(day map[string]*Run) {
	var fresh []*Run
	for id, r := range day {
		if have := b.by[id]; have != nil {
			have.merge(r)
			continue
		}
		b.by[id] = r
		fresh = append(fresh, r)
	}
	slices.SortFunc(fresh, func(x, y *Run) int {
		return cmp.Or(y.Last.Compare(x.Last), cmp.Compare(x.ID, y.ID))
	})
	b.rows = append(b.rows, fresh...)
}

// emit yields the rows that cannot have batches on that day or before.
func (b *board) emit(day time.Time, yield func(Run, error) bool) bool {
	end := day.AddDate(0, 0, 1)
	for len(b.rows) > 0 && (day.IsZero() || b.rows[0].First.Sub(end) > Apart) {
		r := b.rows[0]
		b.rows = b.rows[1:]
		delete(b.by, r.ID)
		slices.Sort(r.Functions)
		if !yield(*r, nil) {
			return false
		}
	}
	return true
}

// merge adds the part of an earlier day, or of another function.
func (r *Run) merge(o *Run) {
	if o.First.Before(r.First) {
		r.First = o.First
	}
	if o.Last.After(r.Last) {
		r.Last = o.Last
	}
	for _, f := range o.Functions {
		if !slices.Contains(r.Functions, f) {
			r.Functions = append(r.Functions, f)
		}
	}
	r.Batches += o.Batches
	r.Open += o.Open
	for state, n := range o.States {
		r.States[state] += n
	}
}

// daysOf returns the days on which any of the functions wrote, oldest first, with one
// listing for each day and function.
func daysOf(ctx context.Context, store Store, q RunQuery) ([]time.Time, error) {
	var days []time.Time
	for _, function := range q.Functions {
		prefix := function + "/"
		after := Query{Function: function, From: q.From}.after()
		for {
			page, _, err := store.List(ctx, prefix, after)
			if err != nil {
				return nil, fmt.Errorf("listing the days of %s: %w", function, err)
			}
			if len(page) == 0 || page[0] > prefix+afterDays {
				break
			}
			name := page[0][len(prefix):]
			day, err := time.Parse(dayForm, name[:min(len(dayForm), len(name))])
			if err != nil {
				after = page[0] // another form
				continue
			}
			if !q.To.IsZero() && !day.Before(q.To) {
				break
			}
			days = append(days, day)
			after = prefix + day.Format(dayForm) + "/~" // after all its names, which begin with digits
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	return slices.Compact(days), nil
}

// runsOf summarises one day. problems are the errors of objects that could not be read.
func runsOf(ctx context.Context, store Store, q RunQuery, day time.Time) (rows map[string]*Run, problems []error, err error) {
	rows = map[string]*Run{}
	for _, function := range q.Functions {
		for n, err := range titles(ctx, store, q.day(function, day)) {
			if err != nil {
				return rows, problems, fmt.Errorf("listing %s of %s: %w", function, day.Format(dayForm), err)
			}
			changes, err := n.changes(ctx, store, q.Count)
			if err != nil {
				problems = append(problems, err)
			}
			for id, states := range changes {
				one := &Run{ID: id, Functions: []string{function}, First: n.title.at, Last: n.title.at, Batches: 1, States: states}
				if n.open() {
					one.Open = 1
				}
				if rows[id] == nil {
					rows[id] = one
				} else {
					rows[id].merge(one)
				}
			}
		}
	}
	return rows, problems, nil
}

// day is the part of the query that falls on a day.
func (q RunQuery) day(function string, day time.Time) Query {
	one := Query{Function: function, From: day, To: day.AddDate(0, 0, 1)}
	if q.From.After(day) {
		one.From = q.From
	}
	if !q.To.IsZero() && q.To.Before(one.To) {
		one.To = q.To
	}
	return one
}

// changes counts the changes of a batch by run and state; without count it returns the runs
// alone. An object that cannot be read counts by its name, if that has the run.
func (n names) changes(ctx context.Context, store Store, count bool) (map[string]map[fleet.State]int, error) {
	out := map[string]map[fleet.State]int{}
	if n.title.run != several {
		out[n.title.run] = nil
		if !count {
			return out, nil
		}
		out[n.title.run] = map[fleet.State]int{}
	}
	e, err := fetch(ctx, store, n.stem, n.last())
	if err != nil {
		return out, err
	}
	for _, c := range e.Changes {
		if out[c.Run] == nil && count {
			out[c.Run] = map[fleet.State]int{}
		}
		if count {
			out[c.Run][c.State]++
			continue
		}
		out[c.Run] = nil
	}
	return out, nil
}

// last is the latest stage of the batch.
func (n names) last() fleet.Stage {
	for _, stage := range []fleet.Stage{fleet.StageOutcome, fleet.StageSettled} {
		if slices.Contains(n.stages, stage) {
			return stage
		}
	}
	return fleet.StageIntent
}
