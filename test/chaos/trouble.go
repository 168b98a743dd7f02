package main

import (
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/stack"
)

// This file has the faults of a long history, and the steps that belong together.

// twice has one run change the same instances twice, with a user's edit between, and undone.
func (g *generator) twice() []Step {
	group := pick(g, g.groups...)
	wait := Step{Do: Pass, For: Duration(2 * time.Hour)}
	out := []Step{{Do: Again, Group: group}, wait, {Do: Detach, Group: group, N: 3}}
	if g.chance(0.4) {
		out = append(out, Step{Do: Attach, Group: group, N: 2, Role: "app-role"})
	}
	return append(out, Step{Do: Again, Group: group}, wait, Step{Do: Undo})
}

func (g *generator) kill() Step {
	s := Step{Do: Kill, Function: g.function(), After: g.chance(0.5)}
	switch g.rnd.IntN(4) {
	case 0:
		s.Call = 1 + g.rnd.IntN(25)
	case 1:
		s.Writes = 1 + g.rnd.IntN(4)
	default:
		s.Action = pick(g, moments[s.Function]...)
	}
	return s
}

func (g *generator) jump() Step {
	s := Step{Do: Jump, Function: g.function(), For: Duration(pick(g, 90*time.Second, 10*time.Minute, 40*time.Minute))}
	if g.chance(0.5) {
		s.Writes = 1 + g.rnd.IntN(3)
	} else {
		s.Call = 1 + g.rnd.IntN(25)
	}
	return s
}

// hang is a call that is not answered until its client gives up, which it does after half a
// minute of real time: one at most in a history, and in few of them.
func (g *generator) hang() (simcloud.Fault, bool) {
	if g.hung || !g.chance(0.02) {
		return simcloud.Fault{}, false
	}
	g.hung = true
	function := g.function()
	return simcloud.Fault{Role: "fleetwarden-" + function, Action: pick(g, moments[function]...), Kind: pick(g, simcloud.HangBefore, simcloud.HangAfter), Count: 1}, true
}

// faults go wrong for a function: at one of its writes, at a product, or at all of its calls.
// A third of these steps ends those of before and brings none.
func (g *generator) faults() Step {
	s := Step{Do: Faults}
	if g.chance(0.25) {
		return s
	}
	for range 1 + g.rnd.IntN(3) {
		s.Faults = append(s.Faults, g.fault())
	}
	if f, hangs := g.hang(); hangs {
		s.Faults = append(s.Faults, f)
	}
	if g.chance(0.3) {
		s.Events = simcloud.EventFaults{Duplicate: pick(g, 0, 0.5), Delay: pick(g, 0, 0.5), MaxDelay: pick(g, time.Minute, 3*time.Hour), Lose: pick(g, 0, 0, 0.3)}
	}
	return s
}

func (g *generator) fault() simcloud.Fault {
	function := g.function()
	f := simcloud.Fault{Role: "fleetwarden-" + function}
	if len(g.h.World.Members) > 0 && g.chance(0.3) {
		f.Role = stack.Member // whose function it is does not matter then
	}
	switch {
	case g.chance(0.6):
		f.Action = pick(g, moments[function]...)
		f.Kind = pick(g, simcloud.TimeoutAfter, simcloud.TimeoutAfter, simcloud.Empty, simcloud.TimeoutBefore, simcloud.Throttle, simcloud.Throttle, simcloud.Unavailable, simcloud.InternalError, simcloud.Deny)
	default:
		f.Product = pick(g, "", "ecs", "ram", "sas", "mns", "oss", "kms", "resourcesharing", "sts", "resourcemanager")
		f.Kind = pick(g, simcloud.Throttle, simcloud.Unavailable, simcloud.InternalError, simcloud.TimeoutBefore, simcloud.TimeoutAfter, simcloud.RepeatPage, simcloud.ExpiredPage, simcloud.ExpiredCredentials, simcloud.Deny)
	}
	switch {
	case f.Kind != simcloud.Deny && f.Kind != simcloud.TimeoutAfter && g.chance(0.9), g.chance(0.5):
		f.Skip, f.Count = g.rnd.IntN(3), 1+g.rnd.IntN(6)
	case g.chance(0.5):
		f.Probability = pick(g, 0.1, 0.3, 0.6)
	}
	return f // else each one, until the faults end: what is tried again costs real time
}
