// Command attachrole is the function attach-role. It owns control instance-role:
// each trusted instance has a RAM role that may report trust data to Security
// Center. It may change the roles of instances, the systrust role and our own
// policy; deploy/ram/attach-role.json allows no more than that.
package main

import (
	"context"

	"fleetwarden/shared/acts/instancerole"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/controls"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/reconcile"
)

func main() {
	fcrun.Start(invocation.Function{
		Name:   fleet.FunctionAttachRole,
		Handle: handle,
	})
}

func handle(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
	return controls.Run(ctx, inv, func(_ fleet.AccountID, session *aliyun.Session) (reconcile.Control[*fleet.World], error) {
		instances, roles := ecs.New(session), ram.New(session)
		return controls.Instances(observe.World{
			Listings: instances, Young: instances, RoleNames: instances, Roles: roles,
			Users: new(observe.Memory).Users(instances), Now: session.Now,
		}, inv.Options.Policy, []reconcile.Step{
			{Kind: fleet.EnsureRole, Act: instancerole.Ensure(roles)},
			{Kind: fleet.GrantRole, Act: instancerole.Grant(roles)},
			{Kind: fleet.AttachRole, Act: instancerole.Attach(instances)},
			{Kind: fleet.ReplaceRole, Act: instancerole.Replace(instances)},
		}, controls.InstanceRole), nil
	})
}
