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
	nth      []int    // which of these calls it is; none: any, mostly the first
	world    func(*generator, *World)
	steps    func(*generator) []Step
}

// exercise is a drill with what goes wrong in it.
type exercise struct {
	drill
	mishap func(*generator) Step // nil for nothing
}

// here is where something may go wrong from then on; a drill without such a place has it at its
// beginning.
func here() Step { return Step{} }

// drills makes a history of drills, one after another, in a world in which nothing else is in
// the way.
func (g *generator) drills() {
	g.h.World = World{
		Mode: "enforce", Conflict: pick(g, "report", "grant", "replace"), Consequence: "none", TakeBack: "report", PerPass: 500, PerHour: 100, MaxChanges: 500, MaxPercent: 100,
		PercentAbove: 2, Budget: 1000, Push: "commands", Include: g.chance(0.3), Regions: []string{server.Home}, Propagation: pick(g, Duration(-1), 0), Nights: 1,
	}
	if g.chance(0.15) {
		g.withMembers(&g.h.World)
	}
	chosen := g.exercises()
	g.rnd.Shuffle(len(chosen), func(a, b int) { chosen[a], chosen[b] = chosen[b], chosen[a] })
	for _, x := range chosen {
		x.world(g, &g.h.World)
	}
	if g.chance(0.2) {
		g.h.Steps = g.fleet()
	}
	for _, x := range chosen {
		g.h.Steps = append(append(g.h.Steps, x.play(g)...), Step{Do: Faults})
	}
}

// round is how many histories there are until one of the same kind comes again: a long one, two
// of one exercise alone, one of shares and nine of instances.
const round = 13

// exercises are those of a history: one of each topic of instances, two of shares, in which the
// timer of watch-shares takes most of the time, or one that has to be alone. Seeds that follow
// each other take the exercises of a topic in turn, so that each has come after some hundreds.
func (g *generator) exercises() []exercise {
	about, seed := aboutOf(g.h.Seed)
	turn := seed / round
	next := func(topic []drill, n uint64) exercise {
		const stride = 7919 // a prime number: each comes once before one comes again
		all := exercises(about.of(topic))
		return all[n*stride%uint64(len(all))]
	}
	alone, together := slices.Concat(manyDrills(), longDrills()), slices.Concat(roleDrills(), consequenceDrills(), otherDrills())
	switch kind := seed % round; {
	case kind == 1 || kind == 2:
		return []exercise{next(alone, 2*turn+kind)}
	case kind == 3:
		return []exercise{next(shareDrills(), 2*turn), next(shareDrills(), 2*turn+1)}
	case about == 0:
		turn = 9*turn + kind
		return []exercise{next(roleDrills(), turn), next(consequenceDrills(), turn), next(otherDrills(), turn)}
	case kind > 8: // fewer come in question than of all functions
		return []exercise{next(alone, 4*turn+kind)}
	default:
		turn = 3 * (5*turn + kind)
		return []exercise{next(together, turn), next(together, turn+1), next(together, turn+2)}
	}
}

// about are the functions that a history is about, as bits above those of a seed; none: all.
type about uint64

const seedBits = 40

// actors are the functions and, as backfill, the operator's tool.
var actors = append([]string{"backfill"}, functions...)

func aboutOf(seed uint64) (about, uint64) { return about(seed >> seedBits), seed % (1 << seedBits) }

// with is a seed of a history about the functions.
func (a about) with(seed uint64) uint64 { return uint64(a)<<seedBits | seed%(1<<seedBits) }

// of are the drills about the functions; all where there is none.
func (a about) of(topic []drill) []drill {
	some := slices.DeleteFunc(slices.Clone(topic), func(d drill) bool { return a&(1<<slices.Index(actors, d.function)) == 0 })
	if len(some) == 0 {
		return topic
	}
	return some
}

// plain is how often a drill in which nothing goes wrong comes among the exercises.
const plain = 4

// exercises are the drills of a topic with each thing that can go wrong at each call.
func exercises(topic []drill) []exercise {
	var out []exercise
	for _, d := range topic {
		for _, action := range d.calls {
			for _, mishap := range mishaps(d, action) {
				out = append(out, exercise{d, mishap})
			}
		}
		if d.calls == nil {
			out = append(out, slices.Repeat([]exercise{{drill: d}}, plain)...)
		}
	}
	return out
}

// play is the steps of an exercise, with what goes wrong at one of the places for it.
func (x exercise) play(g *generator) []Step {
	steps := x.steps(g)
	var places []int
	for n, s := range steps {
		if s.Do == "" {
			places = append(places, n)
		}
	}
	if x.mishap != nil && places == nil {
		return append([]Step{x.mishap(g)}, steps...)
	}
	if x.mishap != nil {
		steps[pick(g, places...)] = x.mishap(g)
	}
	return slices.DeleteFunc(steps, func(s Step) bool { return s.Do == "" })
}

// mishaps are what can go wrong at a call of a drill, each with some choice.
func mishaps(d drill, action string) []func(*generator) Step {
	function := d.function
	if d.nth == nil {
		d.nth = []int{1, 1, 1, 1, 1, 2, 2, 3, 4, 6} // most are made once
	}
	nth := func(g *generator) int { return pick(g, d.nth...) }
	death := func(after, interrupt bool) func(*generator) Step {
		return func(g *generator) Step {
			return Step{Do: Kill, Function: function, Action: action, Call: nth(g), After: after, Interrupt: interrupt}
		}
	}
	fault := func(counts []int, kinds ...simcloud.FaultKind) func(*generator) Step {
		return func(g *generator) Step {
			f := simcloud.Fault{Role: "fleetwarden-" + function, Action: action, Skip: nth(g) - 1, Count: pick(g, counts...), Kind: pick(g, kinds...)}
			if len(g.h.World.Members) > 0 && g.chance(0.5) {
				f.Role = stack.Member
			}
			return Step{Do: Faults, Faults: []simcloud.Fault{f}}
		}
	}
	most := 8
	if function == "backfill" {
		most = 6 // a person's tool waits in real time
	}
	untilTheyEnd := []int{0}
	all := []func(*generator) Step{
		death(false, false), death(true, false),
		fault([]int{1, most}, simcloud.TimeoutAfter, simcloud.Empty),
		fault([]int{1, most, most}, simcloud.Throttle, simcloud.Unavailable, simcloud.InternalError, simcloud.TimeoutBefore),
		fault(untilTheyEnd, simcloud.Deny),
	}
	if function == "backfill" {
		return append(all, death(false, true), death(true, true))
	}
	return append(all, func(g *generator) Step {
		return Step{Do: Jump, Function: function, Action: action, Call: nth(g), For: Duration(pick(g, 90*time.Second, 40*time.Minute))}
	})
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

// unprotected are instances without the agent.
func (g *generator) unprotected() Step {
	s := g.made(pick(g, Launch, Seed), pick(g, "ordinary", "trusted", "sixth"), "", "")
	if s.Do == Seed {
		s.Agent = "uninstalled"
	}
	return s
}
