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
	"fleetwarden/shared/acts/agent"
	"fleetwarden/shared/acts/sanction"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/sas"
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
		Name:    fleet.FunctionPushAgent,
		About:   "brings Security Center's agent and the trust client onto instances, through Cloud Assistant",
		Writers: fcrun.OneInARegion,
		Handle:  handle,
	})
}

func handle(ctx context.Context, call *fcrun.Call) (fleet.Pass, error) {
	ids, err := agent.ParseCommands(os.Getenv("FLEETWARDEN_COMMANDS"))
	if err != nil {
		return fleet.Pass{}, err
	}
	source := events.Batches(events.Decode(call.Payload), call, fleet.FunctionNamed(fleet.FunctionPushAgent))
	sum, _, err := reconcile.Run(ctx, controls(call, ids), source, call.Options)
	return sum, err
}

// controls gives the control of an account. The commands that deployment created are the
// home account's; in another one there are none of them.
func controls(call *fcrun.Call, ids agent.Commands) reconcile.Of[*fleet.World] {
	return fcrun.PerAccount(call, func(account fleet.AccountID, s *aliyun.Session) (reconcile.Control[*fleet.World], error) {
		if account != call.Home.Account {
			return control(call, account, s, nil)
		}
		return control(call, account, s, ids)
	})
}

func control(call *fcrun.Call, account fleet.AccountID, session *aliyun.Session, ids agent.Commands) (reconcile.Control[*fleet.World], error) {
	p, instances, center := call.Options.Policy, ecs.New(session), sas.New(session)
	assistants := observe.Assistants(instances)
	push := agent.Push(instances, center, ids, session.Now)
	switch p.Agent.Push { // each way needs rights of its own
	case policy.PushRunCommand:
		scripts, err := scripts(instances)
		if err != nil {
			return reconcile.Control[*fleet.World]{}, err
		}
		push = agent.Push(scripts, center, agent.ByName(), session.Now)
	case policy.PushOneClick:
		push = agent.OneClick(center)
		assistants = remembering(call, account, instances)
	}
	world := observe.World{
		Listings:   instances,
		Agents:     center,
		Assistants: assistants,
		Lacking:    rules.LacksAgent,
		Past:       memory.Reader{Store: call.Store, Now: session.Now},
		Waits:      rules.Waiting(rules.Agent, p),
		Now:        session.Now,
	}
	if p.Agent.TrustClient {
		world.UserData, world.WantsScript, world.Script = instances, rules.WantsTrustClient, agent.TrustScript
	}
	return reconcile.Control[*fleet.World]{
		Observe: world.Observe,
		Decide:  rules.Agent,
		InPlace: rules.InPlace,
		Steps: []reconcile.Step{
			{Kind: fleet.RefreshAssets, Act: agent.Refresh(center)},
			{Kind: fleet.PushAgent, Act: push},
			{Kind: fleet.PushTrustClient, Act: agent.PushTrustClient(instances, ids)},
			{Kind: fleet.TagInstance, Act: sanction.Tag(instances)},
		},
	}, nil
}
