// Command watchshares is the function watch-shares. It changes nothing: it enqueues what
// setup-share-role is to check. An event about a share only becomes a message in that
// function's inbox, without any other call. A timer lists what is shared in this region
// every five minutes: that is how the sharing of a snapshot is noticed, since EventBridge's
// published list of services that publish calls (help page doc-detail/204963) has neither
// Resource Sharing nor Resource Management. Their events are taken where they come.
package main

import (
	"context"
	"fmt"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// owner is the function that checks shares, in the home region.
const owner = fleet.FunctionSetupShareRole

func main() {
	fcrun.Start(invocation.Function{
		Name:   fleet.FunctionWatchShares,
		Handle: handle,
	})
}

func handle(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
	inbox, err := inv.InboxIn(owner, "")
	if err != nil {
		return fleet.Pass{}, fmt.Errorf("finding the inbox of %s: %w", owner, err)
	}
	w := watch{inv.Options, inbox, reconcile.NewRecorder(inv.Options)}
	for b, fault := range source(ctx, inv) {
		if fault != nil {
			err = w.recorder.Element(fault)
		} else {
			err = w.enqueue(ctx, b.Refs)
		}
		if err != nil {
			break
		}
	}
	return w.recorder.Sum(), err
}

// watch is one pass.
type watch struct {
	o        reconcile.Options
	inbox    reconcile.Inbox // of the owner
	recorder *reconcile.Recorder
}

// soon is after how long the owner checks.
const soon = time.Second

// enqueue has the owner check refs.
func (w *watch) enqueue(ctx context.Context, refs []fleet.Ref) error {
	w.recorder.Judged(refs)
	for i := range refs {
		refs[i].Try = fleet.Try{N: 1, FirstSeen: w.o.Meter.Now(), Run: w.o.Stamp.Run}
		err := w.recorder.Finding(fleet.Verdict{Ref: refs[i], Control: policy.ControlShareRole, Rule: "watch", Outcome: fleet.Pending,
			Reason: owner + " is notified", Again: soon})
		if err != nil {
			return fmt.Errorf("writing a finding: %w", err)
		}
	}
	if err := w.inbox.Again(ctx, refs, soon); err != nil {
		return fmt.Errorf("enqueuing %d refs: %w", len(refs), err)
	}
	w.recorder.Add(fleet.Pass{Again: len(refs)})
	return nil
}

// source yields what events name, and what the timer finds.
func source(ctx context.Context, inv *invocation.Invocation) reconcile.Source {
	for ev, err := range events.Decode(inv.Payload) {
		if err == nil && ev.Kind == fleet.EventTimer {
			return found(ctx, inv)
		}
	}
	return events.Batches(events.Decode(inv.Payload), inv, fleet.FunctionNamed(fleet.FunctionWatchShares))
}
