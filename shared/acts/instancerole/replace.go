package instancerole

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
)

// Replacer is the part of ECS that replacing needs.
type Replacer interface {
	Attacher
	DetachRole(ctx context.Context, region fleet.Region, role string, ids []string) (map[string]fleet.BatchAnswer, error)
}

// Replace detaches the role Before of each change and attaches Want, for
// [fleet.ReplaceRole]: no call does both. Where the attach fails, Before is attached again.
// Only instances that still have Before are changed.
func Replace(r Replacer) acts.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		out := make([]fleet.Result, len(cs))
		still, err := r.RoleNames(ctx, s.Region, attempted(cs, nil))
		var open []fleet.Change
		var at []int
		for i, c := range cs {
			switch {
			case err != nil:
				out[i] = fleet.Failure(c, "reading the role before replacing it", err)
				out[i].Untouched = true
			case !strings.EqualFold(still[c.Ref.ID], c.Before):
				out[i] = fleet.Result{Change: c, State: fleet.Skipped, After: still[c.Ref.ID], Why: "the instance no longer has the role " + c.Before}
			default:
				open, at = append(open, c), append(at, i)
			}
		}
		for i, res := range replace(ctx, r, s.Region, open) {
			out[at[i]] = res
		}
		return out
	}
}

func replace(ctx context.Context, r Replacer, region fleet.Region, cs []fleet.Change) []fleet.Result {
	if len(cs) == 0 {
		return nil
	}
	ctx, stop := uninterrupted(ctx)
	defer stop()
	detached := detachBefore(ctx, r, region, cs)
	attached := attachWanted(ctx, r, region, free(cs, detached))
	for role, ids := range byRole(free(cs, detached), func(c fleet.Change) string { return c.Before }) {
		if lost := unattached(ids, attached); len(lost) > 0 {
			rollBack(ctx, r, region, role, lost)
		}
	}
	after, err := r.RoleNames(ctx, region, attempted(cs, nil))
	return settleReplaced(cs, detached, attached, after, err)
}

// detachBefore detaches the roles that changes had before.
func detachBefore(ctx context.Context, r Replacer, region fleet.Region, cs []fleet.Change) map[string]fleet.BatchAnswer {
	answers := map[string]fleet.BatchAnswer{}
	for role, ids := range byRole(cs, func(c fleet.Change) string { return c.Before }) {
		maps.Copy(answers, inHalves(ids, func(part []string) (map[string]fleet.BatchAnswer, error) {
			return r.DetachRole(ctx, region, role, part)
		}))
	}
	return answers
}

// free returns the changes whose instance may have no role now.
func free(cs []fleet.Change, detached map[string]fleet.BatchAnswer) []fleet.Change {
	var out []fleet.Change
	for _, c := range cs {
		if a, ok := detached[c.Ref.ID]; ok && (a.Err == nil || fleet.ClassOf(a.Err) == fleet.Lost) {
			out = append(out, c)
		}
	}
	return out
}

func unattached(ids []string, attached map[string]fleet.BatchAnswer) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		a, ok := attached[id]
		return ok && a.Err == nil
	})
}

func settleReplaced(cs []fleet.Change, detached, attached map[string]fleet.BatchAnswer, after map[string]string, readErr error) []fleet.Result {
	out := make([]fleet.Result, len(cs))
	for i, c := range cs {
		d, a := fleet.AnswerOf(detached, c.Ref.ID), fleet.AnswerOf(attached, c.Ref.ID)
		if d.Err != nil && fleet.ClassOf(d.Err) != fleet.Lost {
			a.Err = nil // not tried
		}
		cause := errors.Join(d.Err, a.Err)
		switch name := after[c.Ref.ID]; {
		case strings.EqualFold(name, c.Want):
			out[i] = fleet.Found(c, name, whose(d.Err, a.Err))
		case cause == nil:
			out[i] = fleet.Unseen(c, "replacing the role "+c.Before, nil, readErr)
		case readErr != nil:
			out[i] = fleet.Failure(c, "reading the role back", readErr)
			out[i].State = fleet.Later // it may have been written: check again, whatever the read's failure
		case strings.EqualFold(name, c.Before):
			out[i] = refused(c, "replacing the role "+c.Before+", which is in place again", cause)
		default:
			out[i] = fleet.Failure(c, fmt.Sprintf("replacing the role %s; the instance has the role %q now", c.Before, name), cause)
			out[i].State = fleet.Later
		}
		out[i].After = after[c.Ref.ID]
		out[i].Untouched = d.Err != nil && fleet.ClassOf(d.Err).Refused()
		out[i].RequestIDs = append(d.IDs(), a.IDs()...)
	}
	return out
}

// whose returns the answer that decides whether a visible replacement is ours: it is if the
// old role was detached here.
func whose(detached, attached error) error {
	if detached == nil && fleet.ClassOf(attached) == fleet.Lost {
		return attached
	}
	return detached
}

// beyond is how long replacing roles, and then rolling back, may take beyond the end of the
// pass; alone is how long where a pass has no end.
const (
	beyond = 5 * time.Second
	alone  = time.Minute
)

// uninterrupted is for what must not be left half-way, also when the pass is out of time or
// interrupted: a detachment whose answer is not awaited may come after the old role was
// attached again.
func uninterrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	until := time.Now().Add(alone)
	if end, ok := ctx.Deadline(); ok {
		until = end.Add(beyond)
	}
	return context.WithDeadline(context.WithoutCancel(ctx), until)
}

// rollBack attaches the old role again: an instance must not be left without. The result is
// read afterwards.
func rollBack(ctx context.Context, r Replacer, region fleet.Region, role string, ids []string) {
	ctx, stop := uninterrupted(ctx)
	defer stop()
	attach(ctx, r, region, role, ids)
}
