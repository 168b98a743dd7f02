package resourcesharing

import (
	"iter"
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// seen yields the shares of a region that a caller sees: its own, or those of
// others that reach it. The caller holds the mutex.
func (s *Service) seen(c *wire.Call, owner string, ids []string) iter.Seq[*share] {
	return func(yield func(*share) bool) {
		for _, x := range s.shares.After(0) {
			mine := x.owner == c.Caller.Account
			if x.region != c.Region || (owner == "Self") != mine || !oneOf(ids, x.id) {
				continue
			}
			if (mine || s.reaches(x, c.Caller.Account)) && !yield(x) {
				return
			}
		}
	}
}

// oneOf: no ids stand for all.
func oneOf(ids []string, id string) bool { return len(ids) == 0 || slices.Contains(ids, id) }

// same: an empty filter lets all through.
func same(want, got string) bool { return want == "" || want == got }

func checkOwner(owner string) error {
	if owner != "Self" && owner != "OtherAccounts" {
		return bad("ResourceOwner")
	}
	return nil
}

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

// parts yields what is associated in the shares of a caller, or of others, in the
// order in which it came. The caller holds the mutex.
func (s *Service) parts(shares iter.Seq[*share], match func(*association) bool) iter.Seq2[uint64, *association] {
	var all []*association
	for x := range shares {
		for _, a := range x.parts {
			if match(a) {
				all = append(all, a)
			}
		}
	}
	slices.SortFunc(all, func(a, b *association) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
	return func(yield func(uint64, *association) bool) {
		for _, a := range all {
			if !yield(a.seq, a) {
				return
			}
		}
	}
}
