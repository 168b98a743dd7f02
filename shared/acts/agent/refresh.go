package agent

import (
	"context"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
)

// Refresher refreshes Security Center's asset list.
type Refresher interface {
	Refresh(ctx context.Context, region fleet.Region) error
}

// Refresh refreshes Security Center's asset list, so that it contains new instances, for
// [fleet.RefreshAssets]. That takes minutes; a later check shows the result. A call whose
// answer was lost is not repeated: at worst the list is refreshed later.
func Refresh(r Refresher) acts.Act {
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
