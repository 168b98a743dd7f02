package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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
	Item Item
	// Stale says what has changed since the plan was made; empty: it stands as planned.
	Stale string
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
				out = append(out, Standing{Item: item, Stale: stale(item, verdicts, err)})
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
	c, err := of(ctx, b.Scope.Account)
	if err != nil {
		return nil, err
	}
	w, err := c.Observe(ctx, b)
	if err != nil {
		return nil, err
	}
	return c.Decide(w, pol), nil
}

// stale says how what the control wants now differs from what was planned.
func stale(item Item, verdicts []fleet.Verdict, err error) string {
	if err != nil {
		return "it cannot be looked at: " + err.Error()
	}
	var now []Change
	why := "its control has nothing to say of it any more"
	for _, v := range verdicts {
		if v.Control != item.Control || v.Ref.Key() != item.Ref().Key() {
			continue
		}
		now = append(now, changes(v.Changes)...)
		why = v.Reason
	}
	switch {
	case len(now) == 0:
		return "nothing is to do any more: " + why
	case !slices.EqualFunc(sorted(now), sorted(item.Changes), Change.same):
		return "something else is to do now: " + why
	}
	return ""
}

func sorted(cs []Change) []Change {
	return slices.SortedFunc(slices.Values(cs), func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.RefKind, b.RefKind), cmp.Compare(a.ID, b.ID),
			cmp.Compare(a.Want, b.Want), cmp.Compare(a.Before, b.Before))
	})
}

// hold stops what the policy does not let through: a control in audit, and all changes
// of a control in a place if they are too many for its limits.
func hold(all []Standing, p Plan, pol *policy.Policy) {
	type key struct {
		scope   fleet.Scope
		control string
	}
	n := map[key]int{}
	for _, s := range all {
		if s.Stale == "" {
			n[key{s.Item.Scope, s.Item.Control}]++
		}
	}
	for i := range all {
		s := &all[i]
		k := key{s.Item.Scope, s.Item.Control}
		switch {
		case s.Stale != "":
		case pol.ModeOf(s.Item.Control) != policy.Enforce:
			s.Held = "the control " + s.Item.Control + " is in audit mode: its owner would change nothing"
		default:
			s.Held = pol.Limits.Exceeded(n[k], p.seen(s.Item.Scope))
		}
	}
}
