package main

import (
	"slices"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
)

// drill is a situation in which a function has something to do. A history of it is short,
// and one thing goes wrong at one of the function's calls: what takes several rare steps to
// come together in a long history comes often here.
type drill struct {
	function string
	calls    []string // at which it goes wrong; none: nothing does
	world    func(*generator, *World)
	steps    func(*generator) []Step
	alone    bool // there is no other situation in the history
}

// drill makes a history of one situation or some, one after another, in a world in which
// nothing else is in the way.
func (g *generator) drill() {
	all := drills()
	g.theme = themes()[0]
	g.h.World = World{
		Mode: "enforce", Conflict: pick(g, "report", "grant", "replace"), Consequence: "none", TakeBack: "report", PerPass: 500, PerHour: 100, MaxChanges: 500, MaxPercent: 100,
		PercentAbove: 2, Budget: 1000, Push: "commands", Include: g.chance(0.3), Regions: []string{server.Home}, Propagation: pick(g, Duration(-1), 0), Nights: 1,
	}
	if g.chance(0.15) {
		g.withMembers(&g.h.World)
	}
	chosen := []drill{pick(g, all...), pick(g, all...), pick(g, all...)}
	if at := slices.IndexFunc(chosen, func(d drill) bool { return d.alone }); at >= 0 {
		chosen = chosen[at : at+1]
	}
	for _, d := range chosen {
		d.world(g, &g.h.World)
	}
	if g.chance(0.2) {
		g.h.Steps = g.fleet()
	}
	for _, d := range chosen {
		steps := d.steps(g)
		if len(d.calls) > 0 {
			steps = slices.Insert(steps, g.rnd.IntN(len(steps)), g.trouble(d))
		}
		g.h.Steps = append(append(g.h.Steps, steps...), Step{Do: Faults})
	}
}

// trouble is one thing that goes wrong at one of the calls of a drill.
func (g *generator) trouble(d drill) Step {
	action, nth := pick(g, d.calls...), pick(g, 1, 1, 1, 2, 2, 3, 4, 5, 6)
	switch n := g.rnd.IntN(10); {
	case n < 4:
		kill := Step{Do: Kill, Function: d.function, Action: action, Call: nth, After: g.chance(0.5)}
		kill.Interrupt = d.function == "backfill" && g.chance(0.5)
		return kill
	case n == 4:
		return Step{Do: Jump, Function: d.function, Action: action, Call: nth, For: Duration(pick(g, 90*time.Second, 40*time.Minute))}
	}
	f := simcloud.Fault{Role: "fleetwarden-" + d.function, Action: action, Skip: nth - 1, Count: pick(g, 1, 4, 8), Kind: pick(g, simcloud.TimeoutAfter,
		simcloud.TimeoutBefore, simcloud.Empty, simcloud.Throttle, simcloud.Unavailable, simcloud.InternalError, simcloud.Deny, simcloud.Deny)}
	if f.Kind == simcloud.Deny {
		f.Count = 0 // until the faults end
	}
	if len(g.h.World.Members) > 0 && g.chance(0.5) {
		f.Role = stack.Member
	}
	if d.function == "backfill" {
		f.Count = min(f.Count, 4) // a person's tool waits in real time
	}
	return Step{Do: Faults, Faults: []simcloud.Fault{f}}
}

// made is a group of some instances.
func (g *generator) made(do Do, kind, role, disk string) Step {
	s := g.launch()
	if do == Seed {
		s = g.seed()
		s.Assistant = "running"
	}
	s.Kind, s.Role, s.Disk, s.Tag, s.Region, s.N = kind, role, disk, "", pick(g, g.h.World.Regions...), 1+g.rnd.IntN(8)
	return s
}

// fleet is what stands there before: a few instances of each kind.
func (g *generator) fleet() []Step {
	var out []Step
	for range 2 + g.rnd.IntN(5) {
		s := g.seed()
		s.N = 1 + g.rnd.IntN(3)
		out = append(out, s)
	}
	return out
}

// violating are instances that break a rule from their launch on.
func (g *generator) violating() []Step {
	return []Step{g.made(Launch, "trusted", "", "cloud_efficiency")}
}

// unprotected are instances without the agent.
func (g *generator) unprotected() []Step {
	s := g.made(pick(g, Launch, Seed), pick(g, "ordinary", "trusted", "sixth"), "", "")
	if s.Do == Seed {
		s.Agent = "uninstalled"
	}
	return []Step{s}
}
