// Command pushagent is the function push-agent. It owns control agent: each running
// instance has Security Center's agent online, and the sixth generation's trusted
// instances have the trust client. It may run the three commands that deployment
// created, on instances, and tag what they did; deploy/ram/push-agent.json allows no
// more than that.
package main

import (
	"context"
	"os"

	"fleetwarden/shared/acts/agent"
	"fleetwarden/shared/acts/sanction"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/sas"
	"fleetwarden/shared/controls"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/memory"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

func main() {
	fcrun.Start(invocation.Function{
		Name:   fleet.FunctionPushAgent,
		Handle: handle,
	})
}

func handle(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
	ids, err := agent.ParseCommands(os.Getenv("FLEETWARDEN_COMMANDS"))
	if err != nil {
		return fleet.Pass{}, err
	}
	return controls.Run(ctx, inv, func(account fleet.AccountID, session *aliyun.Session) (reconcile.Control[*fleet.World], error) {
		if account != inv.Home.Account {
			// The commands that deployment created are the home account's.
			return control(inv, account, session, nil)
		}
		return control(inv, account, session, ids)
	})
}

func control(inv *invocation.Invocation, account fleet.AccountID, session *aliyun.Session, ids agent.Commands) (reconcile.Control[*fleet.World], error) {
	p, instances, center := inv.Options.Policy, ecs.New(session), sas.New(session)
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
		assistants = asked{instances, inv.Store, account}
	}
	return controls.Instances(observe.World{
		Listings: instances, Agents: center, Assistants: assistants, UserData: instances, Script: agent.TrustScript,
		Past: memory.Reader{Store: inv.Store, Now: session.Now}, Now: session.Now,
	}, p, []reconcile.Step{
		{Kind: fleet.RefreshAssets, Act: agent.Refresh(center)},
		{Kind: fleet.PushAgent, Act: push},
		{Kind: fleet.PushTrustClient, Act: agent.PushTrustClient(instances, ids)},
		{Kind: fleet.TagInstance, Act: sanction.Tag(instances)},
	}, controls.Agent), nil
}
