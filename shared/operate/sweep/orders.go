package sweep

import (
	"context"
	"errors"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/pause"
)

// reportOrders reports what operators have paused or resumed since the sweep before, and what is
// still paused. Without a sweep before, it is all that counts.
func (s *Sweep) reportOrders(ctx context.Context, run string, account fleet.AccountID, since time.Time) error {
	now, at := s.Options.Meter.Now(), fleet.Scope{Account: account}
	orders, err := pause.Read(ctx, s.Store, now)
	if err != nil {
		f := fleet.FindingRecord{Rule: "pause", Outcome: fleet.Fault, Severity: fleet.Medium, Account: account, Kind: fleet.KindFleet,
			Reason: err.Error(), Remedy: "make sure that the roles of the functions may list and read the orders: without that nothing is changed"}
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
