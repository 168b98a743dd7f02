// Command setupsharerole is the function setup-share-role. It owns control share-role:
// the ECS of those with whom encrypted snapshots and images are shared may assume the
// two share roles and use the keys. It may change these two roles and the policies
// fleetwarden-share-*; deploy/ram/setup-share-role.json allows no more than that. RAM
// has no compare-and-set, so one instance serves one window at a time.
package main

import (
	"context"

	"fleetwarden/shared/acts/sharerole"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/directory"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/sharing"
	"fleetwarden/shared/controls"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/reconcile"
)

func main() {
	fcrun.Start(invocation.Function{
		Name:   fleet.FunctionSetupShareRole,
		Handle: handle,
	})
}

func handle(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
	return controls.Run(ctx, inv, func(account fleet.AccountID, session *aliyun.Session) (reconcile.Control[*fleet.ShareWorld], error) {
		roles := ram.New(session)
		return controls.Shares(observe.Shares{
			ECS: ecs.New(session), Sharing: sharing.New(session), Keys: kms.New(session), Roles: roles,
			Directory: directory.New(inv.Session), // with our own keys: a member may not read the folders of others
			Home:      inv.Home.Region, Now: session.Now,
		}, inv.Options.Policy, account, []reconcile.Step{
			{Kind: fleet.EnsureShareRole, Act: sharerole.Ensure(roles)},
			{Kind: fleet.SetShareTrust, Act: sharerole.SetTrust(roles)},
			{Kind: fleet.MarkUnused, Act: sharerole.Mark(roles)},
			{Kind: fleet.SetKeyPolicy, Act: sharerole.SetKeys(roles)},
			{Kind: fleet.AttachKeyPolicy, Act: sharerole.Attach(roles)},
			{Kind: fleet.DetachKeyPolicy, Act: sharerole.Detach(roles)},
		}), nil
	})
}
