package main

import (
	"time"

	"fleetwarden/deploy/local/simcloud/server"
)

func soon() Step   { return Step{Do: Pass, For: Duration(30 * time.Second)} }
func seldom() Step { return Step{Do: Pass, For: Duration(30 * time.Minute)} }
func night() Step  { return Step{Do: Night} }
func beside() Step { return Step{Do: Beside} }

func wide(w *World) { w.Regions = []string{server.Home, server.Another} }

// roleDrills are situations of instances' roles.
func roleDrills() []drill {
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
			function: "attach-role", // that another caller took, of an instance that starts again
			world:    func(*generator, *World) {},
			steps: func(g *generator) []Step {
				made := g.made(Launch, "trusted", "", "")
				return []Step{made, seldom(), {Do: Detach, Group: made.Group, N: 9}, {Do: Stop, Group: made.Group, N: 9}, soon(), {Do: Start, Group: made.Group, N: 9}, soon()}
			},
		},
		{
			function: "attach-role", // more than the limits let through
			world: func(g *generator, w *World) {
				w.Conflict, w.PerHour = "replace", pick(g, 3, 3, 5)
			},
			steps: func(g *generator) []Step {
				first := g.made(pick(g, Launch, Seed), "trusted", "app-role", "cloud_efficiency")
				then := g.made(Launch, "trusted", "app-role", "cloud_efficiency")
				then.Region = first.Region
				return []Step{{Do: Pass, For: Duration(g.rnd.IntN(60)) * Duration(time.Minute)}, first, seldom(), then, soon(), beside(), seldom()}
			},
		},
		{
			function: "backfill", calls: []string{"BatchSendMessage", "PutObject", "DescribeInstances", "GetRole"},
			world: func(g *generator, w *World) { w.Conflict = pick(g, "report", "replace") },
			steps: func(g *generator) []Step {
				plan := g.plan()
				apply := Step{Do: Apply, Undone: g.chance(0.5)}
				plan.Do = Draft
				return append(g.fleet(), here(), plan, pick(g, beside(), soon(), night()), here(), soon(), apply)
			},
		},
		{
			function: "backfill", calls: []string{"AttachInstanceRamRole", "DetachInstanceRamRole", "PutObject", "DescribeInstances", "DescribeInstanceRamRole"}, nth: []int{1, 1, 1, 2, 3},
			world: func(_ *generator, w *World) { w.Conflict = "replace" },
			steps: func(g *generator) []Step {
				made := g.made(Seed, "trusted", "app-role", "")
				return []Step{made, {Do: Again, Group: made.Group}, seldom(), here(), {Do: Undo}}
			},
		},
	}
}

// consequenceDrills are situations of what follows from a violation.
func consequenceDrills() []drill {
	launch := func(g *generator) Step { return g.made(Launch, "trusted", "", "cloud_efficiency") }
	violating := func(g *generator, then ...Step) []Step { return append([]Step{here(), launch(g)}, then...) }
	return []drill{
		{
			function: "validate-instance", calls: []string{"StopInstances", "TagResources", "PutObject", "DescribeDisks"},
			world: func(_ *generator, w *World) { w.Consequence = "stop" },
			steps: func(g *generator) []Step {
				return violating(g, soon(), pick(g, seldom(), night()), pick(g, soon(), beside()))
			},
		},
		{
			function: "validate-instance", calls: []string{"TagResources", "PutObject", "DescribeDisks"},
			world: func(_ *generator, w *World) { w.Consequence = "tag" },
			steps: func(g *generator) []Step {
				return violating(g, soon(), pick(g, seldom(), night()), pick(g, soon(), beside()))
			},
		},
		{
			function: "validate-instance", // of what a record claims
			world:    func(g *generator, w *World) { w.Consequence, w.Grace = pick(g, "tag", "stop"), 0 },
			steps: func(g *generator) []Step {
				made := g.made(Launch, "ordinary", "", "cloud_efficiency")
				return []Step{made, soon(), {Do: Claim, Group: made.Group}, soon()}
			},
		},
		{
			function: "validate-instance", // at the limits
			world: func(g *generator, w *World) {
				w.Consequence, w.Grace, w.PerHour = "stop", 0, pick(g, 3, 3, 5)
			},
			steps: func(g *generator) []Step { return violating(g, seldom(), launch(g), soon(), beside(), seldom()) },
		},
		{
			function: "sweep", calls: []string{"DescribeDisks", "BatchSendMessage", "PutObject", "GetObject"}, // of what it remembers
			world: func(g *generator, w *World) {
				w.Consequence, w.Grace = pick(g, "tag", "stop"), pick(g, Duration(time.Hour), Duration(day))
			},
			steps: func(g *generator) []Step {
				return []Step{g.made(Seed, "trusted", "", "cloud_efficiency"), here(), night(), here(), night(), {Do: Faults}}
			},
		},
	}
}

// otherDrills are situations of agents, and of what a sweep reports.
func otherDrills() []drill {
	steps := func(g *generator) []Step {
		made := g.unprotected()
		return []Step{here(), made, soon(), beside(), soon()}
	}
	return []drill{
		{
			function: "push-agent", calls: []string{"InvokeCommand", "PutObject", "DescribeInvocations"},
			world: func(_ *generator, w *World) { w.Push = "commands" }, steps: steps,
		},
		{
			function: "push-agent", calls: []string{"RunCommand", "PutObject"},
			world: func(_ *generator, w *World) { w.Push = "run-command" }, steps: steps,
		},
		{
			function: "push-agent", calls: []string{"OperateAgentClientInstall", "PutObject"},
			world: func(_ *generator, w *World) { w.Push = "one-click" }, steps: steps,
		},
		{
			function: "sweep", calls: []string{"PutObject", "BatchSendMessage", "DescribeInstances", "DescribeInstanceRamRole", "DescribeRegions"}, nth: []int{1, 2, 2, 2, 3, 4, 6},
			world: func(g *generator, w *World) {
				w.Findings = true
				if g.chance(0.3) {
					wide(w)
				}
			},
			steps: func(g *generator) []Step {
				return []Step{g.made(Seed, "trusted", "", pick(g, "", "cloud_efficiency")), here(), beside(), soon(), here(), night(), {Do: Faults}, pick(g, Step{Do: Redrive}, seldom())}
			},
		},
		{
			function: "sweep", calls: []string{"BatchSendMessage"}, nth: []int{1, 1, 2}, // of its notice: nothing is to be changed
			world: func(_ *generator, w *World) { w.Findings, w.Conflict = true, "report" },
			steps: func(g *generator) []Step {
				return []Step{g.made(Seed, "trusted", "app-role", "cloud_efficiency"), here(), night(), {Do: Faults}, seldom()}
			},
		},
		{
			function: "sweep", // of a fleet of all kinds
			world:    func(*generator, *World) {},
			steps: func(g *generator) []Step {
				return append(g.fleet(), pick(g, Step{Do: Dry}, beside(), night()), seldom())
			},
		},
		{
			function: "backfill", // of a plan that is old when it is applied
			world:    func(*generator, *World) {},
			steps: func(g *generator) []Step {
				made := g.unprotected()
				return []Step{made, seldom(), {Do: Draft, Kind: "agent", Account: made.Account}, pick(g, beside(), night()), soon(), {Do: Apply}}
			},
		},
	}
}

// shareDrills are situations of shares.
func shareDrills() []drill {
	twice := func(g *generator) []Step {
		steps := append([]Step{here()}, g.several()...)
		return append(append(append(steps, here(), seldom()), g.several()...), seldom())
	}
	return []drill{
		{
			function: "setup-share-role", calls: []string{"CreateRole", "UpdateRole", "CreatePolicy", "CreatePolicyVersion", "AttachPolicyToRole", "DetachPolicyFromRole", "PutObject"},
			world: func(g *generator, w *World) {
				w.TakeBack = pick(g, "enforce", "report")
				switch g.rnd.IntN(3) {
				case 0:
					wide(w)
				case 1:
					g.withMembers(w)
					w.Approve = "directory"
				}
			},
			steps: func(g *generator) []Step {
				return append(twice(g), Step{Do: Unshare, Group: pick(g, g.shares...)}, soon())
			},
		},
		{
			function: "watch-shares", calls: []string{"BatchSendMessage"},
			world: func(_ *generator, w *World) { wide(w) },
			steps: twice,
		},
	}
}
