package sweep

import (
	"context"
	"errors"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/pause"
	"fleetwarden/shared/reconcile"
)

// reportOrders reports what operators have paused or resumed since the sweep before, and what is
// still paused. Without a sweep before, it is all that counts.
func (s *Sweep) reportOrders(ctx context.Context, run string, account fleet.AccountID, since time.Time) error {
	now, at := s.Options.Meter.Now(), fleet.Scope{Account: account}
	orders, err := pause.Read(ctx, s.Store, now)
	if err != nil {
		f := fleet.FindingRecord{Rule: "pause", Outcome: fleet.Fault, Severity: fleet.Medium, Account: account, Kind: fleet.KindFleet,
			Reason: err.Error(), Remedy: reconcile.UnreadPauses}
		if errors.As(err, new(*fleet.BadInput)) {
			f.Severity, f.Reason = fleet.High, "no function changes anything: "+f.Reason
		}
		return s.record(run, f)
	}
	var errs []error
	if since.IsZero() || since.After(now) {
		since = now.Add(-pause.MaxFor)
	}
	for _, o := range orders.Since(since, now) {
		errs = append(errs, s.record(run, pause.Finding(pause.Fill(ctx, s.Store, o), at)))
	}
	return errors.Join(errs...)
}

// holdPaused holds what is paused: the owner would put it off, and the next sweep finds it again.
// It reads the orders only where an owner would be notified of drift.
func (s *Sweep) holdPaused(ctx context.Context, p progress, holds map[string]hold) error {
	if !anyOpen(holds, nil) {
		return nil
	}
	now := s.Options.Meter.Now()
	orders, err := pause.Read(ctx, s.Store, now)
	if err != nil && passing(err) && !p.tired {
		return err
	}
	for control, h := range holds {
		o, paused := orders.On(control, p.scope.Account, now)
		switch {
		case h != (hold{}):
		case err != nil:
			holds[control] = hold{why: err.Error(), remedy: reconcile.UnreadPauses}
		case paused:
			o = pause.Fill(ctx, s.Store, o)
			holds[control] = hold{why: o.Sentence(), remedy: o.Remedy()}
		}
	}
	return nil
}
