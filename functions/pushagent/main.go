// Command pushagent is the function push-agent. It owns control agent: each running
// instance has Security Center's agent online, and the sixth generation's trusted
// instances have the trust client. It may run the three commands that deployment
// created, on instances, and tag what they did; deploy/ram/push-agent.json allows no
// more than that.
package main

import (
	"context"
	"os"

	"fleetwarden/events"
	"fleetwarden/shared/agent"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/sas"
	"fleetwarden/shared/consequence"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/rules"
	"fleetwarden/shared/terminal"
)

func main() {
	terminal.Serve(fcrun.Function{
		Name:   "push-agent",
		About:  "brings Security Center's agent and the trust client onto instances, through Cloud Assistant",
		Handle: handle,
	})
}

func handle(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) {
	commands, err := agent.ParseCommands(os.Getenv("FLEETWARDEN_COMMANDS"))
	if err != nil {
		return fleet.Pass{}, err
	}
	instances, center := ecs.New(call.Session), sas.New(call.Session)
	world := observe.World{
		Listings:   instances,
		Agents:     center,
		Assistants: instances,
		Lacking:    rules.LacksAgent,
		Now:        call.Session.Now,
	}
	if call.Options.Policy.Agent.TrustClient {
		world.UserData, world.WantsScript, world.Script = instances, rules.WantsTrustClient, agent.TrustScript
	}
	control := reconcile.Control[*fleet.World]{
		Observe: world.Observe,
		Decide:  rules.Agent,
		Steps: []reconcile.Step{
			{Kind: fleet.RefreshAssets, Act: agent.Refresh(center)},
			{Kind: fleet.PushAgent, Act: agent.Push(instances, center, commands, call.Session.Now)},
			{Kind: fleet.PushTrustClient, Act: agent.PushTrustClient(instances, commands)},
			{Kind: fleet.TagInstance, Act: consequence.Tag(instances)},
		},
	}
	source := events.Batches(events.Decode(call.Payload), events.Filter{
		Kinds: []events.Kind{
			events.KindFirstHeartbeat, events.KindStateChange, events.KindTaskCompleted, events.KindMessage,
		},
		Refs:    []fleet.Kind{fleet.KindInstance},
		Own:     []string{fcrun.Role("push-agent")},
		Knows:   call.Options.Policy.Knows,
		Home:    call.Home.Account,
		PutBack: call.PutBack,
	})
	sum, _, err := reconcile.Run(ctx, control, source, call.Options)
	return sum, err
}
