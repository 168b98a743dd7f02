// Command validateinstance is the function validate-instance. It owns control
// trusted-instance: what a launch must get right because it cannot be repaired
// afterwards, and why a launch was denied. It changes nothing.
package main

import (
	"context"
	"os"
	"os/signal"

	"fleetwarden/events"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/rules"
	"fleetwarden/shared/terminal"
)

func main() {
	f := fcrun.Function{
		Name:   "validate-instance",
		About:  "checks launched instances against the rules for trusted instances, and explains denied launches",
		Handle: handle,
	}
	if fcrun.Inside() {
		fcrun.Start(f)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(terminal.Main(ctx, f, terminal.Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
	}))
}

func handle(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) {
	instances := ecs.New(call.Session)
	control := reconcile.Control[*fleet.World]{
		Observe: observe.World{
			Listings:  instances,
			Disks:     instances,
			Candidate: rules.Candidate,
			Now:       call.Session.Now,
		}.Observe,
		Decide: rules.TrustedInstance,
	}
	source := events.Batches(events.Decode(call.Payload), events.Filter{
		Kinds:   []events.Kind{events.KindLaunch, events.KindMessage},
		Refs:    []fleet.Kind{fleet.KindInstance, fleet.KindCall},
		Own:     []string{fcrun.Role("validate-instance")},
		Knows:   call.Options.Policy.Knows,
		PutBack: call.PutBack,
	})
	sum, _, err := reconcile.Run(ctx, control, source, call.Options)
	return sum, err
}
