package undo

import (
	"fmt"
	"slices"
	"strconv"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/reconcile"
)

// Source yields the refs of the plan, from a cursor of its own or from the beginning:
// instances before roles and policies, since a run makes roles before it attaches them;
// in each account and region the last changed first.
func (p *Plan) Source(from fleet.Cursor) reconcile.Source {
	return func(yield func(fleet.Batch, error) bool) {
		batches := p.batches()
		at := 0
		if from != "" {
			n, err := strconv.Atoi(string(from))
			if err != nil || n < 0 || n > len(batches) {
				yield(fleet.Batch{}, fmt.Errorf("resuming an undo: %q is not a cursor of this plan", from))
				return
			}
			at = n
		}
		for n := at; n < len(batches); n++ {
			b := batches[n]
			b.At = fleet.Cursor(strconv.Itoa(n))
			if n+1 < len(batches) {
				b.Next = fleet.Cursor(strconv.Itoa(n + 1))
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

func (p *Plan) batches() []fleet.Batch {
	refs := map[fleet.Scope][]fleet.Ref{}
	var scopes []fleet.Scope
	seen := map[fleet.Key]bool{}
	for _, it := range p.Items {
		s := it.ref.Scope
		if seen[it.ref.Key()] {
			continue
		}
		seen[it.ref.Key()] = true
		if refs[s] == nil {
			scopes = append(scopes, s)
		}
		refs[s] = append(refs[s], it.ref)
	}
	slices.SortStableFunc(scopes, func(a, b fleet.Scope) int { return global(a) - global(b) })
	var out []fleet.Batch
	for _, s := range scopes {
		for part := range slices.Chunk(refs[s], fleet.MaxBatch) {
			out = append(out, fleet.Batch{Scope: s, Refs: part})
		}
	}
	return out
}

func global(s fleet.Scope) int {
	if s.Region == "" {
		return 1
	}
	return 0
}
