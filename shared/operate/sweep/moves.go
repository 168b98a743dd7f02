package sweep

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

// waiting is the name by which the memory has that a rule has only ever been pending since it
// was first found. A memory of code that did not note it takes what was pending for failing.
func waiting(rule string) string { return rule + "_pending" }

// failed reports whether a rule failed on an instance when a sweep last determined it.
func failed(found map[string]time.Time, rule string) bool {
	_, known := found[rule]
	_, waited := found[waiting(rule)]
	return known && !waited
}

// moves are sums, by the move without its numbers.
type moves map[report.Move]report.Move

func (m moves) add(x report.Move) {
	key := report.Move{Control: x.Control, Rule: x.Rule, Severity: x.Severity}
	sum := m[key]
	x.New, x.Still, x.Fixed = x.New+sum.New, x.Still+sum.Still, x.Fixed+sum.Fixed
	m[key] = x
}

// sorted are in a fixed order.
func (m moves) sorted() []report.Move {
	return slices.SortedFunc(maps.Values(m), func(a, b report.Move) int {
		return cmp.Or(cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Severity, b.Severity))
	})
}

// compare counts what a rule says of an instance against what is remembered of it. A pending
// or unknown one is neither fixed nor forgotten: the next sweep that can determine it counts it.
func (t *tally) compare(found map[string]time.Time, v fleet.Verdict) {
	move := report.Move{Control: v.Control, Rule: v.Rule}
	switch failed := failed(found, v.Rule); {
	case v.Outcome == fleet.Violation || v.Outcome == fleet.Conflict:
		move.Severity = v.Severity
		if failed {
			move.Still = 1
		} else {
			move.New = 1
		}
	case v.Outcome == fleet.Passes && failed:
		move.Fixed = 1
	default:
		return
	}
	t.moves.add(move)
}
