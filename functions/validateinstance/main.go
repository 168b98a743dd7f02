// Command validateinstance is the function validate-instance. It owns control
// trusted-instance: what a launch must get right because it cannot be repaired
// afterwards, and why a launch was denied. It changes nothing unless the policy asks
// for a consequence and deploy/ram/optional was granted: then it tags or stops.
package main

import (
	"context"

	"fleetwarden/events"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/consequence"
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
		Name:   "validate-instance",
		About:  "checks launched instances against the rules for trusted instances, and explains denied launches",
		Handle: handle,
	})
}

func handle(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) {
	instances := ecs.New(call.Session)
	subject := rules.Candidate
	if call.Options.Policy.TrustedInstance.Require == policy.RequireAll {
		subject = nil
	}
	control := reconcile.Control[*fleet.World]{
		Observe: observe.World{
			Listings:  instances,
			Young:     instances,
			Disks:     instances,
			Images:    instances,
			KMS:       kms.New(call.Session),
			Candidate: subject,
			Now:       call.Session.Now,
		}.Observe,
		Decide: rules.TrustedInstance,
		Steps: []reconcile.Step{
			{Kind: fleet.TagInstance, Act: consequence.Tag(instances)},
			{Kind: fleet.StopInstance, Act: consequence.Stop(instances)},
		},
	}
	source := events.Batches(events.Decode(call.Payload), events.Filter{
		Kinds:   []events.Kind{events.KindLaunch, events.KindMessage},
		Refs:    []fleet.Kind{fleet.KindInstance, fleet.KindCall, fleet.KindAccount},
		Own:     []string{fcrun.Role("validate-instance")},
		Knows:   call.Options.Policy.Knows,
		Home:    call.Home.Account,
		PutBack: call.PutBack,
	})
	sum, _, err := reconcile.Run(ctx, reconcile.Same(control), source, call.Options)
	return sum, err
}
