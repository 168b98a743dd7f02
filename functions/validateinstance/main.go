// Command validateinstance is the function validate-instance. It owns control
// trusted-instance: what a launch must get right because it cannot be repaired
// afterwards, and why a launch was denied. It changes nothing unless the policy asks
// for a consequence and deploy/ram/optional was granted: then it tags or stops.
package main

import (
	"context"

	"fleetwarden/shared/acts/sanction"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/controls"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/memory"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/reconcile"
)

func main() {
	fcrun.Start(invocation.Function{
		Name:   fleet.FunctionValidateInstance,
		Handle: handle,
	})
}

func handle(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
	return controls.Run(ctx, inv, func(_ fleet.AccountID, session *aliyun.Session) (reconcile.Control[*fleet.World], error) {
		instances := ecs.New(session)
		return controls.Instances(observe.World{
			Listings: instances, Young: instances, Disks: instances, Images: instances, KMS: new(observe.Memory).KMS(kms.New(session)),
			Past: memory.Reader{Store: inv.Store, Now: session.Now}, Now: session.Now,
		}, inv.Options.Policy, []reconcile.Step{
			{Kind: fleet.TagInstance, Act: sanction.Tag(instances)},
			{Kind: fleet.StopInstance, Act: sanction.Stop(instances)},
		}, controls.TrustedInstance), nil
	})
}
