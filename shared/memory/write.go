package memory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// sorted is how many entries are sorted in memory at a time: about 2 MiB.
const sorted = 16 << 10

// Sorter sorts entries in local files. The zero Sorter is ready to use; close it.
type Sorter struct {
	held   []Entry
	spools []*spool
}

// Add adds an entry. An invalid one is ignored: it matures no rule.
func (s *Sorter) Add(e Entry) error {
	if !e.Valid() {
		return nil
	}
	if s.held = append(s.held, e); len(s.held) < sorted {
		return nil
	}
	slices.SortFunc(s.held, Entry.compare)
	f, err := newSpool()
	if err != nil {
		return err
	}
	s.spools = append(s.spools, f)
	for _, e := range s.held {
		if err := f.add(e); err != nil {
			return err
		}
	}
	s.held = s.held[:0]
	return f.flush()
}

// all yields the entries in order, equal ones adjacent.
func (s *Sorter) all() iter.Seq2[Entry, error] {
	slices.SortFunc(s.held, Entry.compare)
	parts := []iter.Seq2[Entry, error]{func(yield func(Entry, error) bool) {
		for _, e := range s.held {
			if !yield(e, nil) {
				return
			}
		}
	}}
	for _, f := range s.spools {
		parts = append(parts, f.all())
	}
	return ledger.Merge(parts, Entry.compare)
}

// Close frees the files.
func (s *Sorter) Close() {
	for _, f := range s.spools {
		f.close()
	}
}

// run is a sequence with its next entry.
type run struct {
	next func() (Entry, error, bool)
	stop func()
	e    Entry
	err  error
	ok   bool
}

func pull(seq iter.Seq2[Entry, error]) *run {
	r := &run{}
	r.next, r.stop = iter.Pull2(seq)
	r.advance()
	return r
}

func (r *run) advance() { r.e, r.err, r.ok = r.next() }

// carried yields the memory of a night: found entries with their earliest time, unless the
// rule was also found to hold; and entries of the past for instances that were not seen.
// past is nil where all were seen.
func carried(found, past iter.Seq2[Entry, error]) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if past == nil {
			past = func(func(Entry, error) bool) {}
		}
		now, old := pull(found), pull(past)
		defer now.stop()
		defer old.stop()
		for now.ok || old.ok {
			for _, r := range []*run{now, old} {
				if r.ok && r.err != nil {
					yield(Entry{}, r.err)
					return
				}
			}
			if !now.ok || old.ok && old.e.compare(now.e) < 0 {
				e := old.e
				if old.advance(); !yield(e, nil) {
					return
				}
				continue
			}
			e := now.e
			if old.ok && old.e.compare(e) == 0 {
				old.advance()
			}
			for now.advance(); now.ok && now.err == nil && now.e.compare(e) == 0; now.advance() {
				// An instance may be on two pages; a zero time is the earliest.
				if now.e.First.Before(e.First) {
					e = now.e
				}
			}
			if !e.First.IsZero() && !yield(e, nil) {
				return
			}
		}
	}
}

// objectEntries is how many entries an object has, about 1 MiB of them. The entries of an
// instance are in one object.
const objectEntries = 10_000

// Write stores the memory of a shard and returns the number of its objects: the found
// entries and, unless past is nil, the past's entries of instances that were not seen.
// Equal objects of an earlier try stay; different ones are an error of class
// [fleet.Exists], and the memory does not count.
func Write(ctx context.Context, store ledger.Store, whose Of, found *Sorter, past *Past) (objects int, err error) {
	var old iter.Seq2[Entry, error]
	if past != nil {
		old = past.All()
	}
	o := object{V: Version, Of: whose, N: 1, Entries: []Entry{}}
	for e, err := range carried(found.all(), old) {
		if err != nil {
			return 0, err
		}
		if n := len(o.Entries); n >= objectEntries && o.Entries[n-1].ID != e.ID {
			if err := o.put(ctx, store); err != nil {
				return 0, err
			}
			o.N, o.Entries = o.N+1, o.Entries[:0]
		}
		e.First = e.First.UTC()
		o.Entries = append(o.Entries, e)
	}
	if o.N == 1 && len(o.Entries) == 0 && whose.Past == "" {
		return 0, nil // no entry to store or to remove
	}
	o.Last = true
	return o.N, o.put(ctx, store)
}

// put writes an object and reads it back: an existing object of that name may be another
// pass's.
func (o *object) put(ctx context.Context, store ledger.Store) error {
	name := chunk{run: o.Run, n: o.N, first: firstOf(o.Entries), last: o.Last}.of(o.Scope)
	body, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err = store.Put(ctx, name, body); err != nil && fleet.ClassOf(err) != fleet.Exists {
		return fmt.Errorf("writing the memory of %s: %w", o.Scope, err)
	}
	stored, err := store.Get(ctx, name)
	if err != nil {
		return fmt.Errorf("reading the memory of %s back: %w", o.Scope, err)
	}
	if !bytes.Equal(stored, body) {
		return fleet.WithClass(fleet.Exists, fmt.Errorf("writing %s: another pass has written another one", name))
	}
	return nil
}
