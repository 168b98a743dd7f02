package agent

import (
	"context"
	"slices"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
)

// Installer starts Security Center's own installation of its agent, for instances of one
// region and operating system. It returns the instances on which an installation began.
type Installer interface {
	OneClick(ctx context.Context, region fleet.Region, os string, ids []string) (begun []string, err error)
}

// OneClick starts one-click installations, one call for each operating system and 100
// instances, for [fleet.PushAgent]. The maximum of instances a call is not published.
func OneClick(i Installer) acts.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		out := make([]fleet.Result, len(cs))
		for os, at := range byOS(cs) {
			for part := range slices.Chunk(at, fleet.MaxBatch) {
				ids := make([]string, len(part))
				for n, place := range part {
					ids[n] = cs[place].Ref.ID
				}
				begun, err := i.OneClick(ctx, s.Region, os, ids)
				for n, place := range part {
					out[place] = asked(cs[place], err, slices.Contains(begun, ids[n]))
				}
			}
		}
		return out
	}
}

// asked settles one instance. A call whose answer was lost is not repeated: the next check
// shows whether the agent is there. The answer omits, without a reason, instances on which
// no installation began.
func asked(c fleet.Change, err error, begun bool) fleet.Result {
	switch {
	case fleet.ClassOf(err) == fleet.Lost:
		return fleet.Result{Change: c, State: fleet.Started, After: "one-click installation", Why: "the answer was lost: it may have begun"}
	case err != nil:
		return fleet.Failure(c, "starting a one-click installation", err)
	case !begun:
		return fleet.Result{Change: c, State: fleet.Failed, Why: "Security Center began no one-click installation on this instance, and gave no reason"}
	}
	return fleet.Result{Change: c, State: fleet.Started, After: "one-click installation"}
}
