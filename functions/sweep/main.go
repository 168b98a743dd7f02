// Command sweep is the function sweep. A timer has it go over all accounts and regions
// of the policy, with the eyes of every control; it changes nothing. What has drifted it
// tells to the functions that own the control, once a whole region was judged and the
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
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/terminal"
)

func main() {
	var known all.Memories // of the fleets, from pass to pass
	terminal.Serve(fcrun.Function{
		Name:   fleet.FunctionSweep,
		About:  "goes over all accounts and regions, reports, and tells the owners of drift",
		Wakes:  []byte(`{"triggerTime":"","triggerName":"terminal","payload":""}`),
		Handle: func(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) { return handle(ctx, call, &known) },
	})
}

func handle(ctx context.Context, call *fcrun.Call, known *all.Memories) (fleet.Pass, error) {
	if call.Store == nil {
		return fleet.Pass{}, fmt.Errorf("a sweep keeps what it finds: set %s to oss://BUCKET/PREFIX or file:///FOLDER", fcrun.LedgerVariable)
	}
	p := &pass{call: call, sweep: sweeper(call, known), recorder: reconcile.NewRecorder(call.Options)}
	for ev, err := range events.Decode(call.Payload) {
		if err == nil && ev.Kind == fleet.EventTimer {
			return p.begin(ctx)
		}
	}
	return p.shards(ctx)
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
		Tell:    call.Enqueue,
		Wake:    call.Options.Inbox.Again,
		Settle:  settle(call.Store),
		Publish: publisher{call}.publish,
		Log:     call.Log,
		Options: call.Options,
	}
}

func settle(store ledger.Store) func(context.Context, time.Time, fleet.Scope) iter.Seq2[fleet.Entry, error] {
	return func(ctx context.Context, now time.Time, scope fleet.Scope) iter.Seq2[fleet.Entry, error] {
		return ledger.Abandoned(ctx, store, fleet.Writers(), now, scope)
	}
}

// pass is one invocation.
type pass struct {
	call     *fcrun.Call
	sweep    *sweep.Sweep
	recorder *reconcile.Recorder
	// stopped says why shards have to be gone on with.
	stopped []string
}

func (p *pass) begin(ctx context.Context) (fleet.Pass, error) {
	accounts, err := all.Accounts(ctx, p.call)
	if err != nil {
		return p.end(), err
	}
	_, err = p.sweep.Begin(ctx, sweep.Where{Accounts: accounts, Regions: all.Regions(p.call)}, p.call.Options.DryRun)
	return p.end(), err
}

// anyShard takes messages about every account: a shard that cannot be reached has to be
// reported.
type anyShard struct{ *fcrun.Call }

func (anyShard) Knows(fleet.AccountID) bool   { return true }
func (anyShard) Guards(fleet.Scope) bool      { return true }
func (anyShard) Reaches(fleet.AccountID) bool { return true }

// shards continues the shards that the payload names.
func (p *pass) shards(ctx context.Context) (fleet.Pass, error) {
	for b, err := range events.Batches(events.Decode(p.call.Payload), anyShard{p.call}, fleet.FunctionNamed(fleet.FunctionSweep)) {
		if err != nil {
			if err := p.recorder.Element(err); err != nil {
				return p.end(), err
			}
			continue
		}
		for _, ref := range b.Refs {
			if err := p.shard(ctx, ref); err != nil {
				return p.end(), err
			}
		}
	}
	return p.end(), nil
}

func (p *pass) shard(ctx context.Context, ref fleet.Ref) error {
	if p.spent(ctx) {
		return p.sweep.Wake(ctx, []fleet.Ref{ref}, time.Second)
	}
	sum, err := p.sweep.Shard(ctx, ref)
	p.recorder.Add(sum)
	if sum.Stopped != "" {
		p.stopped = append(p.stopped, sum.Stopped)
	}
	return err
}

// spent says that this pass should begin no other shard.
func (p *pass) spent(ctx context.Context) bool {
	o := p.call.Options
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < o.Margin || p.recorder.Sum().Refs > 0 && o.Meter.Left() < o.CallsPerBatch
}

func (p *pass) end() fleet.Pass {
	sum := p.recorder.Sum()
	if n := len(p.stopped); n == 1 {
		sum.Stopped = p.stopped[0]
	} else if n > 1 {
		sum.Stopped = fmt.Sprintf("%s; and %d more", p.stopped[0], n-1)
	}
	return sum
}
