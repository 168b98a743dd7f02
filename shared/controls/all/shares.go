package all

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/directory"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/sharing"
	"fleetwarden/shared/controls"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// Shares returns, for each account, the control of its shares. Switched off, it reads
// nothing.
func Shares(inv *invocation.Invocation) reconcile.Of[*fleet.ShareWorld] {
	return invocation.PerAccount(inv, func(account fleet.AccountID, session *aliyun.Session) (reconcile.Control[*fleet.ShareWorld], error) {
		p := inv.Options.Policy
		c := controls.Shares(observe.Shares{
			ECS: ecs.New(session), Sharing: sharing.New(session), Keys: kms.New(session), Roles: ram.New(session),
			Directory: directory.New(inv.Session), Home: inv.Home.Region, Now: session.Now,
		}, p, account, nil)
		if p.ShareRole.Mode == policy.Off {
			c.Observe = func(context.Context, fleet.Batch) (*fleet.ShareWorld, error) {
				return &fleet.ShareWorld{Account: account, At: session.Now()}, nil
			}
		}
		return c, nil
	})
}
