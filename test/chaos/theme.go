package main

import "fleetwarden/deploy/local/simcloud/server"

// theme is what a history is mostly about: what goes wrong then, goes wrong where it matters.
type theme struct {
	// functions are those that faults and deaths mostly meet.
	functions []string
	// more are steps that come more often.
	more map[Do]int
	// twice is the chance that one run changes something twice, and is undone.
	twice float64
	// world changes the world to fit.
	world func(*generator, *World)
}

// themes are those that a history may have; the first is about everything.
func themes() []theme {
	return []theme{
		{functions: append([]string{"backfill"}, functions...), twice: 0.03, world: func(*generator, *World) {}},
		{
			functions: []string{"attach-role"}, more: map[Do]int{Launch: 20, Faults: 10, Kill: 10, Race: 8, Detach: 10},
			world: func(g *generator, w *World) {
				w.Conflict, w.PerPass = pick(g, "replace", "replace", "grant"), pick(g, 500, 5)
			},
		},
		{
			functions: []string{"validate-instance", "sweep"}, more: map[Do]int{Seed: 20, Night: 25, Faults: 15, Tokens: 20, Claim: 8, Kill: 8},
			world: func(g *generator, w *World) { w.Consequence, w.Findings = pick(g, "tag", "stop"), g.chance(0.5) },
		},
		{
			functions: []string{"setup-share-role", "watch-shares"}, more: map[Do]int{Share: 40, Unshare: 15, Pass: 15, Narrow: 10, Faults: 8},
			world: func(g *generator, w *World) {
				w.TakeBack = pick(g, "enforce", "report")
				if g.chance(0.6) {
					w.Regions = []string{server.Home, server.Another}
				}
			},
		},
		{
			functions: functions, more: map[Do]int{Launch: 15, Share: 15, Plan: 8, Faults: 8},
			world: func(g *generator, w *World) { g.withMembers(w) },
		},
		{
			functions: []string{"push-agent"}, more: map[Do]int{Launch: 15, Seed: 15, Agent: 15, Kill: 15, Garbage: 10, Faults: 8},
			world: func(g *generator, w *World) { w.Push = pick(g, "commands", "one-click", "run-command") },
		},
		{
			functions: []string{"backfill", "attach-role"}, twice: 0.15, more: map[Do]int{Seed: 25, Plan: 30, Redrive: 10, Dry: 6, Faults: 15},
			world: func(*generator, *World) {},
		},
	}
}
