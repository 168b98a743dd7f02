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
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/operate/sweep/publish"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/terminal"
)

func main() {
	var known all.Memories // of the fleets, from pass to pass
	terminal.Serve(fcrun.Function{
		Name:   fleet.FunctionSweep,
		About:  "evaluates all accounts and regions, reports, and notifies the owners of drift",
		Wakes:  []byte(`{"triggerTime":"","triggerName":"terminal","payload":""}`),
		Handle: func(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) { return handle(ctx, call, &known) },
	})
}

func handle(ctx context.Context, call *fcrun.Call, known *all.Memories) (fleet.Pass, error) {
	if call.Store == nil {
		return fleet.Pass{}, fmt.Errorf("a sweep keeps what it finds: set %s to oss://BUCKET/PREFIX or file:///FOLDER", fcrun.LedgerVariable)
	}
	s := sweeper(call, known)
	for ev, err := range events.Decode(call.Payload) {
		if err == nil && ev.Kind == fleet.EventTimer {
			return begin(ctx, call, s)
		}
	}
	return s.Shards(ctx, events.Batches(events.Decode(call.Payload), anyShard{call}, fleet.FunctionNamed(fleet.FunctionSweep)))
}

func begin(ctx context.Context, call *fcrun.Call, s *sweep.Sweep) (fleet.Pass, error) {
	recorder := reconcile.NewRecorder(call.Options)
	accounts, err := all.Accounts(ctx, call)
	if err == nil {
		_, err = s.Begin(ctx, sweep.Where{Accounts: accounts, Regions: all.Regions(call)}, call.Options.DryRun)
	}
	return recorder.Sum(), err
}

func sweeper(call *fcrun.Call, known *all.Memories) *sweep.Sweep {
	return &sweep.Sweep{
		Store:  call.Store,
		Fleet:  known.Fleet(call, nil),
		Shares: all.Shares(call),
		Lister: func(ctx context.Context, account fleet.AccountID) (sweep.Lister, error) {
			session, err := call.In(ctx, account)
			return ecs.New(session), err
		},
		Enqueue: call.Enqueue,
		Wake:    call.Options.Inbox.Again,
		Settle: func(ctx context.Context, now time.Time, scope fleet.Scope) iter.Seq2[fleet.Entry, error] {
			return ledger.Abandoned(ctx, call.Store, fleet.Writers(), now, scope)
		},
		Publish: publish.Publisher{
			Store: call.Store, Address: call.Place.Address, Notify: call.Notify, Log: call.Log, Stamp: call.Options.Stamp, Now: call.Options.Meter.Now,
		}.Publish,
		Log:     call.Log,
		Options: call.Options,
	}
}

// anyShard takes messages about every account: a shard that cannot be reached has to be
// reported.
type anyShard struct{ *fcrun.Call }

func (anyShard) Knows(fleet.AccountID) bool   { return true }
func (anyShard) Guards(fleet.Scope) bool      { return true }
func (anyShard) Reaches(fleet.AccountID) bool { return true }
