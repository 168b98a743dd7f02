package page

import (
	"cmp"
	"slices"

	"fleetwarden/shared/fleet"
)

// maxOffenders limits the list of the worst offenders.
const maxOffenders = 10

// offender is a resource and its violations.
type offender struct {
	fleet.Key
	// BySeverity counts violations and conflicts, the most urgent severity first; the
	// last are those without a known severity.
	BySeverity []int
	N          int
	Controls   []string
}

// offenders returns the resources with the most urgent violations, then with the most: one
// critical violation is worse than any number of high ones.
func offenders(rows []fleet.FindingRecord) []offender {
	resources := map[fleet.Key]*offender{}
	levels := len(fleet.Severities())
	for _, r := range rows {
		if weight(r.Outcome) < 2 {
			continue
		}
		key := fleet.Key{Scope: fleet.Scope{Account: r.Account, Region: r.Region}, Kind: r.Kind, ID: r.ID}
		o := resources[key]
		if o == nil {
			o = &offender{Key: key, BySeverity: make([]int, levels+1)}
			resources[key] = o
		}
		o.N++
		o.BySeverity[levels-r.Severity.Rank()]++
		if !slices.Contains(o.Controls, r.Control) {
			o.Controls = append(o.Controls, r.Control)
		}
	}
	out := make([]offender, 0, len(resources))
	for _, o := range resources {
		slices.Sort(o.Controls)
		out = append(out, *o)
	}
	slices.SortFunc(out, func(a, b offender) int {
		return cmp.Or(slices.Compare(b.BySeverity, a.BySeverity), cmp.Compare(a.Scope.Account, b.Scope.Account),
			cmp.Compare(a.Scope.Region, b.Scope.Region), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), maxOffenders)]
}
