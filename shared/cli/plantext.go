package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/report"
)

// listed is the largest number of rows that a summary lists one by one.
const listed = 10

func (t *text) planMade(p command.PlanMade) error {
	seen := 0
	for _, s := range p.Seen {
		seen += s.N
	}
	if err := t.print("checked %s in %s\n", command.Plural(seen, "resource", "resources"), command.Plural(len(p.Seen), "place", "places")); err != nil {
		return err
	}
	if err := t.distinct(p.Plan); err != nil {
		return err
	}
	if err := t.unread(p.Found.Summary.Shards); err != nil {
		return err
	}
	if p.Left > 0 {
		if err := t.print("left out by the limits: %s (%s)\n", command.Plural(p.Left, "resource", "resources"), p.Why); err != nil {
			return err
		}
	}
	switch {
	case len(p.Items) == 0 && p.Left > 0:
		return t.print("nothing to apply: the limits do not let a single one through; raise that limit in the policy file\n")
	case len(p.Items) == 0:
		return t.print("nothing to apply\n")
	}
	return t.print("%s\n\nsee it:    %s show %s\napply it:  %s apply --plan %s\n", total(p.Plan), command.Tool, p.ID, command.Tool, p.ID)
}

// alike are changes of the same kind, from and to the same value.
type alike struct {
	place        fleet.Scope
	control      string
	kind         fleet.ChangeKind
	before, want string
}

// distinct has one row for changes that are alike.
func (t *text) distinct(p plan.Plan) error {
	changes, resources := map[alike]*fleet.Distinct{}, map[alike]int{}
	for _, item := range p.Items {
		for _, c := range item.Changes {
			a := alike{item.Scope, item.Control, c.Kind, c.Before, c.Want}
			if resources[a]++; changes[a] == nil {
				changes[a] = &fleet.Distinct{}
			}
			changes[a].Add(c.Identity())
		}
	}
	rows := slices.SortedFunc(maps.Keys(changes), func(a, b alike) int {
		return cmp.Or(cmp.Compare(resources[b], resources[a]), cmp.Compare(a.place.String(), b.place.String()), cmp.Compare(a.control, b.control),
			cmp.Compare(a.kind, b.kind), cmp.Compare(a.before, b.before), cmp.Compare(a.want, b.want))
	})
	for i, a := range rows {
		if i == listed {
			return t.print("… and %d more rows, in \"%s show %s\"\n", len(rows)-i, command.Tool, p.ID)
		}
		if err := t.row("ACCOUNT\tREGION\tCONTROL\tCHANGE\tBEFORE\tAFTER\tTIMES\tFOR RESOURCES", "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d",
			a.place.Account, regionName(a.place.Region), a.control, a.kind, t.value(a.before), t.value(a.want), changes[a].N, resources[a]); err != nil {
			return err
		}
	}
	return nil
}

// total is the sum of a plan, in one line.
func total(p plan.Plan) string {
	kinds := map[fleet.ChangeKind]*fleet.Distinct{}
	for _, item := range p.Items {
		for _, c := range item.Changes {
			if kinds[c.Kind] == nil {
				kinds[c.Kind] = &fleet.Distinct{}
			}
			kinds[c.Kind].Add(c.Identity())
		}
	}
	n := 0
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		n += kinds[k].N
		parts = append(parts, fmt.Sprintf("%d %s", kinds[k].N, k))
	}
	if n == 0 {
		return "no changes"
	}
	return fmt.Sprintf("%s: %s; for %s", command.Plural(n, "change", "changes"), strings.Join(parts, ", "), command.Plural(len(p.Items), "resource", "resources"))
}

// unread says which places could not be read, and why.
func (t *text) unread(shards []report.Shard) error {
	last, n := "", 0
	for _, s := range shards {
		if s.Fault == "" {
			continue
		}
		if n++; n > listed {
			continue
		}
		why, _, _ := strings.Cut(s.Fault, " [request ")
		if why == last {
			why = "likewise"
		} else {
			last = why
		}
		if err := t.print("not read: %s: %s\n", s.Scope, why); err != nil {
			return err
		}
	}
	if n > listed {
		return t.print("… and %d more places that were not read\n", n-listed)
	}
	return nil
}

func (t *text) planShown(p command.PlanShown) error {
	if err := t.print("%s: made %s of %s\n", p.ID, stamp(p.Made), p.Sweep); err != nil {
		return err
	}
	type row struct {
		id      fleet.ChangeID
		control string
	}
	var rows []row
	resources := map[row]int{}
	for _, item := range p.Items {
		for _, c := range item.Changes {
			r := row{c.Identity(), item.Control}
			if resources[r]++; resources[r] == 1 {
				rows = append(rows, r)
			}
		}
	}
	for _, r := range rows {
		if err := t.row("CONTROL\tCHANGE\tOF\tBEFORE\tAFTER\tFOR RESOURCES", "%s\t%s\t%s\t%s\t%s\t%d", r.control, r.id.Kind,
			fleet.Ref{Scope: r.id.Key.Scope, Kind: r.id.Key.Kind, ID: r.id.Key.ID}, t.value(r.id.Before), t.value(r.id.Want), resources[r]); err != nil {
			return err
		}
	}
	return t.print("%s\n", total(p.Plan))
}

func regionName(r fleet.Region) string { return cmp.Or(string(r), "(account)") }
