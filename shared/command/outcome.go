package command

import (
	"errors"
	"fmt"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/plan"
)

// Item is what became of one item of a plan.
type Item struct {
	Type    string      `json:"type"` // item
	Account string      `json:"account"`
	Region  string      `json:"region,omitempty"`
	Control string      `json:"control"`
	Kind    fleet.Kind  `json:"kind"`
	ID      string      `json:"id,omitempty"`
	State   fleet.State `json:"state"`
	Why     string      `json:"why,omitempty"`
}

// Stale is the state of an item that has changed since it was planned, Queued that of one whose
// owner has not recorded an outcome.
const (
	Stale  fleet.State = "stale"
	Queued fleet.State = "queued"
)

// Applied is what became of a plan.
type Applied struct {
	Items []Item `json:"-"`
	// Queued says that something was queued for the owners, and Dry that nothing was to be.
	Queued bool `json:"-"`
	Dry    bool `json:"-"`

	Type   string              `json:"type"` // sum
	Plan   string              `json:"plan"`
	Run    string              `json:"run"`
	States map[fleet.State]int `json:"states"`
}

// Lines are the items, and the sum.
func (a Applied) Lines() []any {
	lines := make([]any, 0, len(a.Items)+1)
	for _, i := range a.Items {
		lines = append(lines, i)
	}
	return append(lines, a.sum())
}

// sum is Applied without lines of its own.
func (a Applied) sum() any {
	type sum Applied
	return sum(a)
}

func item(i plan.Item, state fleet.State, why string) Item {
	return Item{"item", string(i.Scope.Account), string(i.Scope.Region), i.Control, i.Kind, i.ID, state, why}
}

// items are all items of the plan.
func items(all []plan.Check, w *plan.Awaited) []Item {
	var out []Item
	for _, s := range all {
		switch {
		case s.Over:
			out = append(out, item(s.Item, plan.Over, s.Stale))
		case s.Stale != "":
			out = append(out, item(s.Item, Stale, s.Stale))
		case s.Held != "":
			out = append(out, item(s.Item, fleet.Held, s.Held))
		case w == nil:
			out = append(out, item(s.Item, fleet.Planned, "dry run"))
		}
	}
	if w == nil {
		return out
	}
	for _, o := range w.Outcomes {
		if o.State == "" {
			o.State, o.Why = Queued, "its owner has not recorded an outcome yet"
		}
		out = append(out, item(o.Item, o.State, o.Why))
	}
	return out
}

// summarize shows what became of the plan. It returns an error if an item failed, or has no
// outcome yet.
func (a *application) summarize(all []plan.Check, w *plan.Awaited) error {
	sum := Applied{Type: "sum", Run: a.run(), Plan: a.plan.ID, Items: items(all, w), States: map[fleet.State]int{},
		Dry: w == nil, Queued: w != nil && len(w.Outcomes) > 0}
	for _, i := range sum.Items {
		sum.States[i.State]++
	}
	return errors.Join(a.Show(sum), a.unfinished(sum.States))
}

func (a *application) unfinished(states map[fleet.State]int) error {
	if n := states[fleet.Failed] + states[fleet.Unclear]; n > 0 {
		return fmt.Errorf("%s failed", Plural(n, "change", "changes"))
	}
	if n := states[Queued]; n > 0 && a.waits {
		return fmt.Errorf("%s no outcome yet", Plural(n, "resource has", "resources have"))
	}
	if n := states[fleet.Held]; n > 0 {
		return fmt.Errorf("%s held", Plural(n, "resource was", "resources were"))
	}
	if n := states[Stale]; n > 0 {
		return fmt.Errorf("%s changed since: make a new plan", Plural(n, "resource has", "resources have"))
	}
	return nil
}
