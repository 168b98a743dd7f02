// Command validateinstance is the function validate-instance. It owns control
// trusted-instance: what a launch must get right because it cannot be repaired
// afterwards, and why a launch was denied. It changes nothing unless the policy asks
// for a consequence and deploy/ram/optional was granted: then it tags or stops.
package main

import (
	"context"

	"fleetwarden/events"
	"fleetwarden/shared/acts/sanction"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/memory"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/rules"
	"fleetwarden/shared/terminal"
)

func main() {
	terminal.Serve(fcrun.Function{
		Name:   fleet.FunctionValidateInstance,
		About:  "checks launched instances against the rules for trusted instances, and explains denied launches",
		Handle: handle,
	})
}

func handle(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) {
	source := events.Batches(events.Decode(call.Payload), call, fleet.FunctionNamed(fleet.FunctionValidateInstance))
	sum, _, err := reconcile.Run(ctx, fcrun.PerAccount(call, func(_ fleet.AccountID, s *aliyun.Session) (reconcile.Control[*fleet.World], error) {
		return control(call, s), nil
	}), source, call.Options)
	return sum, err
}

func control(call *fcrun.Call, session *aliyun.Session) reconcile.Control[*fleet.World] {
	instances, p := ecs.New(session), call.Options.Policy
	subject := rules.Candidate
	if p.TrustedInstance.Require == policy.RequireAll {
		subject = nil
	}
	return reconcile.Control[*fleet.World]{
		Observe: observe.World{
			Listings:   instances,
			Young:      instances,
			Disks:      instances,
			Images:     instances,
			WantsImage: rules.WantsImage(p),
			KMS:        new(observe.Memory).KMS(kms.New(session)),
			WantsKMS:   rules.WantsKMS(p),
			Candidate:  subject,
			Past:       memory.Reader{Store: call.Store, Now: session.Now},
			Waits:      rules.Waiting(rules.TrustedInstance, p),
			Now:        session.Now,
		}.Observe,
		Decide:  rules.TrustedInstance,
		InPlace: rules.InPlace,
		Steps: []reconcile.Step{
			{Kind: fleet.TagInstance, Act: sanction.Tag(instances)},
			{Kind: fleet.StopInstance, Act: sanction.Stop(instances)},
		},
	}
}
