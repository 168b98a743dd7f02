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
	Seen    int                  `json:"seen"`
	Pages   int                  `json:"pages,omitempty"` // that were listed, some perhaps twice
	Counts  []report.Count       `json:"counts,omitempty"`
	Changes []report.ChangeCount `json:"changes,omitempty"`
	Exempt  []report.Exemption   `json:"exempt,omitempty"`
	Due     map[string]int       `json:"due,omitempty"` // resources, by control, without a change
	// Shared are the digests of the changes to what several instances share: see
	// [fleet.Resume].
	Shared []string `json:"shared,omitempty"`
	// Remembered counts what parts have for the memory.
	Remembered int   `json:"remembered,omitempty"`
	Calls      calls `json:"calls,omitempty"`
}

// tally continues to count from totals. Its keys have no number in them.
type tally struct {
	counts  map[report.Count]int
	changes map[report.ChangeCount]int
	exempt  map[report.Exemption]int
	due     map[string]int
	// seen knows the changes that are counted.
	seen *fleet.Distinct
}

func newTally(t totals) *tally {
	out := &tally{map[report.Count]int{}, map[report.ChangeCount]int{}, map[report.Exemption]int{}, map[string]int{}, fleet.Resume(fleet.Total{}, t.Shared)}
	for _, x := range t.Counts {
		n := x.N
		x.N = 0
		out.counts[x] += n
	}
	for _, x := range t.Changes {
		n := x.N
		x.N = 0
		out.changes[x] += n
	}
	out.uses(t.Exempt)
	maps.Copy(out.due, t.Due)
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

// change counts a change, unless it is counted: every page that needs a role asks for it.
func (t *tally) change(c *fleet.ChangeRecord) {
	if t.seen.Add(c.Identity()) {
		t.changes[report.ChangeCount{Control: c.Control, Rule: c.Rule, Kind: c.Kind, State: c.State}]++
	}
}

// changed is how many distinct changes each control would make.
func (t totals) changed() map[string]fleet.Total {
	out := map[string]fleet.Total{}
	for _, c := range t.Changes {
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
func (t totals) asked(control string) map[string]int {
	out := map[string]int{}
	for _, c := range t.Changes {
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
	out := totals{Due: maps.Clone(t.due), Shared: t.seen.Shared()}
	for x, n := range t.counts {
		x.N = n
		out.Counts = append(out.Counts, x)
	}
	for x, n := range t.changes {
		x.N = n
		out.Changes = append(out.Changes, x)
	}
	for x, n := range t.exempt {
		x.Uses = n
		out.Exempt = append(out.Exempt, x)
	}
	slices.SortFunc(out.Counts, func(a, b report.Count) int {
		return cmp.Or(cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Reason, b.Reason))
	})
	slices.SortFunc(out.Changes, func(a, b report.ChangeCount) int {
		return cmp.Or(cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.State, b.State))
	})
	slices.SortFunc(out.Exempt, func(a, b report.Exemption) int {
		return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.Control, b.Control), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Reason, b.Reason))
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
