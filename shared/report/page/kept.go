package page

import (
	"cmp"
	"container/heap"
	"fmt"
	"iter"
	"slices"

	"fleetwarden/shared/fleet"
)

// maxText is how many runes of a reason or remedy a page shows.
const maxText = 600

// findings are the worst of a stream: a heap with the least bad on top, so that memory does
// not grow with the fleet.
type findings struct {
	rows []fleet.FindingRecord
	// left counts the others.
	left int
}

// collect keeps the worst findings. Passed, not applicable and not assessable ones are not
// shown one by one.
func collect(records iter.Seq2[fleet.Record, error], size int) (findings, error) {
	f := findings{}
	for r, err := range records {
		if err != nil {
			return findings{}, fmt.Errorf("reading findings: %w", err)
		}
		if r.Finding == nil || r.Finding.Outcome == fleet.Passes || r.Finding.Outcome == fleet.NotApplicable || r.Finding.Outcome == fleet.NotAssessable {
			continue
		}
		f.add(*r.Finding, size)
	}
	slices.SortFunc(f.rows, worse)
	return f, nil
}

func (f *findings) add(r fleet.FindingRecord, size int) {
	r.Evidence = nil
	r.Reason, r.Remedy = clip(r.Reason, maxText), clip(r.Remedy, maxText)
	if len(f.rows) < size {
		heap.Push(f, r)
		return
	}
	f.left++
	if worse(r, f.rows[0]) < 0 {
		f.rows[0] = r
		heap.Fix(f, 0)
	}
}

func (f *findings) Len() int           { return len(f.rows) }
func (f *findings) Less(i, j int) bool { return worse(f.rows[i], f.rows[j]) > 0 }
func (f *findings) Swap(i, j int)      { f.rows[i], f.rows[j] = f.rows[j], f.rows[i] }
func (f *findings) Push(x any)         { f.rows = append(f.rows, x.(fleet.FindingRecord)) }

func (f *findings) Pop() any {
	last := f.rows[len(f.rows)-1]
	f.rows = f.rows[:len(f.rows)-1]
	return last
}

// worse orders findings, the worst first. Exempt ones come last, whatever their severity.
// It is a total order over what is shown, so that the same sweep makes the same page.
func worse(a, b fleet.FindingRecord) int {
	return cmp.Or(
		-cmp.Compare(min(weight(a.Outcome), 1), min(weight(b.Outcome), 1)),
		-cmp.Compare(a.Severity.Rank(), b.Severity.Rank()),
		-cmp.Compare(weight(a.Outcome), weight(b.Outcome)),
		cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Reason, b.Reason))
}

// weight ranks outcomes: failed before undecided.
func weight(o fleet.Outcome) int {
	switch o {
	case fleet.Exempted:
		return 0
	case fleet.Violation, fleet.Conflict:
		return 2
	}
	return 1
}

func clip(s string, runes int) string {
	n := 0
	for i := range s {
		if n == runes {
			return s[:i] + "… (cut)"
		}
		n++
	}
	return s
}
