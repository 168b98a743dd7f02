package report

import (
	"cmp"
	"slices"

	"fleetwarden/shared/fleet"
)

// Remark is one line about many resources: a rule that no source can decide for them, or a
// tag that excludes them from the policy's scope. It is not part of the posture.
type Remark struct {
	Control, Rule string
	Outcome       fleet.Outcome
	Reason        string
	N             int
}

// Remarks are one for each rule and reason, over all shards.
func (s Summary) Remarks() []Remark {
	sums := map[Remark]int{}
	for _, shard := range s.Shards {
		for _, c := range shard.Counts {
			if c.Reason != "" && c.N > 0 {
				sums[Remark{c.Control, c.Rule, c.Outcome, c.Reason, 0}] += c.N
			}
		}
	}
	out := make([]Remark, 0, len(sums))
	for r, n := range sums {
		r.N = n
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Remark) int {
		return cmp.Or(cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// Finding is the remark as a finding of the whole sweep.
func (r Remark) Finding() fleet.FindingRecord {
	return fleet.FindingRecord{Control: r.Control, Rule: r.Rule, Outcome: r.Outcome, Severity: fleet.Info, Kind: fleet.KindFleet, Reason: r.Reason, Remark: true, Count: r.N}
}
