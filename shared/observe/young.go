package observe

import (
	"context"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// Young reads the instances created since a time, at most limit of them.
type Young interface {
	CreatedSince(ctx context.Context, region fleet.Region, since time.Time, limit int) (map[string]fleet.Listing, error)
}

// maxYoung limits the candidates for a launch without ids: it made at most 100, and others
// may have launched at the same time.
const maxYoung = 500

// young returns candidates for the instances of a launch whose record names none: all
// instances created since shortly before the call that are not in the batch. The call's
// claims are not applied to them, since another caller may have launched them.
func (o World) young(ctx context.Context, r fleet.Ref, have []fleet.Instance) ([]fleet.Instance, error) {
	if o.Young == nil || r.Call == nil {
		return nil, nil
	}
	called, err := fleet.ParseTime(r.Call.Time)
	if err != nil {
		called = o.Now()
	}
	got, err := o.Young.CreatedSince(ctx, r.Scope.Region, called.Add(-time.Minute), maxYoung)
	if err := passing("searching for the instances of a launch", err); err != nil {
		return nil, err
	}
	if err != nil {
		return []fleet.Instance{{Ref: r, Listed: fleet.Unknown[fleet.Listing](err.Error())}}, nil
	}
	for _, in := range have {
		delete(got, in.Ref.ID)
	}
	out := make([]fleet.Instance, 0, len(got))
	for _, id := range slices.Sorted(maps.Keys(got)) {
		ref := fleet.Ref{Scope: r.Scope, Kind: fleet.KindInstance, ID: id, Try: r.Try}
		out = append(out, fleet.Instance{Ref: ref, Listed: fleet.See(got[id])})
	}
	return out, nil
}
