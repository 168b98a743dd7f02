package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
)

// shown is the largest number of listed reasons.
const shown = 20

func (t *text) applied(a command.Applied) error {
	type row struct {
		account, region, control string
		state                    fleet.State
	}
	n := map[row]int{}
	for _, i := range a.Items {
		n[row{i.Account, i.Region, i.Control, i.State}]++
	}
	for _, r := range slices.SortedFunc(maps.Keys(n), func(x, y row) int {
		return cmp.Or(cmp.Compare(x.account, y.account), cmp.Compare(x.region, y.region), cmp.Compare(x.control, y.control), cmp.Compare(x.state, y.state))
	}) {
		if err := t.row("ACCOUNT\tREGION\tCONTROL\tSTATE\tRESOURCES", "%s\t%s\t%s\t%s\t%d", r.account, regionName(fleet.Region(r.region)), r.control, r.state, n[r]); err != nil {
			return err
		}
	}
	if err := t.reasons(a.Items); err != nil {
		return err
	}
	switch {
	case a.Dry:
		return t.print("\ndry run: nothing was queued\n")
	case a.Queued:
		return t.print("\nrun %s\nsee it:   %s show %s\nundo it:  %s undo --run %s\n", a.Run, command.Tool, a.Run, command.Tool, a.Run)
	}
	return nil
}

// reasons lists why items were not done, each reason once.
func (t *text) reasons(items []command.Item) error {
	type reason struct {
		state fleet.State
		why   string
	}
	var order []reason
	by := map[reason][]string{}
	for _, i := range items {
		if i.State == fleet.Done || i.State == fleet.Started || i.State == fleet.Planned {
			continue
		}
		r := reason{i.State, i.Why}
		if len(by[r]) == 0 {
			order = append(order, r)
		}
		by[r] = append(by[r], string(i.Kind)+" "+i.ID)
	}
	for i, r := range order {
		if i == shown {
			return t.print("\n… and %d more reasons; --json shows it for each resource\n", len(order)-i)
		}
		if err := t.print("\n%s: %s\n  %s\n", r.state, r.why, some(by[r])); err != nil {
			return err
		}
	}
	return nil
}

// some lists the first few of many names.
func some(all []string) string {
	const few = 3
	if len(all) <= few {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:few], ", "), len(all)-few)
}
