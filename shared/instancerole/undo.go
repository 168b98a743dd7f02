package instancerole

import (
	"context"
	"maps"
	"strings"

	"fleetwarden/shared/fleet"
)

// Detach detaches the role Before of each change, for [fleet.DetachRole]. The call names
// the role, so that one which somebody attached meanwhile stays.
func Detach(r Replacer) func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		answers := map[string]fleet.BatchAnswer{}
		for role, ids := range byRole(cs, func(c fleet.Change) string { return c.Before }) {
			maps.Copy(answers, inHalves(ids, func(part []string) (map[string]fleet.BatchAnswer, error) {
				return r.DetachRole(ctx, s.Region, role, part)
			}))
		}
		after, err := r.RoleNames(ctx, s.Region, attempted(cs, answers))
		out := make([]fleet.Result, len(cs))
		for i, c := range cs {
			name, read := after[c.Ref.ID]
			out[i] = settleDetached(c, answers[c.Ref.ID], name, read, err)
		}
		return out
	}
}

// settleDetached believes the role name that was read back, and lets the answer say why
// it is not what was wanted.
func settleDetached(c fleet.Change, answer fleet.BatchAnswer, name string, read bool, readErr error) fleet.Result {
	res := fleet.Result{Change: c, State: fleet.Done, After: name}
	switch {
	case readErr != nil && answer.Err == nil:
		res = fleet.Failure(c, "reading the role back", readErr)
		res.State = fleet.Later // it was written: look again, whatever the read's failure
	case read && name == "" && (answer.Err == nil || fleet.ClassOf(answer.Err) == fleet.Lost):
	case read && name == "":
		res.State, res.Why = fleet.Skipped, "the instance has no role any more"
	case read && !strings.EqualFold(name, c.Before):
		res.State, res.Why = fleet.Skipped, "another role was attached meanwhile: "+name
	case answer.Err != nil:
		res = fleet.Failure(c, "detaching the role", answer.Err)
	default:
		res = fleet.Failure(c, "detaching the role", errStillVisible)
	}
	if answer.RequestID != "" {
		res.RequestIDs = []string{answer.RequestID}
	}
	return res
}

// Revoker is the part of RAM that takes a policy away.
type Revoker interface {
	Role(ctx context.Context, name string) (fleet.Role, error)
	DetachPolicy(ctx context.Context, role string, p fleet.Policy) error
}

// Revoke takes the policy Before of each change from its role, for [fleet.RevokeRole].
func Revoke(r Revoker) func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result {
	return each(func(ctx context.Context, c fleet.Change) fleet.Result {
		err := r.DetachPolicy(ctx, c.Ref.ID, policyNamed(c.Before))
		gone := fleet.ClassOf(err) == fleet.NotFound
		if err != nil && !maybeDone(err) && !gone {
			return fleet.Failure(c, "detaching the policy "+c.Before, err)
		}
		role, rerr := r.Role(ctx, c.Ref.ID)
		switch {
		case rerr != nil:
			res := fleet.Failure(c, "reading the role back", rerr)
			res.State, res.Again = fleet.Later, propagation
			return res
		case !role.Missing && holds(role, c.Before):
			res := fleet.Failure(c, "reading the role back", errStillVisible)
			res.Again, res.After = propagation, describe(role)
			return res
		case gone:
			return fleet.Result{Change: c, State: fleet.Skipped, After: describe(role), Why: "the policy was detached already"}
		}
		return fleet.Result{Change: c, State: fleet.Done, After: describe(role)}
	})
}
