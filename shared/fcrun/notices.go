package fcrun

import (
	"context"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/queue"
)

// notices collects what channels of the policy want of a pass. At its end that becomes one
// object of the ledger and one message to the function notify; a pass without it costs no
// call. The log has all findings: what could not be handed over is reported there, and is no
// error of the pass.
type notices struct {
	policy policy.Notify
	groups notify.Groups
	some   bool
}

// record adds a record that some channel wants.
func (n *notices) record(r fleet.Record) {
	switch {
	case r.Finding != nil && n.policy.WantsAny(r.Finding.Control, r.Finding.Account, r.Finding.Severity):
		n.some = n.groups.Finding(*r.Finding) || n.some
	case r.Change != nil && r.Change.State == fleet.Done && n.policy.WantsChange(r.Change.Control, r.Change.Account):
		n.groups.Change(*r.Change)
		n.some = true
	}
}

// end hands over what was collected: first the object, then a message that names it.
func (n *notices) end(ctx context.Context, store ledger.Store, now time.Time, stamp fleet.Record, send func(id string) error) error {
	if !n.some {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= closing {
		return errLate
	}
	id := notify.FoundID(n.policy.Day(now), now, stamp.Function, stamp.Request)
	err := ledger.PutJSON(ctx, store, notify.FoundObject(id), n.groups.Found(now))
	if err != nil && fleet.ClassOf(err) != fleet.Exists {
		return err
	}
	return send(id)
}

// finds reports whether what a function finds goes to people, and to the queue of findings: that of
// notify is about its own channels, and that of an operator's command is its answer.
func (r *runner) finds() bool { return !r.f.Unbounded && r.f.Name != fleet.FunctionNotify }

// notices returns what collects for the function notify. A function without a ledger judges nothing.
// What a sweep judges does not come here: its report becomes a digest.
func (r *runner) notices(inv *invocation.Invocation) *notices {
	if !r.finds() || inv.Store == nil {
		return &notices{}
	}
	return &notices{policy: r.policy.Notify}
}

// handOver ends the notices of a pass. The call to the queue does not use the pass's budget.
func (r *runner) handOver(ctx context.Context, n *notices, inv *invocation.Invocation) error {
	home := inv.HomeOf("")
	o := inv.Options
	return n.end(ctx, inv.Store, o.Meter.Now(), o.Stamp, func(id string) error {
		queues, err := r.process.Queues(r.cloud, home)
		if err != nil {
			return err
		}
		ref := fleet.Ref{Scope: home, Kind: fleet.KindFound, ID: id}
		return queue.New(queues.Client(r.session()), r.f.Name).Later(ctx, fleet.FunctionNotify, []fleet.Ref{ref}, notify.Gather)
	})
}
