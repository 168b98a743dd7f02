package simcloud

// Placed is an item of a [Heap].
type Placed[T any] interface {
	// Before reports whether it comes out before another one.
	Before(T) bool
	// Place gives the item its index in the heap, by which it can be removed; -1 once it is
	// taken out.
	Place(int)
}

// Heap is a [heap.Interface] of items that know their place.
type Heap[T Placed[T]] []T

// Len implements heap.Interface.
func (h Heap[T]) Len() int { return len(h) }

// Less implements heap.Interface.
func (h Heap[T]) Less(i, j int) bool { return h[i].Before(h[j]) }

// Swap implements heap.Interface.
func (h Heap[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].Place(i)
	h[j].Place(j)
}

// Push implements heap.Interface.
func (h *Heap[T]) Push(x any) {
	it := x.(T)
	it.Place(len(*h))
	*h = append(*h, it)
}

// Pop implements heap.Interface.
func (h *Heap[T]) Pop() any {
	last := len(*h) - 1
	it := (*h)[last]
	clear((*h)[last:])
	*h = (*h)[:last]
	it.Place(-1)
	return it
}
