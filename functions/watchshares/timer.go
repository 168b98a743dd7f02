package main

import (
	"context"
	"time"

	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/reconcile"
)

// tick is how often the timer comes; fresh is how young a change of a share is that the
// last tick may not have seen.
const (
	tick  = 5 * time.Minute
	fresh = 2*tick + time.Minute
)

// lister lists what is shared by Resource Sharing in a region.
type lister interface {
	Shared(ctx context.Context, region fleet.Region) (map[fleet.Kind][]fleet.SharedResource, error)
}

// found yields the kinds of share that changed lately. At the first tick of an hour it
// yields both: an ended share leaves nothing to list, and an image may have been shared
// by itself without its event coming through. What cannot be listed is looked at too.
func found(ctx context.Context, l lister, call *fcrun.Call) reconcile.Source {
	return func(yield func(fleet.Batch, error) bool) {
		shared, err := l.Shared(ctx, call.Home.Region)
		now := call.Session.Now()
		all := err != nil || now.Sub(now.Truncate(time.Hour)) < tick
		b := fleet.Batch{Scope: fleet.Scope{Account: call.Home.Account}}
		for _, kind := range []fleet.Kind{fleet.KindSnapshotShare, fleet.KindImageShare} {
			if all || changedSince(shared[kind], now.Add(-fresh)) {
				b.Refs = append(b.Refs, fleet.Ref{Scope: b.Scope, Kind: kind})
			}
		}
		if len(b.Refs) > 0 {
			yield(b, nil)
		}
	}
}

// changedSince: a share that does not tell when it changed counts as changed.
func changedSince(shared []fleet.SharedResource, t time.Time) bool {
	for _, r := range shared {
		if r.Changed.IsZero() || r.Changed.After(t) {
			return true
		}
	}
	return false
}
