// Command watchshares is the function watch-shares. It changes nothing: it tells
// setup-share-role where to look. An event about a share only becomes a message in that
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
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/terminal"
)

// owner is the function that looks, in the home region.
const owner = "setup-share-role"

func main() {
	terminal.Serve(fcrun.Function{
		Name:       "watch-shares",
		About:      "tells setup-share-role when something was shared",
		EventsOnly: true,
		Handle:     handle,
	})
}

func handle(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) {
	o := call.Options
	o.Ledger = nil // nothing is changed, and an event costs no other call
	if fcrun.Inside() {
		inbox, err := call.InboxIn(owner, "")
		if err != nil {
			return fleet.Pass{}, fmt.Errorf("finding the inbox of %s: %w", owner, err)
		}
		o.Inbox = inbox
	}
	control := reconcile.Control[fleet.Batch]{
		Observe: func(_ context.Context, b fleet.Batch) (fleet.Batch, error) { return b, nil },
		Decide:  tell,
	}
	sum, _, err := reconcile.Run(ctx, reconcile.Same(control), source(ctx, call), o)
	return sum, err
}

// tell has the owner look at everything, soon.
func tell(b fleet.Batch, _ *policy.Policy) []fleet.Verdict {
	out := make([]fleet.Verdict, len(b.Refs))
	for i, r := range b.Refs {
		out[i] = fleet.Verdict{Ref: r, Control: policy.ControlShareRole, Rule: "watch", Outcome: fleet.Pending,
			Reason: owner + " is told to look", Again: time.Second}
	}
	return out
}

// source yields what events name, and what the timer finds.
func source(ctx context.Context, call *fcrun.Call) reconcile.Source {
	for ev, err := range events.Decode(call.Payload) {
		if err == nil && ev.Kind == events.KindTimer {
			return found(ctx, call)
		}
	}
	return events.Batches(events.Decode(call.Payload), events.Filter{
		Kinds: []events.Kind{events.KindImageShare, events.KindResourceShare, events.KindShareStatus},
		Refs:  []fleet.Kind{fleet.KindSnapshotShare, fleet.KindImageShare},
		Own:   []string{fcrun.Role("watch-shares"), fcrun.Role(owner)},
		Knows: call.Options.Policy.Knows, Guards: call.Options.Policy.Guards, Reaches: call.Reaches, RoleIn: call.RoleIn, PutBack: call.PutBack,
	})
}
