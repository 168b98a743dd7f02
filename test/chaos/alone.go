package main

import (
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/stack"
)

// manyDrills are situations of many at once, which have to be alone.
func manyDrills() []drill {
	return []drill{
		{
			function: "attach-role", // with more messages that wait than one call takes, and a queue that refuses the rest
			world: func(_ *generator, w *World) {
				w.AttachAfter, w.PerPass, w.Propagation = Duration(5*time.Minute), 5, -1
			},
			steps: func(g *generator) []Step {
				var out []Step
				for range 22 + g.rnd.IntN(15) {
					s := g.made(Launch, "trusted", "", "")
					s.N = 1
					out = append(out, s)
				}
				refused := simcloud.Fault{Role: "fleetwarden-attach-role", Action: "BatchSendMessage", Skip: 1, Count: 8, Kind: pick(g, simcloud.Throttle, simcloud.Unavailable, simcloud.InternalError)}
				return append(out, soon(), Step{Do: Faults, Faults: []simcloud.Fault{refused}}, seldom())
			},
		},
		{
			function: "push-agent", calls: []string{"BatchSendMessage"}, // of more batches than one pass takes
			world: func(g *generator, w *World) { w.Budget = pick(g, 5, 20, 1000) },
			steps: func(g *generator) []Step {
				out := []Step{here()}
				for range 3 {
					s := g.made(Launch, "trusted", "", "")
					s.N = 90 + g.rnd.IntN(30)
					out = append(out, s)
				}
				return append(out, soon(), seldom())
			},
		},
		{
			function: "backfill", calls: []string{"DescribeInstances", "GetRole"}, // of more than one batch
			world: func(_ *generator, w *World) { w.Conflict, w.PerHour = "replace", 500 },
			steps: func(g *generator) []Step {
				made := g.made(Seed, "trusted", "", "")
				made.N = 101 + g.rnd.IntN(60)
				return []Step{made, {Do: Again, Group: made.Group}, seldom(), here(), {Do: Undo}}
			},
		},
	}
}

// longDrills are situations that others would disturb.
func longDrills() []drill {
	return []drill{
		{
			function: "attach-role", // of what a member's people launch, as the role that the functions assume there
			world: func(g *generator, w *World) {
				g.withMembers(w)
				w.Wide = true
			},
			steps: func(g *generator) []Step {
				made := g.made(Launch, "trusted", "", "")
				made.Account, made.By = g.h.World.Members[0], stack.Member+":alice"
				return []Step{made, soon(), seldom()}
			},
		},
		{
			function: "backfill", // of what was lost
			world:    func(*generator, *World) {},
			steps: func(g *generator) []Step {
				out := []Step{{Do: Faults, Events: simcloud.EventFaults{Lose: pick(g, 1, 0.5)}}}
				for range 3 + g.rnd.IntN(6) {
					out = append(out, g.made(Launch, "trusted", "", ""))
				}
				return append(out, soon())
			},
		},
		givenUp("sweep"),
		givenUp("attach-role", "push-agent", "validate-instance", "setup-share-role"),
		{
			function: "sweep", // by hand, of what drifted: others decide what becomes of it
			world:    func(*generator, *World) {},
			steps:    func(g *generator) []Step { return []Step{g.made(Seed, "trusted", "", ""), {Do: Dry}} },
		},
		{
			function: "setup-share-role", // after which a region is guarded no more
			world: func(_ *generator, w *World) {
				w.TakeBack, w.Nights = "enforce", 2
				wide(w)
			},
			steps: func(g *generator) []Step {
				steps := append(g.several(), seldom(), Step{Do: Ask})
				return append(append(steps, g.several()...), seldom(), Step{Do: Ask}, Step{Do: Narrow})
			},
		},
		{
			function: "attach-role", // with a ledger that does not keep what it is given
			world: func(g *generator, w *World) {
				w.Versioning = pick(g, []string{"Enabled"}, []string{"Enabled", "Suspended"})
			},
			steps: func(g *generator) []Step { return []Step{g.made(Launch, "trusted", "", ""), soon()} },
		},
	}
}

// givenUp is a situation of what failed for a day in one of some functions, and was given up.
func givenUp(functions ...string) drill {
	return drill{
		function: "backfill",
		world: func(g *generator, w *World) {
			w.Consequence = pick(g, "tag", "stop")
			wide(w)
		},
		steps: func(g *generator) []Step {
			denied := Step{Do: Faults, Faults: []simcloud.Fault{{Role: "fleetwarden-" + pick(g, functions...), Action: "PutObject", Kind: simcloud.Deny, Skip: g.rnd.IntN(3)}}}
			made := g.made(Launch, "trusted", "", "cloud_efficiency")
			return append([]Step{denied, made}, append(g.several(), soon(), night(), night(), Step{Do: Faults}, Step{Do: Redrive}, seldom())...)
		},
	}
}
