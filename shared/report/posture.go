package report

import (
	"cmp"
	"maps"
	"slices"

	"fleetwarden/shared/fleet"
)

// Posture sums up outcomes. Not applicable and not assessable ones are left out.
type Posture struct {
	// Pass counts passes, Fail violations and conflicts.
	Pass, Fail int
	// Open counts unknown, pending, faults, and outcomes that this code does not know. It
	// never counts as passed.
	Open int
	// Exempt counts exempt resources, neither as passed nor as failed.
	Exempt int
}

// Judged is the number of outcomes in the share.
func (p Posture) Judged() int { return p.Pass + p.Fail + p.Open }

// Share is the share of judged outcomes that pass, 0 to 1. It is false without any: that
// does not mean that all is well.
func (p Posture) Share() (float64, bool) {
	if p.Judged() == 0 {
		return 0, false
	}
	return float64(p.Pass) / float64(p.Judged()), true
}

func (p *Posture) add(c Count) {
	switch c.Outcome {
	case fleet.Passes:
		p.Pass += c.N
	case fleet.Violation, fleet.Conflict:
		p.Fail += c.N
	case fleet.Exempted:
		p.Exempt += c.N
	case fleet.NotApplicable, fleet.NotAssessable:
	default:
		p.Open += c.N
	}
}

// Posture sums up all shards.
func (s Summary) Posture() Posture {
	var p Posture
	for _, shard := range s.Shards {
		for _, c := range shard.Counts {
			p.add(c)
		}
	}
	return p
}

// Unread lists the shards that could not be read to their end.
func (s Summary) Unread() []Shard {
	return slices.DeleteFunc(slices.Clone(s.Shards), func(shard Shard) bool { return shard.Fault == "" })
}

// Seen is the number of resources of all shards.
func (s Summary) Seen() int {
	n := 0
	for _, shard := range s.Shards {
		n += shard.Seen
	}
	return n
}

// RulePosture is the posture of one rule or, without a rule, of a whole control.
type RulePosture struct {
	Control, Rule string
	Posture
}

// Controls returns the posture of each control, by name.
func (s Summary) Controls() []RulePosture {
	return s.postures(func(c Count) RulePosture { return RulePosture{Control: c.Control} })
}

// Rules returns the posture of each rule, by name of control and rule.
func (s Summary) Rules() []RulePosture {
	return s.postures(func(c Count) RulePosture { return RulePosture{Control: c.Control, Rule: c.Rule} })
}

func (s Summary) postures(key func(Count) RulePosture) []RulePosture {
	sums := map[RulePosture]*Posture{}
	for _, shard := range s.Shards {
		for _, c := range shard.Counts {
			k := key(c)
			if sums[k] == nil {
				sums[k] = &Posture{}
			}
			sums[k].add(c)
		}
	}
	out := make([]RulePosture, 0, len(sums))
	for k, p := range sums {
		out = append(out, RulePosture{k.Control, k.Rule, *p})
	}
	slices.SortFunc(out, func(a, b RulePosture) int {
		return cmp.Or(cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}

// ScopePosture is the posture of one account in one region.
type ScopePosture struct {
	Scope fleet.Scope
	Seen  int
	// Faults are the reasons why parts of it could not be read; then the posture covers
	// only the rest.
	Faults []string
	Posture
}

// Scopes returns the posture of each account and region, in their order.
func (s Summary) Scopes() []ScopePosture {
	sums := map[fleet.Scope]*ScopePosture{}
	for _, shard := range s.Shards {
		p := sums[shard.Scope]
		if p == nil {
			p = &ScopePosture{Scope: shard.Scope}
			sums[shard.Scope] = p
		}
		p.Seen += shard.Seen
		if shard.Fault != "" {
			p.Faults = append(p.Faults, shard.Fault)
		}
		for _, c := range shard.Counts {
			p.add(c)
		}
	}
	out := make([]ScopePosture, 0, len(sums))
	for _, scope := range slices.SortedFunc(maps.Keys(sums), compareScopes) {
		out = append(out, *sums[scope])
	}
	return out
}

func compareScopes(a, b fleet.Scope) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
}
