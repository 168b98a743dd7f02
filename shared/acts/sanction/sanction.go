// Package sanction executes the policy's consequences of a violation, a tag on the instance
// or stopping it, and their undo. It decides nothing, knows no SDK, never forces a stop and
// never deletes.
package sanction

import (
	"context"
	"maps"
	"slices"
	"strings"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
)

// Instances is the part of ECS that sanctions need.
type Instances interface {
	Listings(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Listing, error)
	Tag(ctx context.Context, region fleet.Region, key, value string, ids []string) error
	Stop(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.BatchAnswer, error)
}

// Tag sets the tag that each change wants ("key=value") on its instance, for
// [fleet.TagInstance]. The call's answer does not distinguish instances, so the tags are
// read right before it: one that is already in place is not ours.
func Tag(i Instances) acts.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		out := make([]fleet.Result, len(cs))
		before, err := i.Listings(ctx, s.Region, ids(cs))
		var open []fleet.Change
		var at []int
		for n, c := range cs {
			now, there := before[c.Ref.ID]
			switch {
			case err != nil:
				out[n] = fleet.Failure(c, "reading the tags before tagging", err)
			case !there:
				out[n] = fleet.Result{Change: c, State: fleet.Skipped, Why: "the instance is gone"}
			case has(now, c.Want):
				out[n] = fleet.Result{Change: c, State: fleet.Skipped, After: c.Want, Why: "the instance has the tag already"}
			default:
				open, at = append(open, c), append(at, n)
			}
		}
		for n, res := range put(ctx, i, s.Region, open) {
			out[at[n]] = res
		}
		return out
	}
}

// has reports whether an instance has a tag ("key=value").
func has(l fleet.Listing, tag string) bool {
	key, want, _ := strings.Cut(tag, "=")
	value, tagged := l.Tags[key]
	return tagged && value == want
}

// put tags instances that lack their tag, and reads them back.
func put(ctx context.Context, i Instances, region fleet.Region, cs []fleet.Change) []fleet.Result {
	if len(cs) == 0 {
		return nil
	}
	failures := tag(ctx, i, region, cs)
	after, readErr := i.Listings(ctx, region, ids(cs))
	out := make([]fleet.Result, len(cs))
	for n, c := range cs {
		if has(after[c.Ref.ID], c.Want) {
			out[n] = fleet.Found(c, c.Want, inParts(failures[c.Want]))
		} else {
			out[n] = fleet.Unseen(c, "tagging the instance", failures[c.Want], readErr)
		}
	}
	return out
}

// inParts is the answer for one instance of a call made in parts, one of which failed: a
// tag that is new was most likely set by another part.
func inParts(err error) error {
	if err == nil {
		return nil
	}
	return fleet.Unanswered{}
}

// tag tags the instances that want the same tag together; it returns the errors, by tag.
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

// Stop stops running instances and then sets the tag that each change wants on them, so
// that an instance which an operator starts again is not stopped again, for
// [fleet.StopInstance]. One that another caller stopped gets no tag. If the pass ends
// between the two, the instance may be stopped once more after that start, and no more.
func Stop(i Instances) acts.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		out := power{i.Stop, "stopping the instance", []string{"Stopping", "Stopped"}}.turn(ctx, i, s.Region, cs)
		var ours []fleet.Change
		for _, res := range out {
			if made(res) {
				ours = append(ours, res.Change)
			}
		}
		failures := tag(ctx, i, s.Region, ours)
		for n := range out {
			if err := failures[out[n].Change.Want]; err != nil && made(out[n]) {
				out[n].Why = "stopped, but its tag could not be set: " + err.Error()
			}
		}
		return out
	}
}

func made(r fleet.Result) bool { return r.State == fleet.Done || r.State == fleet.Started }

// power is one of the two calls that start and stop.
type power struct {
	call   func(context.Context, fleet.Region, []string) (map[string]fleet.BatchAnswer, error)
	doing  string
	states []string // of an instance on its way, and at its end
}

// lister reads instances back.
type lister interface {
	Listings(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Listing, error)
}

// turn makes the call for all instances and settles by the states that it reads back. The
// call refuses an instance that is not in its starting state, which determines the author
// of a state.
func (p power) turn(ctx context.Context, l lister, region fleet.Region, cs []fleet.Change) []fleet.Result {
	answers, err := p.call(ctx, region, ids(cs))
	after, readErr := l.Listings(ctx, region, ids(cs))
	out := make([]fleet.Result, len(cs))
	for n, c := range cs {
		answer := fleet.BatchAnswer{Err: err}
		if err == nil {
			answer = fleet.AnswerOf(answers, c.Ref.ID)
		}
		if now := after[c.Ref.ID].Status; readErr == nil && slices.Contains(p.states, now) {
			out[n] = fleet.Found(c, now, answer.Err)
		} else {
			out[n] = fleet.Unseen(c, p.doing, answer.Err, readErr)
		}
		out[n].Untouched = answer.Err != nil && fleet.ClassOf(answer.Err).Refused()
		out[n].RequestIDs = answer.IDs()
	}
	return out
}

func ids(cs []fleet.Change) []string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = c.Ref.ID
	}
	return out
}
