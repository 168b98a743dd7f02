package ledger

import (
	"iter"
	"slices"
)

// head is the next value of a sequence, with the iterator of the rest.
type head[T any] struct {
	next func() (T, error, bool)
	v    T
	err  error
	ok   bool
}

func (h *head[T]) advance() { h.v, h.err, h.ok = h.next() }

// Merge yields the values of sequences that are in order, in order; of equal ones that of the
// earlier sequence first. An error, which comes with a value that is before all others, ends
// it.
func Merge[T any](sequences []iter.Seq2[T, error], compare func(a, b T) int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var heads []*head[T]
		for _, s := range sequences {
			next, stop := iter.Pull2(s)
			defer stop()
			h := &head[T]{next: next}
			h.advance()
			heads = append(heads, h)
		}
		for {
			heads = slices.DeleteFunc(heads, func(h *head[T]) bool { return !h.ok })
			if len(heads) == 0 {
				return
			}
			h := slices.MinFunc(heads, func(a, b *head[T]) int { return compare(a.v, b.v) })
			if !yield(h.v, h.err) || h.err != nil {
				return
			}
			h.advance()
		}
	}
}
