package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// Night is a finished memory of a shard.
type Night struct {
	Scope  fleet.Scope
	Run    string
	chunks []chunk
}

// newest finds the newest finished memory of a shard that began at or after a time and has
// an id below another; an empty id is above all. It is nil when there is none. One listing
// is a call for each 1,000 objects that are younger than from.
func newest(ctx context.Context, store ledger.Store, scope fleet.Scope, from time.Time, below string) (*Night, error) {
	var found *Night
	open := &Night{Scope: scope}
	for name, err := range ledger.Names(ctx, store, prefix(scope), prefix(scope)+from.UTC().Format(runForm)) {
		if err != nil {
			return nil, fmt.Errorf("searching for the memory of %s: %w", scope, err)
		}
		c, ok := parse(scope, name)
		if !ok || below != "" && c.run >= below {
			continue
		}
		if open.Run != c.run {
			found = open.or(found)
			open = &Night{Scope: scope, Run: c.run}
		}
		open.chunks = append(open.chunks, c)
	}
	return open.or(found), nil
}

// or returns the night, or the other one if an object is missing or superfluous: a pass
// that read another past may have left that.
func (n *Night) or(other *Night) *Night {
	for i, c := range n.chunks {
		if c.n != i+1 || c.last != (i == len(n.chunks)-1) {
			return other
		}
	}
	if len(n.chunks) == 0 {
		return other
	}
	return n
}

func (n *Night) read(ctx context.Context, store ledger.Store, c chunk) (object, error) {
	body, err := store.Get(ctx, c.name)
	if err != nil {
		return object{}, fmt.Errorf("reading the memory of %s: %w", n.Scope, err)
	}
	return decode(c, n.Scope, body)
}

// fresh is the maximum age of the memory that an owner decides by. A nightly sweep writes
// one every 24 hours; the previous one is then never used, even where the newest was lost.
const fresh = 20 * time.Hour

// Reader reads for the owners of controls.
type Reader struct {
	Store ledger.Store // nil: there is no ledger
	// Now is the cloud's time.
	Now func() time.Time
}

// Found returns since when the newest sweep knows that rules do not hold on instances, by
// id and rule. A missing entry has not matured; without a recent memory none has. It takes
// one listing, whose prefix no message influences, and one read for each object that may
// have one of the instances: two calls in all, up to some 10,000 entries of a shard.
func (r Reader) Found(ctx context.Context, scope fleet.Scope, ids []string) (map[string]map[string]time.Time, error) {
	if r.Store == nil {
		return nil, errNoLedger
	}
	now := r.Now()
	night, err := newest(ctx, r.Store, scope, now.Add(-fresh), "")
	switch {
	case err != nil:
		return nil, err
	case night == nil:
		return nil, nil // clean, or not swept, or lost: nothing has matured
	}
	out := map[string]map[string]time.Time{}
	ids = slices.Sorted(slices.Values(ids))
	var past *string
	for i, c := range night.chunks {
		end := len(ids)
		if i+1 < len(night.chunks) {
			end, _ = slices.BinarySearch(ids, night.chunks[i+1].first)
		}
		asked := ids[:end]
		if ids = ids[end:]; len(asked) == 0 {
			continue
		}
		o, err := night.read(ctx, r.Store, c)
		if err != nil {
			return nil, err
		}
		if past == nil {
			past = &o.Past
		}
		if age := now.Sub(o.At); age > fresh || age < 0 || *past != o.Past {
			return nil, &fleet.BadInput{Where: c.name, What: "it is of another time, or from two passes"}
		}
		for _, e := range o.Entries {
			if _, ok := slices.BinarySearch(asked, e.ID); ok {
				add(out, e)
			}
		}
	}
	return out, nil
}

func add(to map[string]map[string]time.Time, e Entry) {
	if to[e.ID] == nil {
		to[e.ID] = map[string]time.Time{}
	}
	to[e.ID][e.Rule] = e.First
}

var errNoLedger = fleet.WithClass(fleet.NotFound, errors.New("there is no ledger, and so no memory of the sweep"))
