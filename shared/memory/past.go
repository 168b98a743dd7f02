package memory

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// Keep is how long a memory is continued without a sweep: a week, and a day because sweeps
// do not begin at the same time. After a longer gap the rule may have held meanwhile.
const Keep = 8 * 24 * time.Hour

// every is how many instances of a past have one mark in memory: a million take 1 MiB.
const every = 64

// Past is the memory that an earlier sweep wrote for a shard. The zero Past, and nil, are
// empty. It is for one goroutine; close it.
type Past struct {
	// Run is the sweep that wrote it; empty for none.
	Run   string
	spool *spool
	marks []mark
}

// mark is where an instance begins in the spool.
type mark struct {
	id string
	at int64
}

// Newest returns the memory of the newest sweep before a run, which began at a time. It is
// empty when there is none.
func Newest(ctx context.Context, store ledger.Store, scope fleet.Scope, run string, at time.Time) (*Past, error) {
	below := run
	if began(run).IsZero() { // a plan's, which leaves no memory and sorts elsewhere
		below = at.UTC().Format(runForm) + "~"
	}
	night, err := newest(ctx, store, scope, at.Add(-Keep), below)
	if err != nil || night == nil {
		return &Past{}, err
	}
	return load(ctx, store, night)
}

// Load returns the memory of one run. The error has class [fleet.NotFound] when it is gone.
func Load(ctx context.Context, store ledger.Store, scope fleet.Scope, run string) (*Past, error) {
	night, err := newest(ctx, store, scope, began(run), run+"~")
	if err == nil && (night == nil || night.Run != run) {
		err = fleet.WithClass(fleet.NotFound, fmt.Errorf("the memory that sweep %s left of %s is gone", run, scope))
	}
	if err != nil {
		return nil, err
	}
	return load(ctx, store, night)
}

func load(ctx context.Context, store ledger.Store, night *Night) (_ *Past, err error) {
	s, err := newSpool()
	if err != nil {
		return nil, err
	}
	p := &Past{Run: night.Run, spool: s}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	n, id := 0, ""
	var before Entry
	var whose Of
	for i, c := range night.chunks {
		o, err := night.read(ctx, store, c)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			whose = o.Of
		}
		if o.Of != whose || len(o.Entries) > 0 && i > 0 && before.compare(o.Entries[0]) >= 0 {
			return nil, &fleet.BadInput{Where: c.name, What: "it does not continue the object before it"}
		}
		for _, e := range o.Entries {
			if e.ID != id {
				if n%every == 0 {
					p.marks = append(p.marks, mark{e.ID, s.size})
				}
				n, id = n+1, e.ID
			}
			before = e
			if err := s.add(e); err != nil {
				return nil, err
			}
		}
	}
	return p, s.flush()
}

// Found returns since when rules have not held on an instance, by rule.
func (p *Past) Found(id string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	if p == nil || p.spool == nil {
		return out, nil
	}
	i, exact := slices.BinarySearchFunc(p.marks, id, func(m mark, id string) int { return strings.Compare(m.id, id) })
	if !exact {
		if i--; i < 0 {
			return out, nil
		}
	}
	to := p.spool.size
	if i+1 < len(p.marks) {
		to = p.marks[i+1].at
	}
	for e, err := range p.spool.between(p.marks[i].at, to) {
		switch {
		case err != nil:
			return nil, err
		case e.ID > id:
			return out, nil
		case e.ID == id:
			out[e.Rule] = e.First
		}
	}
	return out, nil
}

// All yields all entries, in order.
func (p *Past) All() iter.Seq2[Entry, error] {
	if p == nil || p.spool == nil {
		return func(func(Entry, error) bool) {}
	}
	return p.spool.all()
}

// Close frees the file.
func (p *Past) Close() {
	if p != nil && p.spool != nil {
		p.spool.close()
	}
}
