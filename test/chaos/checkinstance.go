package main

import (
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
)

func (p *player) roleOf(i *instance) string {
	now, _ := p.Server.ECS.Instance(i.account, i.region, i.id)
	return now.Role
}

// fit reports whether a role lets an instance report to Security Center's trusted system.
func (p *player) fit(account, role string) bool {
	if role == "" {
		return false
	}
	for name, kind := range p.policies(account, role) {
		switch {
		case name == "fit-systrust", name == ourPolicy, kind == "System" && name == "AliyunSysTrustFullAccess":
			return true
		}
	}
	return false
}

// checkLive checks, before a sweep of the end helps, what live events alone must bring: the
// role and the agent of what was launched, and the trust of what was shared.
func (p *player) checkLive() {
	if !p.enforced() || p.m.denied {
		return
	}
	for _, i := range p.m.instances {
		now, there := p.Server.ECS.Instance(i.account, i.region, i.id)
		if !there || !i.live || i.left || i.alone() || p.h.World.foreignPolicy(i.account) {
			continue
		}
		if (i.edits == 0 || i.again) && i.trusted() && i.role == "" && now.Role != systrust && !p.unreplayed(i.account) && !p.gaveUp(i, "attach-role") {
			p.wrong("%s (%s, %s) was launched and has the role %q after its events were worked on", i.id, i.kind, i.group, now.Role)
		}
		status, _, _ := p.Server.SAS.Agent(i.account, i.id)
		if now.Status == "Running" && i.breaks == 0 && status != "online" && !p.m.lost && p.pushes(i.account) && !p.gaveUp(i, "push-agent") {
			p.wrong("%s (%s, %s) was launched and its agent is %q after its events were worked on", i.id, i.kind, i.group, status)
		}
	}
	p.checkTrusted()
	p.checkJudged()
}

// gaveUp reports whether a function failed for about a day since a launch: then it leaves it to
// the sweep. Where a pass makes few changes, some may still wait for their turn.
func (p *player) gaveUp(i *instance, function string) bool {
	if p.h.World.PerPass < 500 && p.waits(i, function) {
		return true
	}
	return p.m.calm.Sub(i.born) > 20*time.Hour && p.m.met(function, "", "", i.born, p.m.calm)
}

// waits reports whether a message about an instance lies in a function's inbox.
func (p *player) waits(i *instance, function string) bool {
	inbox := mns.Queue{Account: server.Sharer, Region: i.region, Name: "fleetwarden-" + function}
	return strings.Contains(strings.Join(p.messages()[inbox.ARN()], "\n"), i.id)
}

// checkJudged: each function that a launch wakes said something of what was launched, unless a
// fault may have kept it from that. What one of them misses, another may hide.
func (p *player) checkJudged() {
	if p.m.lost || p.m.faulty {
		return
	}
	records, err := p.Records()
	if err != nil {
		p.wrong("reading the records: %v", err)
	}
	said := map[string]bool{}
	for _, r := range records {
		said[r["function"]+" "+r["id"]] = true
	}
	for _, i := range p.m.instances {
		now, there := p.Server.ECS.Instance(i.account, i.region, i.id)
		if !i.live || i.left || i.alone() || !i.trusted() || !there || now.Status != "Running" {
			continue
		}
		for _, function := range []string{"validate-instance", "attach-role", "push-agent"} {
			if !said[function+" "+i.id] {
				p.wrong("%s (%s, %s) of %s was launched, and %s said nothing of it after its events were worked on", i.id, i.kind, i.group, i.account, function)
			}
		}
	}
}

// unreplayed reports whether lost events of an account may stay lost until the next sweep:
// a replay reads the trail of the home account.
func (p *player) unreplayed(account string) bool { return p.m.lost && account != server.Sharer }

// checkRole: the role is as the policy says, or as others left it.
func (p *player) checkRole(i *instance, now ecs.InstanceState, said findings) {
	w, role := p.h.World, called(i.account, i.role)
	switch {
	case !i.trusted(), i.tag == "lab", i.outside:
		p.sameRole(i, now, "the policy leaves it alone")
	case role == "fit-role", role == "system-role":
		p.sameRole(i, now, "its role was fit")
	case i.role == "unsure-role":
		p.sameRole(i, now, "whether its role is fit cannot be determined")
		if got := said.outcome(i.id, "systrust-role"); got != "unknown" {
			p.wrong("%s: whether its role is fit cannot be determined, and the report of %s says %q", i.id, said.run, got)
		}
	case i.kind == "scaled", !p.enforced(), w.Conflict == "report" && i.role != "" && i.role != systrust:
		p.sameRole(i, now, "nothing may be changed of it")
		if !p.fit(i.account, now.Role) {
			p.wantFinding(i, now, "systrust-role", said)
		}
	case w.foreignPolicy(i.account):
		p.sameRole(i, now, "the policy with our name is foreign")
		p.wantFinding(i, now, "systrust-role", said)
	case role == "app-role" && w.Conflict == "grant":
		p.sameRole(i, now, "conflicts are granted")
		if !p.fit(i.account, now.Role) {
			p.wantFinding(i, now, "systrust-role", said)
			if !p.holds(i.account, "instance-role", said) {
				p.wrong("%s: its role %s was not granted our policy", i.id, now.Role)
			}
		}
	default:
		p.wantRole(i, now, said)
	}
}

func (p *player) sameRole(i *instance, now ecs.InstanceState, why string) {
	if now.Role != i.role {
		p.wrong("%s (%s, %s) has the role %q; others left %q there, and %s", i.id, i.kind, i.group, now.Role, i.role, why)
	}
}

func (p *player) wantFinding(i *instance, now ecs.InstanceState, rule string, said findings) {
	if !said.names(i.id, rule) {
		p.wrong("%s (%s, %s, %s, role %q): the report of %s has no finding of %s: %v", i.id, i.kind, i.group, now.Status, now.Role, said.run, rule, said.all[i.id][rule])
	}
}

func (p *player) wantRole(i *instance, now ecs.InstanceState, said findings) {
	switch {
	case now.Role == systrust && p.fit(i.account, systrust):
	case (now.Role == i.role || now.Role == systrust) && p.holds(i.account, "instance-role", said):
		p.wantFinding(i, now, "systrust-role", said)
	default:
		p.wrong("%s (%s, %s, %s) has the role %q (fit: %t), and nothing is held", i.id, i.kind, i.group, now.Status, now.Role, p.fit(i.account, now.Role))
	}
}

// pushes reports whether agents are pushed in an account: the fixed commands stand at home
// alone.
func (p *player) pushes(account string) bool {
	return account == server.Sharer || p.h.World.Push != "commands"
}

// checkAgent: the agent is online, or the report says why not.
func (p *player) checkAgent(i *instance, now ecs.InstanceState, said findings) {
	if now.Status != "Running" || i.tag == "lab" || i.outside {
		return
	}
	status, sub, known := p.Server.SAS.Agent(i.account, i.id)
	if status == "online" {
		return
	}
	got, old := said.outcome(i.id, "agent-online"), said.last.Sub(i.agentAt) > 2*day
	switch {
	case !said.names(i.id, "agent-online"):
		p.wrong("%s (%s, %s): its agent is %s/%s (known: %t), and the report of %s says %q of it", i.id, i.kind, i.group, status, sub, known, said.run, got)
	case i.assistant == "silent" || i.assistant == "absent":
		if got != "violation" && old {
			p.wrong("%s: its Cloud Assistant is %s for days, and the report of %s says %q of its agent", i.id, i.assistant, said.run, got)
		}
	case i.agent == "offline":
		if got != "violation" && old {
			p.wrong("%s: its agent is offline for days, and the report of %s says %q", i.id, said.run, got)
		}
	case p.enforced() && p.pushes(i.account) && i.kind != "scaled" && !p.holds(i.account, "agent", said):
		p.wrong("%s (%s, %s, agent made %q): Cloud Assistant runs, and the agent is %s/%s (known: %t); the report of %s says %q", i.id, i.kind, i.group, i.agent, status, sub, known, said.run, got)
	}
}

// checkRules: what is wrong about a trusted instance is named, and nothing else is.
func (p *player) checkRules(i *instance, now ecs.InstanceState, said findings) {
	exempt := i.judged() && i.disk != "cloud_essd" && (i.tag == "waived" || i.id == firstID)
	for _, rule := range []string{"system-disk", "imds"} {
		got := said.outcome(i.id, rule)
		switch {
		case rule == "system-disk" && exempt:
			if got != "exempt" {
				p.wrong("%s has a waiver for its disk, and the report of %s says %q", i.id, said.run, got)
			}
		case i.broken(rule) && got != "violation":
			p.wrong("%s (%s, %s, tag %s) breaks %s, and the report of %s says %q", i.id, i.kind, i.group, i.tag, rule, said.run, got)
		case !i.broken(rule) && got == "violation":
			p.wrong("%s (%s, %s) does not break %s, and the report of %s says that it does", i.id, i.kind, i.group, rule, said.run)
		}
	}
	for _, rule := range []string{"family", "image", "vpc", "kms-enabled"} {
		if said.outcome(i.id, rule) == "violation" {
			p.wrong("%s (%s, %s) violates %s by the report: %s", i.id, i.kind, i.group, rule, said.all[i.id][rule]["reason"])
		}
	}
	if i.broken("trusted-mode") && !said.names(i.id, "trusted-mode") {
		p.wrong("%s was made by CreateInstance, which sets no trusted mode, and the report of %s says %q of it", i.id, said.run, said.outcome(i.id, "trusted-mode"))
	}
	p.checkConsequence(i, now, said)
}

// checkConsequence: the consequence of a violation comes when its grace has ended, to what
// deserves it alone, and once.
func (p *player) checkConsequence(i *instance, now ecs.InstanceState, said findings) {
	w := p.h.World
	may := p.enforced() && w.Consequence != "none" && i.kind != "scaled"
	stops, tagged, last, suffered, stopped := 0, 0, time.Time{}, false, false
	for _, d := range p.diary.of(func(d deed) bool { return d.id == i.id && (d.stops() || d.tags()) }) {
		suffered, stopped = true, stopped || d.stops()
		switch {
		case d.function == "backfill": // what an operator undoes may come again
			stops, tagged, last = 0, 0, time.Time{}
			continue
		case d.stops():
			stops++
		case !d.at.Equal(last): // windows that are worked on at once may put one tag at once
			tagged, last = tagged+1, d.at
		}
		if !may || !p.matured(i, d.at) {
			p.wrong("%s (%s, %s, tag %s) suffered %s at %s: it breaks %v, the consequence is %s after %s", i.id, i.kind, i.group, i.tag, d.action,
				d.at.Format(time.RFC3339), i.spans, w.Consequence, time.Duration(w.Grace))
		}
	}
	switch {
	case stops > 1 || tagged > 1:
		p.wrong("%s was stopped %d times and tagged %d times", i.id, stops, tagged)
	case !stopped && now.Tags[tagStopped] != "":
		p.wrong("%s says that it was stopped, and it was not", i.id)
	}
	if rule := p.due(i, said); may && rule != "" && !p.holds(i.account, "trusted-instance", said) && !suffered && (w.Consequence == "tag" || now.Status == "Running") {
		p.wrong("%s (%s, %s) breaks %s for longer than its grace of %s, by the reports since %v, and suffered nothing", i.id, i.kind, i.group, rule, time.Duration(w.Grace), said.violations[i.id+" "+rule])
	}
}

// slack is how long after the end of a violation what was decided before may still come.
const slack = time.Hour

// matured reports whether a grace may have ended by a time: it begins with the first sweep
// after the rule was broken.
func (p *player) matured(i *instance, at time.Time) bool {
	for _, s := range i.spans {
		if !s.to.IsZero() && at.After(s.to.Add(slack)) {
			continue
		}
		if p.h.World.Grace == 0 && !at.Before(s.from) {
			return true
		}
		for _, began := range p.sweeps() {
			// A sweep that had begun before may still have found it.
			if began.After(s.from.Add(-slack)) && at.Sub(began) >= time.Duration(p.h.World.Grace)-second && at.Sub(s.from) >= time.Duration(p.h.World.Grace)-second {
				return true
			}
		}
	}
	return false
}

// early is how long before a grace ends a sweep leaves the end to the owner of the control.
const early = 30 * time.Minute

// due is a rule that is broken, and whose grace had ended, or soon ended, when the last sweep
// began: a grace begins when a sweep saw the violation. Where the sweep may have forgotten, only
// what it saw counts when nothing went wrong any more.
func (p *player) due(i *instance, said findings) string {
	for _, s := range i.spans {
		if !s.to.IsZero() || s.rule == "trusted-mode" {
			continue
		}
		for _, found := range said.violations[i.id+" "+s.rule] {
			counts := !found.Before(s.from) && (!p.m.forgetful || found.After(p.m.calm))
			if counts && said.last.Sub(found)+early >= time.Duration(p.h.World.Grace) {
				return s.rule
			}
		}
	}
	return ""
}
