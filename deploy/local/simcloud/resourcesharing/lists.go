package resourcesharing

import (
	"cmp"
	"iter"
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// oneOf: no ids stand for all.
func oneOf(ids []string, id string) bool { return len(ids) == 0 || slices.Contains(ids, id) }

// same: an empty filter lets all through.
func same(want, got string) bool { return want == "" || want == got }

// checkIDs: at most five, each once.
func checkIDs(name string, ids []string) error {
	if len(ids) > 5 {
		return wire.Errorf(400, "InvalidParameter."+name+".Length", "The maximum number of %s exceeds 5.", name)
	}
	if hasTwice(ids) {
		return duplicate(name)
	}
	return nil
}

// parts yields what is associated in the caller's own shares in the call's region, or in
// those of the ids, in the order in which it came. The caller holds the mutex.
func (s *Service) parts(c *wire.Call, ids []string, match func(*association) bool) iter.Seq2[uint64, *association] {
	var all []*association
	for _, x := range s.shares.After(0) {
		if x.owner != c.Caller.Account || x.region != c.Region || !oneOf(ids, x.id) {
			continue
		}
		for _, a := range x.parts {
			if match(a) {
				all = append(all, a)
			}
		}
	}
	slices.SortFunc(all, func(a, b *association) int { return cmp.Compare(a.seq, b.seq) })
	return func(yield func(uint64, *association) bool) {
		for _, a := range all {
			if !yield(a.seq, a) {
				return
			}
		}
	}
}
