package sanction

import (
	"context"
	"strings"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
)

// Restorer is the part of ECS that undoes sanctions.
type Restorer interface {
	Listings(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Listing, error)
	Untag(ctx context.Context, region fleet.Region, key string, ids []string) error
	Start(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.BatchAnswer, error)
}

// Untag removes the tag Before ("key=value") of each change from its instance, for
// [fleet.UntagInstance]. The call takes the key alone: the caller has checked the value
// right before.
func Untag(r Restorer) acts.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		failures := map[string]error{}
		for key, ids := range byKey(cs) {
			failures[key] = r.Untag(ctx, s.Region, key, ids)
		}
		after, readErr := r.Listings(ctx, s.Region, ids(cs))
		out := make([]fleet.Result, len(cs))
		for n, c := range cs {
			key, _, _ := strings.Cut(c.Before, "=")
			now, there := after[c.Ref.ID]
			value, tagged := now.Tags[key]
			switch {
			case readErr != nil:
				out[n] = fleet.Unseen(c, "removing the tag of the instance", failures[key], readErr)
			case !there:
				out[n] = fleet.Result{Change: c, State: fleet.Skipped, Why: "the instance is gone"}
			case !tagged:
				out[n] = fleet.Found(c, "", inParts(failures[key]))
			default:
				out[n] = fleet.Unseen(c, "removing the tag of the instance", failures[key], nil)
				out[n].After = key + "=" + value
			}
		}
		return out
	}
}

// byKey groups instance ids by the key of the tag Before.
func byKey(cs []fleet.Change) map[string][]string {
	out := map[string][]string{}
	for _, c := range cs {
		key, _, _ := strings.Cut(c.Before, "=")
		out[key] = append(out[key], c.Ref.ID)
	}
	return out
}

// Start starts stopped instances, for [fleet.StartInstance]. Their tag stays.
func Start(r Restorer) acts.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		return power{r.Start, "starting the instance", []string{"Starting", "Running"}}.turn(ctx, r, s.Region, cs)
	}
}
