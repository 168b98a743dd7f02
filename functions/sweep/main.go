// Command sweep is the function sweep. Started by a timer, it evaluates all accounts and regions
// of the policy with all controls; it changes nothing. It notifies the functions that own a
// control of what has drifted, once a whole region was judged and the
// policy's limits let it through. It may read what the controls read, keep its findings
// and write to the inboxes; deploy/ram/sweep.json allows no more than that.
package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/controls/all"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/operate/sweep/publish"
	"fleetwarden/shared/reconcile"
)

func main() {
	var known all.Memories // of the fleets, from pass to pass
	fcrun.Start(invocation.Function{
		Name: fleet.FunctionSweep,
		Handle: func(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
			return handle(ctx, inv, &known)
		},
	})
}

func handle(ctx context.Context, inv *invocation.Invocation, known *all.Memories) (fleet.Pass, error) {
	if inv.Store == nil {
		return fleet.Pass{}, fmt.Errorf("a sweep keeps what it finds: set %s to oss://BUCKET/PREFIX or file:///FOLDER", invocation.LedgerVariable)
	}
	s := sweeper(inv, known)
	for ev, err := range events.Decode(inv.Payload) {
		if err == nil && ev.Kind == fleet.EventTimer {
			return begin(ctx, inv, s)
		}
	}
	return s.Shards(ctx, events.Batches(events.Decode(inv.Payload), anyShard{inv}, fleet.FunctionNamed(fleet.FunctionSweep)))
}

func begin(ctx context.Context, inv *invocation.Invocation, s *sweep.Sweep) (fleet.Pass, error) {
	recorder := reconcile.NewRecorder(inv.Options)
	accounts, err := all.Accounts(ctx, inv)
	if err == nil {
		_, err = s.Begin(ctx, sweep.Where{Accounts: accounts, Regions: all.Regions(inv)}, false)
	}
	return recorder.Sum(), err
}

func sweeper(inv *invocation.Invocation, known *all.Memories) *sweep.Sweep {
	return &sweep.Sweep{
		Store:  inv.Store,
		Fleet:  known.Fleet(inv, nil),
		Shares: all.Shares(inv),
		Lister: func(ctx context.Context, account fleet.AccountID) (sweep.Lister, error) {
			session, err := inv.In(ctx, account)
			return ecs.New(session), err
		},
		Enqueue: inv.Enqueue,
		Wake:    inv.Options.Inbox.Again,
		Settle: func(ctx context.Context, now time.Time, scope fleet.Scope) iter.Seq2[fleet.Entry, error] {
			return ledger.Abandoned(ctx, inv.Store, fleet.Writers(), now, scope)
		},
		Publish: publish.Publisher{
			Store: inv.Store, Address: inv.Place.Address, Notify: inv.Notify, Announce: announce(inv), Log: inv.Log, Stamp: inv.Options.Stamp, Now: inv.Options.Meter.Now,
		}.Publish,
		Log:     inv.Log,
		Options: inv.Options,
	}
}

// announce has the function notify make a digest of the report, if a channel wants one.
func announce(inv *invocation.Invocation) func(context.Context, string) error {
	if !inv.Options.Policy.Notify.WantsDigest() {
		return nil
	}
	home := inv.HomeOf("")
	return func(ctx context.Context, run string) error {
		return inv.Enqueue(ctx, fleet.FunctionNotify, home.Region, []fleet.Ref{{Scope: home, Kind: fleet.KindReport, ID: run}})
	}
}

// anyShard takes messages about every account: a shard that cannot be reached has to be
// reported.
type anyShard struct{ *invocation.Invocation }

func (anyShard) Knows(fleet.AccountID) bool   { return true }
func (anyShard) Guards(fleet.Scope) bool      { return true }
func (anyShard) Reaches(fleet.AccountID) bool { return true }
