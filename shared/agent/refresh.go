package agent

import (
	"context"

	"fleetwarden/shared/fleet"
)

// Refresher makes Security Center look for new instances.
type Refresher interface {
	Refresh(ctx context.Context, region fleet.Region) error
}

// Refresh asks Security Center to look for new instances, for [fleet.RefreshAssets]. It
// takes minutes; a later look tells. An answer that was lost is not asked for again:
// nothing but time depends on it.
func Refresh(r Refresher) func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		out := make([]fleet.Result, len(cs))
		for n, c := range cs {
			err := r.Refresh(ctx, s.Region)
			if err != nil && fleet.ClassOf(err) != fleet.Lost {
				out[n] = fleet.Failure(c, "refreshing the assets", err)
				continue
			}
			out[n] = fleet.Result{Change: c, State: fleet.Started, After: "refreshing"}
		}
		return out
	}
}
