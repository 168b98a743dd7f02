package instancerole

import (
	"context"
	"strings"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
)

// Detach detaches the role Before of each change, for [fleet.DetachRole]. The call names
// the role, so that one which another caller attached meanwhile stays.
func Detach(r Replacer) acts.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		answers := detachBefore(ctx, r, s.Region, cs)
		after, err := r.RoleNames(ctx, s.Region, attempted(cs, answers))
		out := make([]fleet.Result, len(cs))
		for i, c := range cs {
			answer := fleet.AnswerOf(answers, c.Ref.ID)
			name, read := after[c.Ref.ID]
			out[i] = settleDetached(c, answer.Err, name, read)
			if out[i].State == fleet.Started && err != nil {
				out[i] = fleet.Unseen(c, "detaching the role", nil, err)
			}
			out[i].Untouched = answer.Err != nil && fleet.ClassOf(answer.Err).Refused()
			out[i].RequestIDs = answer.IDs()
		}
		return out
	}
}

// settleDetached compares the role name, if it was read back; the answer gives the reason
// of a difference.
func settleDetached(c fleet.Change, answer error, name string, read bool) fleet.Result {
	var res fleet.Result
	switch {
	case read && name == "":
		res = fleet.Found(c, "", answer)
	case read && !strings.EqualFold(name, c.Before):
		res = fleet.Result{Change: c, State: fleet.Skipped, Why: "another role was attached meanwhile: " + name}
	default:
		res = fleet.Unseen(c, "detaching the role", answer, nil)
	}
	res.After = name
	return res
}

// Revoker is the part of RAM that detaches a policy.
type Revoker interface {
	Role(ctx context.Context, name string) (fleet.Role, error)
	DetachPolicy(ctx context.Context, role string, p fleet.Policy) error
}

// Revoke detaches the policy Before of each change from its role, for [fleet.RevokeRole].
func Revoke(r Revoker) acts.Act {
	return acts.Each(func(ctx context.Context, c fleet.Change) fleet.Result {
		err := r.DetachPolicy(ctx, c.Ref.ID, acts.PolicyNamed(c.Before))
		if err != nil && !acts.MaybeDone(err) && fleet.ClassOf(err) != fleet.NotFound {
			return fleet.Failure(c, "detaching the policy "+c.Before, err)
		}
		role, rerr := r.Role(ctx, c.Ref.ID)
		if rerr != nil || !role.Missing && holds(role, c.Before) {
			res := acts.Unseen(c, "detaching the policy "+c.Before, err, rerr)
			res.After = describe(role)
			return res
		}
		return fleet.Found(c, describe(role), err)
	})
}
