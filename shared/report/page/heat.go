package page

import (
	"cmp"
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

// maxAccounts is how many accounts the table of accounts and regions shows.
const maxAccounts = 100

// heat is the table of accounts and regions, the worst accounts first.
type heat struct {
	Regions []string
	Rows    []heatRow
	// Left is the number of accounts that are not shown.
	Left int
}

type heatRow struct {
	Account string
	Whole   heatCell
	Cells   []heatCell
	sum     report.ScopePosture
}

// heatCell is one account in one region. Level is one of its CSS classes.
type heatCell struct {
	Level, Share, Note string
}

func heatOf(scopes []report.ScopePosture) heat {
	var h heat
	var regions []fleet.Region
	accounts := map[fleet.AccountID]map[fleet.Region]report.ScopePosture{}
	for _, s := range scopes {
		if accounts[s.Scope.Account] == nil {
			accounts[s.Scope.Account] = map[fleet.Region]report.ScopePosture{}
		}
		accounts[s.Scope.Account][s.Scope.Region] = s
		regions = append(regions, s.Scope.Region)
	}
	slices.Sort(regions)
	regions = slices.Compact(regions)
	for _, r := range regions {
		h.Regions = append(h.Regions, regionName(r))
	}
	for account, cells := range accounts {
		h.Rows = append(h.Rows, heatRowOf(account, regions, cells))
	}
	slices.SortFunc(h.Rows, func(a, b heatRow) int {
		return cmp.Or(-cmp.Compare(len(a.sum.Faults), len(b.sum.Faults)), compareShares(a.sum.Posture, b.sum.Posture),
			-cmp.Compare(a.sum.Fail, b.sum.Fail), cmp.Compare(a.Account, b.Account))
	})
	h.Left = max(0, len(h.Rows)-maxAccounts)
	h.Rows = h.Rows[:len(h.Rows)-h.Left]
	return h
}

func heatRowOf(account fleet.AccountID, regions []fleet.Region, of map[fleet.Region]report.ScopePosture) heatRow {
	row := heatRow{Account: string(account)}
	for _, r := range regions {
		s, ok := of[r]
		if !ok {
			row.Cells = append(row.Cells, heatCell{Level: "none", Share: "", Note: ""})
			continue
		}
		row.Cells = append(row.Cells, cellOf(s))
		row.sum.Faults = append(row.sum.Faults, s.Faults...)
		row.sum.Pass += s.Pass
		row.sum.Fail += s.Fail
		row.sum.Open += s.Open
		row.sum.Seen += s.Seen
	}
	row.Whole = cellOf(row.sum)
	return row
}

// compareShares puts the lower share first, and a scope without checks last.
func compareShares(a, b report.Posture) int {
	x, judged := a.Share()
	y, also := b.Share()
	if !judged || !also {
		return -cmp.Compare(a.Judged(), b.Judged())
	}
	return cmp.Compare(x, y)
}

func cellOf(s report.ScopePosture) heatCell {
	c := heatCell{Share: percent(s.Posture)}
	if len(s.Faults) > 0 {
		c.Level, c.Note = "unread", "not read to its end"
		if s.Judged() == 0 {
			c.Share, c.Note = "unread", ""
		}
		return c
	}
	share, ok := s.Share()
	switch {
	case !ok:
		c.Level, c.Note = "none", "nothing judged"
	case s.Pass == s.Judged():
		c.Level = "good"
	case share >= 0.95:
		c.Level = "fair"
	case share >= 0.8:
		c.Level = "poor"
	default:
		c.Level = "bad"
	}
	if s.Fail > 0 {
		c.Note = count(s.Fail) + " failing"
	}
	if s.Open > 0 && s.Fail == 0 {
		c.Note = count(s.Open) + " undecided"
	}
	return c
}

// regionName is a heading; without a region, it is that of the account's shares.
func regionName(r fleet.Region) string { return cmp.Or(string(r), "sharing") }
