package instancerole

import (
	"context"
	"maps"
	"slices"
	"strings"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
)

// Attacher is the part of ECS that attaching needs. Both calls take at most 100 ids.
type Attacher interface {
	AttachRole(ctx context.Context, region fleet.Region, role string, ids []string) (map[string]fleet.BatchAnswer, error)
	RoleNames(ctx context.Context, region fleet.Region, ids []string) (map[string]string, error)
}

// Attach attaches the role that each change wants, for [fleet.AttachRole]. It never
// replaces a role: the API refuses an instance that has one.
func Attach(a Attacher) acts.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		answers := attachWanted(ctx, a, s.Region, cs)
		after, err := a.RoleNames(ctx, s.Region, attempted(cs, answers))
		return settle(cs, answers, after, err)
	}
}

// byRole groups instance ids by a role's name, in parts of one call each.
func byRole(cs []fleet.Change, role func(fleet.Change) string) func(func(string, []string) bool) {
	groups := map[string][]string{}
	for _, c := range cs {
		groups[role(c)] = append(groups[role(c)], c.Ref.ID)
	}
	return func(yield func(string, []string) bool) {
		for _, name := range slices.Sorted(maps.Keys(groups)) {
			for part := range slices.Chunk(groups[name], fleet.MaxBatch) {
				if !yield(name, part) {
					return
				}
			}
		}
	}
}

// attachWanted attaches the roles that changes want.
func attachWanted(ctx context.Context, a Attacher, region fleet.Region, cs []fleet.Change) map[string]fleet.BatchAnswer {
	answers := map[string]fleet.BatchAnswer{}
	for role, ids := range byRole(cs, func(c fleet.Change) string { return c.Want }) {
		maps.Copy(answers, attach(ctx, a, region, role, ids))
	}
	return answers
}

func attach(ctx context.Context, a Attacher, region fleet.Region, role string, ids []string) map[string]fleet.BatchAnswer {
	return inHalves(ids, func(part []string) (map[string]fleet.BatchAnswer, error) {
		return a.AttachRole(ctx, region, role, part)
	})
}

// inHalves calls an API for all ids and returns the answer of each. One bad instance can
// fail the whole call; then each half is tried, so that the others proceed.
func inHalves(ids []string, call func([]string) (map[string]fleet.BatchAnswer, error)) map[string]fleet.BatchAnswer {
	answers, err := call(ids)
	if err == nil {
		return answers
	}
	if len(ids) > 1 && fleet.OfInstance(err) {
		half := len(ids) / 2
		out := inHalves(ids[:half], call)
		maps.Copy(out, inHalves(ids[half:], call))
		return out
	}
	out := make(map[string]fleet.BatchAnswer, len(ids))
	for _, id := range ids {
		out[id] = fleet.BatchAnswer{Err: err}
	}
	return out
}

// attempted returns the instances to read back: not those whose call certainly changed
// nothing.
func attempted(cs []fleet.Change, answers map[string]fleet.BatchAnswer) []string {
	var ids []string
	for _, c := range cs {
		switch fleet.ClassOf(answers[c.Ref.ID].Err) {
		case fleet.Denied, fleet.Throttled, fleet.Busy, fleet.OutOfBudget:
		default:
			ids = append(ids, c.Ref.ID)
		}
	}
	return ids
}

// settle compares the role names that were read back; where they are not the wanted ones,
// the answers give the reason.
func settle(cs []fleet.Change, answers map[string]fleet.BatchAnswer, after map[string]string, readErr error) []fleet.Result {
	out := make([]fleet.Result, len(cs))
	for i, c := range cs {
		answer := fleet.AnswerOf(answers, c.Ref.ID)
		name := after[c.Ref.ID]
		switch {
		case strings.EqualFold(name, c.Want):
			out[i] = fleet.Found(c, name, answer.Err)
		case name != "":
			out[i] = fleet.Result{Change: c, State: fleet.Skipped, Why: "another role was attached meanwhile: " + name}
		case answer.Err != nil:
			out[i] = refused(c, "attaching the role", answer.Err)
		default:
			out[i] = fleet.Unseen(c, "attaching the role", nil, readErr)
		}
		out[i].After = name
		out[i].RequestIDs = answer.IDs()
	}
	return out
}

// refused settles a refusal of the cloud.
func refused(c fleet.Change, doing string, err error) fleet.Result {
	res := fleet.Failure(c, doing, err)
	switch {
	case fleet.CodeOf(err) == "InvalidRamRole.NotFound":
		// The role was seen, or just created: ECS does not see it yet.
		res.State, res.Again = fleet.Later, acts.Propagation
	case fleet.OfInstance(err) && fleet.ClassOf(err) == fleet.NotFound:
		res.State = fleet.Later // the next check determines whether it is gone
	}
	return res
}
