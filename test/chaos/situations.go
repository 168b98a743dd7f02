package main

import (
	"slices"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
)

// drills are the situations that are drilled.
func drills() []drill {
	return slices.Concat(instanceDrills(), sweepDrills(), agentDrills(), shareDrills(), operatorDrills(), manyDrills())
}

func soon() Step   { return Step{Do: Pass, For: Duration(30 * time.Second)} }
func seldom() Step { return Step{Do: Pass, For: Duration(30 * time.Minute)} }
func night() Step  { return Step{Do: Night} }
func beside() Step { return Step{Do: Beside} }

// instanceDrills are situations of instances that are launched.
func instanceDrills() []drill {
	return []drill{
		{
			function: "attach-role", calls: []string{"CreateRole", "CreatePolicy", "AttachPolicyToRole", "AttachInstanceRamRole", "PutObject"},
			world: func(*generator, *World) {},
			steps: func(g *generator) []Step { return []Step{g.made(Launch, "trusted", "", ""), soon(), seldom()} },
		},
		{
			function: "attach-role", calls: []string{"DetachInstanceRamRole", "AttachInstanceRamRole", "PutObject"},
			world: func(_ *generator, w *World) { w.Conflict = "replace" },
			steps: func(g *generator) []Step { return []Step{g.made(Launch, "trusted", "app-role", ""), soon(), seldom()} },
		},
		{
			function: "attach-role", calls: []string{"CreatePolicy", "AttachPolicyToRole", "PutObject"},
			world: func(_ *generator, w *World) { w.Conflict = "grant" },
			steps: func(g *generator) []Step { return []Step{g.made(Launch, "trusted", "app-role", ""), soon(), seldom()} },
		},
		{
			function: "validate-instance", calls: []string{"StopInstances", "TagResources", "PutObject", "DescribeDisks"},
			world: func(_ *generator, w *World) { w.Consequence = "stop" },
			steps: func(g *generator) []Step { return append(g.violating(), soon(), seldom(), beside()) },
		},
		{
			function: "validate-instance", calls: []string{"TagResources", "PutObject", "DescribeDisks"},
			world: func(_ *generator, w *World) { w.Consequence = "tag" },
			steps: func(g *generator) []Step { return append(g.violating(), soon(), seldom(), beside()) },
		},
		{
			function: "validate-instance", // of what a record claims
			world:    func(g *generator, w *World) { w.Consequence, w.Grace = pick(g, "tag", "stop"), 0 },
			steps: func(g *generator) []Step {
				made := g.made(Launch, "ordinary", "", "cloud_efficiency")
				return []Step{made, soon(), {Do: Claim, Group: made.Group}, soon()}
			},
		},
	}
}

// sweepDrills are situations of sweeps, and of limits.
func sweepDrills() []drill {
	return []drill{
		{
			function: "sweep", calls: []string{"DescribeDisks", "DescribeDisks", "BatchSendMessage", "BatchSendMessage", "PutObject", "GetObject"},
			world: func(g *generator, w *World) {
				w.Consequence, w.Grace = pick(g, "tag", "stop"), pick(g, Duration(time.Hour), Duration(day))
			},
			steps: func(g *generator) []Step {
				return []Step{g.made(Seed, "trusted", "", "cloud_efficiency"), night(), night(), {Do: Faults}, night()}
			},
		},
		{
			function: "sweep", calls: []string{"PutObject", "BatchSendMessage", "DescribeInstances", "DescribeInstanceRamRole", "DescribeRegions"},
			world: func(g *generator, w *World) {
				w.Findings, w.Regions = true, pick(g, []string{server.Home}, []string{server.Home, server.Another})
			},
			steps: func(g *generator) []Step {
				return []Step{g.made(Seed, "trusted", "", "cloud_efficiency"), beside(), soon(), night(), {Do: Faults}, pick(g, Step{Do: Redrive}, seldom())}
			},
		},
		{
			function: "attach-role", // more than the limits let through
			world: func(g *generator, w *World) {
				w.Conflict, w.PerHour, w.Consequence, w.Grace = "replace", pick(g, 3, 3, 5), pick(g, "none", "stop"), 0
			},
			steps: func(g *generator) []Step {
				first := g.made(pick(g, Launch, Seed), "trusted", "app-role", "cloud_efficiency")
				then := g.made(Launch, "trusted", "app-role", "cloud_efficiency")
				then.Region = first.Region
				return []Step{{Do: Pass, For: Duration(g.rnd.IntN(60)) * Duration(time.Minute)}, first, seldom(), then, soon(), beside(), seldom()}
			},
		},
	}
}

// agentDrills are situations of agents.
func agentDrills() []drill {
	return []drill{
		{
			function: "push-agent", calls: []string{"InvokeCommand", "PutObject", "DescribeInvocations"},
			world: func(*generator, *World) {},
			steps: func(g *generator) []Step { return append(g.unprotected(), soon(), beside(), soon()) },
		},
		{
			function: "push-agent", calls: []string{"RunCommand", "PutObject"},
			world: func(_ *generator, w *World) { w.Push = "run-command" },
			steps: func(g *generator) []Step { return append(g.unprotected(), soon(), beside(), soon()) },
		},
		{
			function: "push-agent", calls: []string{"OperateAgentClientInstall", "PutObject"},
			world: func(_ *generator, w *World) { w.Push = "one-click" },
			steps: func(g *generator) []Step { return append(g.unprotected(), soon(), beside(), soon()) },
		},
	}
}

// shareDrills are situations of shares.
func shareDrills() []drill {
	return []drill{
		{
			function: "setup-share-role", calls: []string{"CreateRole", "UpdateRole", "CreatePolicy", "CreatePolicyVersion", "AttachPolicyToRole", "DetachPolicyFromRole", "PutObject"},
			world: func(g *generator, w *World) {
				w.TakeBack, w.Regions = pick(g, "enforce", "report"), pick(g, w.Regions, []string{server.Home, server.Another})
			},
			steps: func(g *generator) []Step {
				return slices.Concat(g.several(), []Step{soon()}, g.several(), []Step{seldom(), {Do: Unshare, Group: g.shares[0]}, soon()})
			},
		},
		{
			function: "watch-shares", calls: []string{"BatchSendMessage"},
			world: func(_ *generator, w *World) { w.Regions = []string{server.Home, server.Another} },
			steps: func(g *generator) []Step {
				return slices.Concat(g.several(), []Step{seldom()}, g.several(), []Step{seldom()})
			},
		},
		{
			function: "setup-share-role", alone: true, // after which a region is guarded no more
			world: func(_ *generator, w *World) {
				w.TakeBack, w.Regions, w.Nights = "enforce", []string{server.Home, server.Another}, 2
			},
			steps: func(g *generator) []Step {
				return slices.Concat(g.several(), []Step{seldom(), {Do: Ask}}, g.several(), []Step{seldom(), {Do: Ask}, {Do: Narrow}})
			},
		},
	}
}

// operatorDrills are situations of an operator's commands.
func operatorDrills() []drill {
	return []drill{
		{
			function: "backfill", calls: []string{"BatchSendMessage", "AttachInstanceRamRole", "PutObject", "DescribeInstances", "GetRole"},
			world: func(g *generator, w *World) { w.Conflict = pick(g, "report", "replace") },
			steps: func(g *generator) []Step {
				plan := g.plan()
				apply := Step{Do: Apply, Undone: g.chance(0.5)}
				plan.Do = Draft
				return append(g.fleet(), plan, pick(g, beside(), soon(), night()), soon(), apply)
			},
		},
		{
			function: "backfill", calls: []string{"AttachInstanceRamRole", "DetachInstanceRamRole", "AttachInstanceRamRole", "DetachInstanceRamRole", "PutObject", "DescribeInstances", "DescribeInstanceRamRole"},
			world: func(g *generator, w *World) { w.Conflict, w.PerHour = pick(g, "replace", "replace", "report"), 500 },
			steps: func(g *generator) []Step {
				made := g.made(Seed, "trusted", pick(g, "app-role", "app-role", ""), "")
				return []Step{made, {Do: Again, Group: made.Group}, seldom(), {Do: Undo}}
			},
		},
		{
			function: "backfill", alone: true, // of more than one batch
			calls: []string{"DescribeInstances", "DescribeInstanceRamRole", "GetRole"},
			world: func(_ *generator, w *World) { w.Conflict, w.PerHour = "replace", 500 },
			steps: func(g *generator) []Step {
				made := g.made(Seed, "trusted", "", "")
				made.N = 101 + g.rnd.IntN(60)
				return []Step{made, {Do: Again, Group: made.Group}, seldom(), {Do: Undo}}
			},
		},
		{
			function: "backfill", // of a plan that is old when it is applied
			world:    func(*generator, *World) {},
			steps: func(g *generator) []Step {
				made := g.unprotected()
				return append(made, seldom(), Step{Do: Draft, Kind: "agent", Account: made[0].Account}, pick(g, beside(), night()), soon(), Step{Do: Apply})
			},
		},
		{
			function: "backfill", alone: true, // of what was lost
			world: func(*generator, *World) {},
			steps: func(g *generator) []Step {
				out := []Step{{Do: Faults, Events: simcloud.EventFaults{Lose: pick(g, 1, 0.5)}}}
				for range 3 + g.rnd.IntN(6) {
					out = append(out, g.made(Launch, "trusted", "", ""))
				}
				return append(out, soon())
			},
		},
	}
}

// manyDrills are situations of many at once, and of a ledger that keeps nothing.
func manyDrills() []drill {
	return []drill{
		{
			function: "push-agent", alone: true, // of more than one pass or call takes
			calls: []string{"BatchSendMessage"},
			world: func(g *generator, w *World) {
				w.Budget, w.Regions = pick(g, 20, 20, 1000), []string{server.Home, server.Another}
			},
			steps: func(g *generator) []Step {
				first, then := g.made(Launch, "trusted", "", ""), g.made(Launch, "trusted", "", "")
				first.N, then.N = 90+g.rnd.IntN(60), 20+g.rnd.IntN(100)
				return []Step{first, then, soon(), seldom()}
			},
		},
		{
			function: "attach-role", alone: true, // of more messages than one call takes
			calls: []string{"BatchSendMessage"},
			world: func(_ *generator, w *World) { w.AttachAfter = Duration(5 * time.Minute) },
			steps: func(g *generator) []Step {
				var out []Step
				for range 17 + g.rnd.IntN(20) {
					s := g.made(Launch, "trusted", "", "")
					s.N = 1
					out = append(out, s)
				}
				return append([]Step{soon()}, append(out, soon(), seldom())...)
			},
		},
		{
			function: "attach-role", alone: true, // with a ledger that does not keep what it is given
			world: func(g *generator, w *World) {
				w.Versioning = pick(g, []string{"Enabled"}, []string{"Enabled", "Suspended"})
			},
			steps: func(g *generator) []Step { return []Step{g.made(Launch, "trusted", "", ""), soon()} },
		},
	}
}
