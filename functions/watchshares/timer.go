package main

import (
	"context"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/sharing"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/reconcile"
)

// tick is how often the timer comes; fresh is how young a change of a share is that the
// last tick may not have seen.
const (
	tick  = 5 * time.Minute
	fresh = 2*tick + time.Minute
)

// found yields the kinds of share that changed lately, at home and in each account that
// the policy names. Accounts that are only of the resource directory have events alone,
// which for snapshots are not published, and the sweep.
func found(ctx context.Context, inv *invocation.Invocation) reconcile.Source {
	return func(yield func(fleet.Batch, error) bool) {
		accounts := []fleet.AccountID{inv.Home.Account}
		for _, a := range inv.Options.Policy.Accounts {
			if _, ok := inv.RoleIn(a.ID); ok {
				accounts = append(accounts, a.ID)
			}
		}
		for _, account := range accounts {
			if b := foundIn(ctx, inv, account); len(b.Refs) > 0 && !yield(b, nil) {
				return
			}
		}
	}
}

// foundIn is both kinds at the first tick of an hour: an ended share leaves nothing to
// list, and an image may have been shared by itself without its event coming through.
// What cannot be listed is looked at too; an account that cannot be reached, once an hour,
// by the owner, who says why.
func foundIn(ctx context.Context, inv *invocation.Invocation, account fleet.AccountID) fleet.Batch {
	var shared map[fleet.Kind][]fleet.SharedResource
	unlisted := false
	if aliyun.ResourceSharing.Absent(inv.Home.Region) {
		// Images are shared by ECS alone: the hour's look is for them.
	} else if session, err := inv.In(ctx, account); err == nil {
		shared, err = sharing.New(session).Shared(ctx, inv.Home.Region)
		unlisted = err != nil
	}
	now := inv.Session.Now()
	all := unlisted || now.Sub(now.Truncate(time.Hour)) < tick
	b := fleet.Batch{Scope: fleet.Scope{Account: account}}
	for _, kind := range []fleet.Kind{fleet.KindSnapshotShare, fleet.KindImageShare} {
		if all || changedSince(shared[kind], now.Add(-fresh)) {
			b.Refs = append(b.Refs, fleet.Ref{Scope: b.Scope, Kind: kind})
		}
	}
	return b
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
