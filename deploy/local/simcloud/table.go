package simcloud

import (
	"iter"
	"slices"
)

// Table keeps rows under their ids in insertion order. A row keeps its place
// until it is removed and places are never reused, so a listing that continues
// from a place neither loses nor repeats a row, whatever came or went in
// between. The zero Table is ready; the world's mutex guards it.
type Table[T any] struct {
	rows []row[T] // by place; v is nil where a row was removed
	at   map[string]int
	last uint64
}

type row[T any] struct {
	place uint64
	id    string
	v     *T
}

// Len is the number of rows.
func (t *Table[T]) Len() int { return len(t.at) }

// Get returns the row of an id, or nil.
func (t *Table[T]) Get(id string) *T {
	i, ok := t.at[id]
	if !ok {
		return nil
	}
	return t.rows[i].v
}

// Put adds v behind the last row, or sets the row that id already has.
func (t *Table[T]) Put(id string, v *T) {
	if i, ok := t.at[id]; ok {
		t.rows[i].v = v
		return
	}
	if t.at == nil {
		t.at = map[string]int{}
	}
	t.last++
	t.at[id] = len(t.rows)
	t.rows = append(t.rows, row[T]{t.last, id, v})
}

// Grow makes room for n more rows.
func (t *Table[T]) Grow(n int) {
	t.rows = slices.Grow(t.rows, n)
	if t.at == nil {
		t.at = make(map[string]int, n)
	}
}

// Delete removes the row of an id and reports whether there was one.
func (t *Table[T]) Delete(id string) bool {
	i, ok := t.at[id]
	if !ok {
		return false
	}
	delete(t.at, id)
	t.rows[i] = row[T]{place: t.rows[i].place}
	if len(t.rows) > 64 && len(t.at) < len(t.rows)/2 {
		t.compact()
	}
	return true
}

func (t *Table[T]) compact() {
	t.rows = slices.DeleteFunc(t.rows, func(r row[T]) bool { return r.v == nil })
	for i, r := range t.rows {
		t.at[r.id] = i
	}
}

// After yields the rows behind a place, each with its own place. After(0) is
// all of them. The table must not change meanwhile.
func (t *Table[T]) After(place uint64) iter.Seq2[uint64, *T] {
	return func(yield func(uint64, *T) bool) {
		i, _ := slices.BinarySearchFunc(t.rows, place+1, func(r row[T], p uint64) int {
			return int(min(max(int64(r.place)-int64(p), -1), 1))
		})
		for _, r := range t.rows[i:] {
			if r.v != nil && !yield(r.place, r.v) {
				return
			}
		}
	}
}
