package sweep

import (
	"cmp"
	"maps"
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// totals are what a shard has counted.
type totals struct {
	Seen   int            `json:"seen"`
	Pages  int            `json:"pages,omitempty"` // that were listed, some perhaps twice
	Counts []report.Count `json:"counts,omitempty"`
	// Moves mean nothing where the memory was not compared.
	Moves   []report.Move        `json:"moves,omitempty"`
	Changes []report.ChangeCount `json:"changes,omitempty"`
	// Covered are those of Changes that the policy had made when they were judged. One of what
	// several instances share is among them once one of those that ask for it is covered.
	Covered []report.ChangeCount `json:"covered,omitempty"`
	Exempt  []report.Exemption   `json:"exempt,omitempty"`
	Due     map[string]int       `json:"due,omitempty"` // resources, by control, without a change
	// Shared are the digests of the changes to what several instances share: see
	// [fleet.Resume].
	Shared []string `json:"shared,omitempty"`
	// SharedCovered are those of Shared that Covered counts.
	SharedCovered []string `json:"sharedCovered,omitempty"`
	// Remembered counts what parts have for the memory.
	Remembered int   `json:"remembered,omitempty"`
	Calls      calls `json:"calls,omitempty"`
}

// tally continues to count from totals. Its keys have no number in them.
type tally struct {
	counts  map[report.Count]int
	moves   moves
	changes map[report.ChangeCount]int
	covered map[report.ChangeCount]int
	exempt  map[report.Exemption]int
	due     map[string]int
	// seen knows the changes that are counted, made those among them that are covered.
	seen, made *fleet.Distinct
}

func newTally(t totals) *tally {
	out := &tally{map[report.Count]int{}, moves{}, counted(t.Changes), counted(t.Covered), map[report.Exemption]int{}, map[string]int{},
		fleet.Resume(fleet.Total{}, t.Shared), fleet.Resume(fleet.Total{}, t.SharedCovered)}
	for _, x := range t.Counts {
		n := x.N
		x.N = 0
		out.counts[x] += n
	}
	for _, m := range t.Moves {
		out.moves.add(m)
	}
	out.uses(t.Exempt)
	maps.Copy(out.due, t.Due)
	return out
}

func counted(changes []report.ChangeCount) map[report.ChangeCount]int {
	out := map[report.ChangeCount]int{}
	for _, x := range changes {
		n := x.N
		x.N = 0
		out[x] += n
	}
	return out
}

func (t *tally) uses(exempt []report.Exemption) {
	for _, x := range exempt {
		n := x.Uses
		x.Uses = 0
		t.exempt[x] += n
	}
}

// finding counts a finding. It returns false for what a rule has said of the account as
// a whole before: batch after batch says it again, and it counts once.
func (t *tally) finding(f *fleet.FindingRecord) bool {
	c := report.Count{Control: f.Control, Rule: f.Rule, Outcome: f.Outcome, Severity: f.Severity}
	if f.Remark {
		c.Reason = f.Reason
	}
	if f.Kind == fleet.KindAccount && f.Control != "" && t.counts[c] > 0 {
		return false
	}
	t.counts[c]++
	return true
}

// change counts a change, unless it is counted: every page that needs a role asks for it. One
// that a page asked for uncovered is counted as covered by a later page that has it made.
func (t *tally) change(c *fleet.ChangeRecord, covered bool) {
	k := report.ChangeCount{Control: c.Control, Rule: c.Rule, Kind: c.Kind, State: c.State}
	if t.seen.Add(c.Identity()) {
		t.changes[k]++
	}
	if covered && t.made.Add(c.Identity()) {
		t.covered[k]++
	}
}

// made are the changes that the controls make by a policy: all of one that enforces, and of one
// that enforces a part those that were covered when they were judged.
func (t totals) made(p *policy.Policy) (out []report.ChangeCount) {
	for _, x := range []struct {
		changes []report.ChangeCount
		covered bool
	}{{t.Changes, false}, {t.Covered, true}} {
		for _, c := range x.changes {
			if p.Makes(c.Control, true) && p.Partly(c.Control) == x.covered {
				out = append(out, c)
			}
		}
	}
	return out
}

// changed is how many distinct changes each control makes.
func changed(made []report.ChangeCount) map[string]fleet.Total {
	out := map[string]fleet.Total{}
	for _, c := range made {
		n := out[c.Control]
		n.N += c.N
		if c.Kind.Disturbs() {
			n.Disturbing += c.N
		}
		out[c.Control] = n
	}
	return out
}

// asked is how many distinct changes each rule of a control asks for.
func asked(made []report.ChangeCount, control string) map[string]int {
	out := map[string]int{}
	for _, c := range made {
		if c.Control == control {
			out[c.Rule] += c.N
		}
	}
	return out
}

// exemption is a key of the tally. Times are compared as values, so all are in UTC.
func exemption(e policy.Exemption) report.Exemption {
	return report.Exemption{Control: e.Control, Rule: e.Rule, Owner: e.Owner, Reason: e.Reason, Expires: e.Expires.UTC()}
}

// totals are in a fixed order.
func (t *tally) totals() totals {
	out := totals{Due: maps.Clone(t.due), Shared: t.seen.Shared(), SharedCovered: t.made.Shared()}
	for x, n := range t.counts {
		x.N = n
		out.Counts = append(out.Counts, x)
	}
	out.Moves = t.moves.sorted()
	out.Changes, out.Covered = sums(t.changes), sums(t.covered)
	for x, n := range t.exempt {
		x.Uses = n
		out.Exempt = append(out.Exempt, x)
	}
	slices.SortFunc(out.Counts, func(a, b report.Count) int {
		return cmp.Or(cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Reason, b.Reason))
	})
	slices.SortFunc(out.Exempt, func(a, b report.Exemption) int {
		return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// sums are in a fixed order.
func sums(changes map[report.ChangeCount]int) (out []report.ChangeCount) {
	for x, n := range changes {
		x.N = n
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b report.ChangeCount) int {
		return cmp.Or(cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.State, b.State))
	})
	return out
}

// calls counts API calls by API and result.
type calls map[string]map[string]int

// since is what was called after before was taken.
func (c calls) since(before calls) calls {
	out := calls{}
	for api, results := range c {
		for result, n := range results {
			out.add(api, result, n-before[api][result])
		}
	}
	return out
}

func (c calls) plus(more calls) calls {
	out := calls{}
	for _, x := range []calls{c, more} {
		for api, results := range x {
			for result, n := range results {
				out.add(api, result, n)
			}
		}
	}
	return out
}

func (c calls) add(api, result string, n int) {
	if n == 0 {
		return
	}
	if c[api] == nil {
		c[api] = map[string]int{}
	}
	c[api][result] += n
}
