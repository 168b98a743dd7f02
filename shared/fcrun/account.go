package fcrun

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/reconcile"
)

// PerAccount returns the control of each account, created with the session that has that
// account's keys: see [Call.In].
func PerAccount[W any](c *Call, control func(fleet.AccountID, *aliyun.Session) (reconcile.Control[W], error)) reconcile.Of[W] {
	return func(ctx context.Context, account fleet.AccountID) (reconcile.Control[W], error) {
		session, err := c.In(ctx, account)
		if err != nil {
			return reconcile.Control[W]{}, err
		}
		return control(account, session)
	}
}
