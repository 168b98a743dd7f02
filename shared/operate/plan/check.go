package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// Checker checks items again, with all controls.
type Checker struct {
	Fleet  reconcile.Of[*fleet.World]
	Shares reconcile.Of[*fleet.ShareWorld]
	// Paused reads what is paused; nil: nothing is.
	Paused func(context.Context) (Paused, error)
}

// Paused says why the changes of a control in an account are stopped for now; "" where they are
// not.
type Paused func(control string, account fleet.AccountID) string

// Check is the result of checking an item of a plan again.
type Check struct {
	// Item has those of its changes that are still to be made.
	Item Item
	// Stale says what has changed since the plan was made; empty: nothing.
	Stale string
	// Over says that it is stale because nothing is left to do.
	Over bool
	// Held says why an item that is not stale is not enqueued for its owner; empty: it is.
	Held string
	// covered says that the policy has the owner make all of the item's changes, and uncovered
	// why not, where it enforces a part of the control.
	covered   bool
	uncovered string
}

// Fresh reports whether the item is enqueued for its owner.
func (s Check) Fresh() bool { return s.Stale == "" && s.Held == "" }

// Check checks all items again, at most [fleet.MaxBatch] at a time, and calls checked with
// the size of each batch. Items of an account or scope that cannot be read are stale: what
// cannot be observed is not changed.
func (c Checker) Check(ctx context.Context, p Plan, pol *policy.Policy, checked func(n int)) ([]Check, error) {
	out := make([]Check, 0, len(p.Items))
	for _, group := range byScope(p.Items) {
		for part := range slices.Chunk(group, fleet.MaxBatch) {
			verdicts, err := c.verdicts(ctx, part, pol)
			if err != nil && (fleet.ClassOf(err).Passing() || ctx.Err() != nil) {
				return nil, fmt.Errorf("checking %s again: %w", part[0].Scope, err)
			}
			for _, item := range part {
				out = append(out, compare(item, verdicts, err))
			}
			checked(len(part))
		}
	}
	hold(out, p, pol)
	if c.Paused == nil {
		return out, nil
	}
	paused, err := c.Paused(ctx)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if s := &out[i]; s.Fresh() {
			s.Held = paused(s.Item.Control, s.Item.Scope.Account)
		}
	}
	return out, nil
}

// byScope groups items by scope, and shares apart from the rest of the fleet, in the plan's
// order.
func byScope(items []Item) [][]Item {
	type key struct {
		scope  fleet.Scope
		shares bool
	}
	at := map[key]int{}
	var out [][]Item
	for _, item := range items {
		k := key{item.Scope, item.Control == policy.ControlShareRole}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], item)
	}
	return out
}

// verdicts judges the resources of items of one group.
func (c Checker) verdicts(ctx context.Context, items []Item, pol *policy.Policy) ([]fleet.Verdict, error) {
	b := fleet.Batch{Scope: items[0].Scope}
	seen := map[fleet.Key]bool{}
	for _, item := range items {
		if ref := item.Ref(); !seen[ref.Key()] {
			seen[ref.Key()] = true
			b.Refs = append(b.Refs, ref)
		}
	}
	if items[0].Control == policy.ControlShareRole {
		return judge(ctx, c.Shares, b, pol)
	}
	return judge(ctx, c.Fleet, b, pol)
}

func judge[W any](ctx context.Context, of reconcile.Of[W], b fleet.Batch, pol *policy.Policy) ([]fleet.Verdict, error) {
	judged, err := reconcile.NewJudge(of, reconcile.Options{Policy: pol}).Batch(ctx, b)
	return judged.Verdicts, err
}

// compare compares the changes that the control wants now with the planned ones. An item of
// which only some are left is as planned: another caller, such as an apply that was stopped,
// has made the others. An item that the control cannot judge now, must not touch, or gives a
// grace period is stale, but not over; nor is one that violates a rule which its control repairs.
func compare(item Item, verdicts []fleet.Verdict, err error) Check {
	if err != nil {
		return Check{Item: item, Stale: "it cannot be checked: " + err.Error()}
	}
	var now, made []Change
	var reasons []string
	uncovered, blocked := "", false
	for _, v := range verdicts {
		if v.Control != item.Control || v.Ref.Key() != item.Ref().Key() {
			continue
		}
		for i, c := range changes(v.Changes) {
			if now = append(now, c); v.Changes[i].Covered {
				made = append(made, c)
			}
			uncovered = cmp.Or(uncovered, v.Changes[i].Uncovered)
		}
		left := v.Outcome == fleet.Violation && len(v.Changes) == 0 && policy.Repairs(v.Rule)
		blocked = blocked || left || v.Patience > 0 || slices.Contains([]fleet.Outcome{fleet.Undecided, fleet.Fault, fleet.Pending, fleet.Conflict}, v.Outcome)
		if v.Reason != "" && !slices.Contains(reasons, v.Reason) {
			reasons = append(reasons, v.Reason)
		}
	}
	why := cmp.Or(strings.Join(reasons, "; "), "its control has no verdict on it")
	switch {
	case len(now) == 0 && blocked:
		return Check{Item: item, Stale: "nothing can be done now: " + why}
	case len(now) == 0:
		return Check{Item: item, Stale: "nothing is left to do: " + why, Over: true}
	case slices.ContainsFunc(now, func(c Change) bool { return !slices.ContainsFunc(item.Changes, c.same) }):
		return Check{Item: item, Stale: "another change is needed now: " + why}
	}
	// The owner makes the covered ones alone. Of the rest, which would not come, nothing is awaited.
	check := Check{Item: item, covered: len(made) > 0, uncovered: uncovered}
	check.Item.Changes = now
	if check.covered {
		check.Item.Changes = made
	}
	return check
}

// hold holds what the policy does not let through: items of a control in audit, and all
// changes of a control in a scope that exceed its limits.
func hold(all []Check, p Plan, pol *policy.Policy) {
	n := Counts{}
	for _, s := range all {
		if s.Stale == "" && pol.Makes(s.Item.Control, s.covered) {
			n.Add(s.Item)
		}
	}
	for i := range all {
		s := &all[i]
		switch {
		case s.Stale != "":
		case !pol.Makes(s.Item.Control, s.covered) && s.uncovered != "":
			s.Held = s.uncovered + ": its owner would change nothing"
		case !pol.Makes(s.Item.Control, s.covered):
			s.Held = fmt.Sprintf("the control %s is set to %s: its owner would change nothing", s.Item.Control, pol.ModeOf(s.Item.Control))
		default:
			s.Held = exceeded(pol.Limits, p.Named, n.Of(s.Item), p.seen(s.Item.Scope))
		}
	}
}

// exceeded returns the limit that changes exceed, "" for none.
func exceeded(l policy.Limits, named bool, n fleet.Total, seen int) string {
	if named {
		l.PercentAbove = n.N
	}
	return l.Exceeded(n, seen)
}
