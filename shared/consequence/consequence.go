// Package consequence carries out what the policy makes of a violation, a tag on the
// instance or stopping it, and what takes that back. It decides nothing, knows no SDK,
// never forces a stop and never deletes.
package consequence

import (
	"context"
	"maps"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// Instances is the part of ECS that the consequences need.
type Instances interface {
	Listings(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Listing, error)
	Tag(ctx context.Context, region fleet.Region, key, value string, ids []string) error
	Stop(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.BatchAnswer, error)
}

// Tag puts the tag that each change wants ("key=value") onto its instance, for
// [fleet.TagInstance].
func Tag(i Instances) func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		failures := tag(ctx, i, s.Region, cs)
		after, err := i.Listings(ctx, s.Region, ids(cs))
		out := make([]fleet.Result, len(cs))
		for n, c := range cs {
			key, want, _ := strings.Cut(c.Want, "=")
			value, tagged := after[c.Ref.ID].Tags[key]
			switch {
			case err != nil:
				out[n] = failed(c, "reading the tag back", err)
			case tagged && value == want:
				out[n] = fleet.Result{Change: c, State: fleet.Done, After: c.Want}
			default:
				out[n] = failed(c, "tagging the instance", failures[c.Want])
			}
		}
		return out
	}
}

// tag tags what wants the same tag together; it returns what went wrong, by tag.
func tag(ctx context.Context, i Instances, region fleet.Region, cs []fleet.Change) map[string]error {
	groups := map[string][]string{}
	for _, c := range cs {
		groups[c.Want] = append(groups[c.Want], c.Ref.ID)
	}
	failures := map[string]error{}
	for _, want := range slices.Sorted(maps.Keys(groups)) {
		key, value, _ := strings.Cut(want, "=")
		if err := i.Tag(ctx, region, key, value, groups[want]); err != nil {
			failures[want] = err
		}
	}
	return failures
}

// Stop stops running instances and then puts the tag that each change wants onto
// them, so that an instance which somebody starts again is not stopped again, for
// [fleet.StopInstance]. If the pass ends between the two, the instance may be stopped
// once more after that start, and no oftener.
func Stop(i Instances) func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		answers, err := i.Stop(ctx, s.Region, ids(cs))
		if err != nil {
			answers = nil
		}
		after, readErr := i.Listings(ctx, s.Region, ids(cs))
		out := make([]fleet.Result, len(cs))
		var stopped []fleet.Change
		for n, c := range cs {
			now := after[c.Ref.ID].Status
			answer := answers[c.Ref.ID]
			switch {
			case readErr != nil:
				out[n] = failed(c, "reading the state back", readErr)
			case now == "Stopping" || now == "Stopped":
				out[n] = fleet.Result{Change: c, State: fleet.Done, After: now, RequestIDs: requests(answer)}
				stopped = append(stopped, c)
			case err != nil:
				out[n] = failed(c, "stopping the instance", err)
			default:
				out[n] = failed(c, "stopping the instance", answer.Err)
			}
		}
		failures := tag(ctx, i, s.Region, stopped)
		for n := range out {
			if err := failures[out[n].Change.Want]; err != nil && out[n].State == fleet.Done {
				out[n].Why = "stopped, but the tag that says so could not be put: " + err.Error()
			}
		}
		return out
	}
}

func requests(a fleet.BatchAnswer) []string {
	if a.RequestID == "" {
		return nil
	}
	return []string{a.RequestID}
}

func ids(cs []fleet.Change) []string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = c.Ref.ID
	}
	return out
}

// failed settles a change by its error. Without one the call was answered with success
// and is not to be seen yet.
func failed(c fleet.Change, doing string, err error) fleet.Result {
	if err == nil {
		return fleet.Result{Change: c, State: fleet.Later, Why: doing + ": the call succeeded, but nothing is to be seen yet"}
	}
	return fleet.Failure(c, doing, err)
}
