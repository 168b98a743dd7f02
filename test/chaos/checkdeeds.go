package main

import (
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
)

// checkDeeds: nothing was done twice, too early, beyond its limits or in audit.
func (p *player) checkDeeds() {
	all := p.diary.of(func(d deed) bool { return d.function != "backfill" })
	if !p.enforced() {
		for _, d := range all {
			p.wrong("the policy audits, and %s called %s %s", d.function, d.action, d.id)
		}
	}
	gains, first, role := map[string]int{}, map[string]time.Time{}, map[string]string{}
	for _, d := range all {
		if d.gained() && d.after.Role != role[d.id] { // of two calls that overlap, each begins before the other's end
			gains[d.id]++
			if first[d.id].IsZero() {
				first[d.id] = d.at
			}
		}
		role[d.id] = d.after.Role
	}
	for _, i := range p.m.instances {
		if got := gains[i.id]; got > 1+i.edits && p.h.World.Conflict != "replace" {
			p.wrong("%s (%s) was given a role %d times, and others changed it %d times", i.id, i.group, got, i.edits)
		}
		if at := first[i.id]; i.began == "" && !at.IsZero() && at.Sub(i.born) < time.Duration(p.h.World.AttachAfter) {
			p.wrong("%s was given a role %s after its launch; others have %s", i.id, at.Sub(i.born), time.Duration(p.h.World.AttachAfter))
		}
	}
	for function, action := range p.diary.whole.Range {
		p.wrong("%s called %s in a member with all that the role there may, whatever the function needs", function, action)
	}
	p.checkPushes()
	if p.m.leaps == 0 {
		p.checkBare("attach-role")
	}
	p.checkHour(all, "replace", func(d deed) bool { return d.function == "attach-role" && d.lostRole() })
	p.checkHour(all, "stop", deed.stops)
}

// checkBare: an instance from which a function took the role has one again at once, unless
// giving it one may have failed. Where others changed it meanwhile, that is theirs; where an
// undo has none to give back, there is none.
func (p *player) checkBare(function string) {
	taken := map[string]time.Time{}
	for _, d := range p.diary.of(func(d deed) bool { return d.gained() || d.lostRole() }) {
		if at, bare := taken[d.id]; bare && d.at.Sub(at) > p.longest(at) && !p.m.met(function, "ecs", "AttachInstanceRamRole", at, at) {
			p.wrong("%s took the role from %s, which had none for %s", function, d.id, d.at.Sub(at))
		}
		delete(taken, d.id)
		i := p.m.byID(d.id)
		if i != nil && i.edits == 0 && !i.released && d.function == function && d.after.Role == "" && (function != "backfill" || p.back[d.id] != "") {
			taken[d.id] = d.at
		}
	}
	for id, at := range taken {
		if !p.m.met(function, "ecs", "AttachInstanceRamRole", at, at) {
			p.wrong("%s took the role from %s, which has none", function, id)
		}
	}
}

// longest is how long two calls of one pass may be apart: the clock stands while functions
// work, unless an operator's command lets it run.
func (p *player) longest(at time.Time) time.Duration {
	if slices.ContainsFunc(p.m.hurried, func(s span) bool { return !at.Before(s.from) && !at.After(s.to) }) {
		return 5 * time.Minute
	}
	return second
}

// checkPushes: an agent that an installation brings is pushed once, and once more each time
// that others broke it, that it comes late for a leap of time, or that the instance was stopped
// for a violation: an undo may have started it again.
func (p *player) checkPushes() {
	pushes := map[string]int{}
	all, _ := p.Server.ECS.Commands().([]ecs.CommandState)
	for _, c := range all {
		if strings.HasPrefix(c.Name, "fleetwarden-agent-") || c.Name == "" && p.h.World.Push == "run-command" {
			for id := range c.Tasks {
				pushes[id]++
			}
		}
	}
	for id, n := range p.diary.clicks {
		pushes[id] += n
	}
	for _, i := range p.m.instances {
		n, stopped := pushes[i.id], p.diary.of(func(d deed) bool { return d.id == i.id && d.stops() })
		if n > 1+i.breaks+p.m.leaps+len(stopped) {
			p.wrong("the agent was pushed to %s (%s) %d times, and others broke it %d times", i.id, i.group, n, i.breaks)
		}
		if n > 0 && (i.tag == "lab" || i.outside && !i.left) {
			p.wrong("the agent was pushed to %s, which is out of scope", i.id)
		}
	}
}

// checkHour: within any hour, no more than maxPerHour in one region of an account.
func (p *player) checkHour(all []deed, what string, is func(deed) bool) {
	if p.m.leaps > 0 {
		return // what was allowed over hours may be done at once
	}
	for _, account := range p.h.World.accounts() {
		for _, region := range p.h.World.Regions {
			var times []time.Time
			for _, d := range all {
				if is(d) && d.before.Account == account && d.before.Region == region {
					times = append(times, d.at)
				}
			}
			for n := range times {
				if last := n + p.h.World.PerHour; last < len(times) && times[last].Sub(times[n]) < time.Hour {
					p.wrong("%d of kind %s within an hour in %s of %s, more than maxPerHour %d", p.h.World.PerHour+1, what, region, account, p.h.World.PerHour)
					break
				}
			}
		}
	}
}
