package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/plan"
)

// itemLine is the output line of one item of a plan.
type itemLine struct {
	Type    string      `json:"type"` // item
	Account string      `json:"account"`
	Region  string      `json:"region,omitempty"`
	Control string      `json:"control"`
	Kind    fleet.Kind  `json:"kind"`
	ID      string      `json:"id,omitempty"`
	State   fleet.State `json:"state"`
	Why     string      `json:"why,omitempty"`
}

// stateStale is the state of an item that has changed since it was planned, stateQueued that of
// one whose owner has not recorded an outcome.
const (
	stateStale  fleet.State = "stale"
	stateQueued fleet.State = "queued"
)

func line(i plan.Item, state fleet.State, why string) itemLine {
	return itemLine{"item", string(i.Scope.Account), string(i.Scope.Region), i.Control, i.Kind, i.ID, state, why}
}

// lines are the output lines of all items of the plan.
func lines(all []plan.Check, w *plan.Awaited) []itemLine {
	var out []itemLine
	for _, s := range all {
		switch {
		case s.Over:
			out = append(out, line(s.Item, plan.Over, s.Stale))
		case s.Stale != "":
			out = append(out, line(s.Item, stateStale, s.Stale))
		case s.Held != "":
			out = append(out, line(s.Item, fleet.Held, s.Held))
		case w == nil:
			out = append(out, line(s.Item, fleet.Planned, "dry run"))
		}
	}
	if w == nil {
		return out
	}
	for _, o := range w.Outcomes {
		if o.State == "" {
			o.State, o.Why = stateQueued, "its owner has not recorded an outcome yet"
		}
		out = append(out, line(o.Item, o.State, o.Why))
	}
	return out
}

// summarize prints the outcomes of the plan. It returns an error if an item failed, or has no
// outcome yet.
func (a *application) summarize(all []plan.Check, w *plan.Awaited) error {
	said := lines(all, w)
	states := map[fleet.State]int{}
	for _, l := range said {
		states[l.State]++
	}
	if a.json {
		for _, l := range said {
			if err := a.line(l); err != nil {
				return err
			}
		}
		err := a.line(map[string]any{"type": "sum", "run": a.run(), "plan": a.plan.ID, "states": states})
		return errors.Join(err, a.unfinished(states))
	}
	if err := a.table(said); err != nil {
		return err
	}
	if w == nil {
		return errors.Join(a.print("\ndry run: nothing was queued\n"), a.unfinished(states))
	}
	if len(w.Outcomes) > 0 {
		if err := a.print("\nrun %s\nsee it:   backfill show %s\nundo it:  backfill undo --run %s\n", a.run(), a.run(), a.run()); err != nil {
			return err
		}
	}
	return a.unfinished(states)
}

func (a *application) unfinished(states map[fleet.State]int) error {
	if n := states[fleet.Failed] + states[fleet.Unclear]; n > 0 {
		return fmt.Errorf("%s failed", many(n, "change", "changes"))
	}
	if n := states[stateQueued]; n > 0 && a.waits {
		return fmt.Errorf("%s no outcome yet", many(n, "resource has", "resources have"))
	}
	if n := states[fleet.Held]; n > 0 {
		return fmt.Errorf("%s held", many(n, "resource was", "resources were"))
	}
	if n := states[stateStale]; n > 0 {
		return fmt.Errorf("%s changed since: make a new plan", many(n, "resource has", "resources have"))
	}
	return nil
}

// shown is the largest number of listed reasons.
const shown = 20

func (a *application) table(said []itemLine) error {
	type row struct {
		account, region, control string
		state                    fleet.State
	}
	n := map[row]int{}
	for _, l := range said {
		n[row{l.Account, l.Region, l.Control, l.State}]++
	}
	rows := slices.SortedFunc(maps.Keys(n), func(x, y row) int {
		return strings.Compare(x.account+" "+x.region+" "+x.control+" "+string(x.state), y.account+" "+y.region+" "+y.control+" "+string(y.state))
	})
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ACCOUNT\tREGION\tCONTROL\tSTATE\tRESOURCES")
	for _, r := range rows {
		cells(w, "%s\t%s\t%s\t%s\t%d\n", r.account, regionName(fleet.Region(r.region)), r.control, r.state, n[r])
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return a.reasons(said)
}

// reasons lists why items were not done, each reason once.
func (a *application) reasons(said []itemLine) error {
	type reason struct {
		state fleet.State
		why   string
	}
	var order []reason
	by := map[reason][]string{}
	for _, l := range said {
		if l.State == fleet.Done || l.State == fleet.Started || l.State == fleet.Planned {
			continue
		}
		r := reason{l.State, l.Why}
		if len(by[r]) == 0 {
			order = append(order, r)
		}
		by[r] = append(by[r], string(l.Kind)+" "+l.ID)
	}
	for i, r := range order {
		if i == shown {
			return a.print("\n… and %d more reasons; --json shows it for each resource\n", len(order)-i)
		}
		if err := a.print("\n%s: %s\n  %s\n", r.state, r.why, some(by[r])); err != nil {
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

// many is a number with its noun.
func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
}
