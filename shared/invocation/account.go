package invocation

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/reconcile"
)

// PerAccount returns the control of each account, created with the session that has that
// account's keys: see [Invocation.In].
func PerAccount[W any](inv *Invocation, control func(fleet.AccountID, *aliyun.Session) (reconcile.Control[W], error)) reconcile.Of[W] {
	return func(ctx context.Context, account fleet.AccountID) (reconcile.Control[W], error) {
		session, err := inv.In(ctx, account)
		if err != nil {
			return reconcile.Control[W]{}, err
		}
		return control(account, session)
	}
}
