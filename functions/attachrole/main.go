// Command attachrole is the function attach-role. It owns control instance-role:
// each trusted instance has a RAM role that may report trust data to Security
// Center. It may change the roles of instances, the systrust role and our own
// policy; deploy/ram/attach-role.json allows no more than that.
package main

import (
	"context"

	"fleetwarden/events"
	"fleetwarden/shared/acts/instancerole"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/rules"
	"fleetwarden/shared/terminal"
)

func main() {
	terminal.Serve(fcrun.Function{
		Name:   fleet.FunctionAttachRole,
		About:  "gives trusted instances the RAM role that reports trust data to Security Center",
		Handle: handle,
	})
}

func handle(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) {
	source := events.Batches(events.Decode(call.Payload), call, fleet.FunctionNamed(fleet.FunctionAttachRole))
	sum, _, err := reconcile.Run(ctx, fcrun.PerAccount(call, func(_ fleet.AccountID, s *aliyun.Session) (reconcile.Control[*fleet.World], error) {
		return control(s, call.Options.Policy), nil
	}), source, call.Options)
	return sum, err
}

func control(session *aliyun.Session, p *policy.Policy) reconcile.Control[*fleet.World] {
	instances, roles := ecs.New(session), ram.New(session)
	return reconcile.Control[*fleet.World]{
		Observe: observe.World{
			Listings:  instances,
			Young:     instances,
			RoleNames: instances,
			Roles:     roles,
			Needed:    []string{p.InstanceRole.Role},
			Candidate: rules.Candidate,
			Now:       session.Now,
		}.Observe,
		Decide:  rules.InstanceRole,
		InPlace: rules.InPlace,
		Steps: []reconcile.Step{
			{Kind: fleet.EnsureRole, Act: instancerole.Ensure(roles)},
			{Kind: fleet.GrantRole, Act: instancerole.Grant(roles)},
			{Kind: fleet.AttachRole, Act: instancerole.Attach(instances)},
			{Kind: fleet.ReplaceRole, Act: instancerole.Replace(instances)},
		},
	}
}
