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

// Looker looks at things again, with the eyes of all controls.
type Looker struct {
	Fleet  reconcile.Of[*fleet.World]
	Shares reconcile.Of[*fleet.ShareWorld]
}

// Standing is how an item of a plan stands now.
type Standing struct {
	// Item has, of its changes, those that are still to do.
	Item Item
	// Stale says what has changed since the plan was made; empty: it stands as planned.
	Stale string
	// Over says that it is stale because nothing is to do any more.
	Over bool
	// Held says why its owner is not told all the same; empty: it is.
	Held string
}

// Fresh reports whether the item's owner is to be told.
func (s Standing) Fresh() bool { return s.Stale == "" && s.Held == "" }

// Check looks at all items again, at most [fleet.MaxBatch] at a time, and says which of
// them stand as planned. looked is told how many were looked at. An account or place that
// cannot be read makes its items stale: what nobody can see is not changed.
func (l Looker) Check(ctx context.Context, p Plan, pol *policy.Policy, looked func(n int)) ([]Standing, error) {
	out := make([]Standing, 0, len(p.Items))
	for _, place := range byPlace(p.Items) {
		for part := range slices.Chunk(place, fleet.MaxBatch) {
			verdicts, err := l.look(ctx, part, pol)
			if err != nil && (fleet.ClassOf(err).Passing() || ctx.Err() != nil) {
				return nil, fmt.Errorf("looking at %s again: %w", part[0].Scope, err)
			}
			for _, item := range part {
				out = append(out, compare(item, verdicts, err))
			}
			looked(len(part))
		}
	}
	hold(out, p, pol)
	return out, nil
}

// byPlace groups items of one place and sort of thing, in the plan's order.
func byPlace(items []Item) [][]Item {
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

// look judges the things of items of one place and sort.
func (l Looker) look(ctx context.Context, items []Item, pol *policy.Policy) ([]fleet.Verdict, error) {
	b := fleet.Batch{Scope: items[0].Scope}
	seen := map[fleet.Key]bool{}
	for _, item := range items {
		if ref := item.Ref(); !seen[ref.Key()] {
			seen[ref.Key()] = true
			b.Refs = append(b.Refs, ref)
		}
	}
	if items[0].Control == policy.ControlShareRole {
		return judge(ctx, l.Shares, b, pol)
	}
	return judge(ctx, l.Fleet, b, pol)
}

func judge[W any](ctx context.Context, of reconcile.Of[W], b fleet.Batch, pol *policy.Policy) ([]fleet.Verdict, error) {
	judged, err := reconcile.NewJudge(of, reconcile.Options{Policy: pol}).Batch(ctx, b)
	return judged.Verdicts, err
}

// compare says how what the control wants now differs from what was planned. A part of
// it is as planned: somebody has come halfway, such as an apply that was stopped. What
// the control cannot judge now, must not touch, or leaves alone for a while is not over.
func compare(item Item, verdicts []fleet.Verdict, err error) Standing {
	if err != nil {
		return Standing{Item: item, Stale: "it cannot be looked at: " + err.Error()}
	}
	var now []Change
	var reasons []string
	blocked := false
	for _, v := range verdicts {
		if v.Control != item.Control || v.Ref.Key() != item.Ref().Key() {
			continue
		}
		now = append(now, changes(v.Changes)...)
		blocked = blocked || v.Patience > 0 || slices.Contains([]fleet.Outcome{fleet.Undecided, fleet.Fault, fleet.Pending, fleet.Conflict}, v.Outcome)
		if v.Reason != "" && !slices.Contains(reasons, v.Reason) {
			reasons = append(reasons, v.Reason)
		}
	}
	why := cmp.Or(strings.Join(reasons, "; "), "its control has nothing to say of it")
	switch {
	case len(now) == 0 && blocked:
		return Standing{Item: item, Stale: "nothing can be done now: " + why}
	case len(now) == 0:
		return Standing{Item: item, Stale: "nothing is to do any more: " + why, Over: true}
	case slices.ContainsFunc(now, func(c Change) bool { return !slices.ContainsFunc(item.Changes, c.same) }):
		return Standing{Item: item, Stale: "something else is to do now: " + why}
	}
	item.Changes = now
	return Standing{Item: item}
}

// hold stops what the policy does not let through: a control in audit, and all changes
// of a control in a place if they are too many for its limits.
func hold(all []Standing, p Plan, pol *policy.Policy) {
	n := Counts{}
	for _, s := range all {
		if s.Stale == "" {
			n.Add(s.Item)
		}
	}
	for i := range all {
		s := &all[i]
		switch {
		case s.Stale != "":
		case pol.ModeOf(s.Item.Control) != policy.Enforce:
			s.Held = fmt.Sprintf("the control %s is set to %s: its owner would change nothing", s.Item.Control, pol.ModeOf(s.Item.Control))
		default:
			s.Held = pol.Limits.Exceeded(n.Of(s.Item), p.seen(s.Item.Scope))
		}
	}
}
