package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
)

// functions that events, messages and timers wake.
var functions = []string{"attach-role", "push-agent", "setup-share-role", "sweep", "validate-instance", "watch-shares"}

// moments are the calls at which a function is killed by name: around each write, a crash
// leaves most to be found again.
var moments = map[string][]string{
	"attach-role":       {"AttachInstanceRamRole", "DetachInstanceRamRole", "AttachPolicyToRole", "CreateRole", "CreatePolicy", "PutObject", "BatchSendMessage"},
	"push-agent":        {"InvokeCommand", "RunCommand", "OperateAgentClientInstall", "TagResources", "AddInstallCode", "RefreshAssets", "PutObject", "BatchSendMessage"},
	"setup-share-role":  {"CreateRole", "UpdateRole", "CreatePolicy", "CreatePolicyVersion", "AttachPolicyToRole", "DetachPolicyFromRole", "TagResources", "PutObject", "BatchSendMessage"},
	"sweep":             {"PutObject", "BatchSendMessage", "DescribeInstances", "DescribeDisks"},
	"validate-instance": {"TagResources", "StopInstances", "PutObject", "BatchSendMessage"},
	"watch-shares":      {"BatchSendMessage"},
	"backfill":          {"BatchSendMessage", "DetachInstanceRamRole", "AttachInstanceRamRole", "PutObject", "DescribeInstances", "DeleteMessage"},
}

// Generate makes the history of a seed.
func Generate(seed uint64) History {
	g := generator{rnd: rand.New(rand.NewPCG(seed, seed)), h: History{Seed: seed}}
	if about, n := aboutOf(seed); about != 0 || n%round != 0 { // a long one takes as much time as ten
		g.drills()
		return g.h
	}
	g.h.World = g.world()
	if g.chance(0.5) {
		g.h.Steps = g.fleet()
	}
	for n := len(g.h.Steps) + 4 + g.rnd.IntN(20); len(g.h.Steps) < n; {
		g.h.Steps = append(g.h.Steps, g.steps()...)
	}
	return g.h
}

type generator struct {
	rnd    *rand.Rand
	h      History
	groups []string // of instances
	shares []string
	hung   bool // a call hangs already
}

func pick[T any](g *generator, of ...T) T { return of[g.rnd.IntN(len(of))] }

func (g *generator) chance(p float64) bool { return g.rnd.Float64() < p }

func (g *generator) world() World {
	const hour, day = Duration(time.Hour), Duration(24 * time.Hour)
	w := World{
		Mode: "enforce", Conflict: pick(g, "report", "grant", "replace"), AttachAfter: pick(g, 0, 0, Duration(5*time.Minute)),
		Consequence: pick(g, "none", "tag", "stop"), Grace: pick(g, day, hour, 0, 0), TakeBack: pick(g, "report", "enforce"),
		PerPass: pick(g, 500, 500, 5, 1), PerHour: pick(g, 100, 100, 3), MaxChanges: pick(g, 500, 500, 500, 500, 4),
		MaxPercent: pick(g, 100, 100, 100, 20), PercentAbove: 2, Budget: pick(g, 1000, 1000, 1000, 20),
		Push: pick(g, "commands", "commands", "run-command", "one-click"), Findings: g.chance(0.25), Include: g.chance(0.3),
		Regions: []string{server.Home}, Propagation: pick(g, Duration(-1), 0, Duration(10*time.Minute)),
		ForeignRole: g.chance(0.1), ForeignPolicy: g.chance(0.05), Nights: 1 + g.rnd.IntN(3), Late: g.chance(0.4),
	}
	if g.chance(0.1) {
		w.Mode = "audit"
	}
	if g.chance(0.3) {
		w.Regions = append(w.Regions, server.Another)
	}
	if g.chance(0.2) {
		g.withMembers(&w)
	}
	if g.chance(0.25) {
		w.Approve = "directory"
	}
	if g.chance(0.06) {
		w.Versioning = pick(g, []string{"Enabled"}, []string{"Enabled", "Suspended"})
	}
	return w
}

// withMembers adds one or two member accounts.
func (g *generator) withMembers(w *World) {
	w.Members = pick(g, []string{server.Member}, []string{server.Member, server.Sharee})
	w.Directory, w.Wide = g.chance(0.4), g.chance(0.5)
}

// account is mostly a member, where there are any; home is the empty one.
func (g *generator) account() string {
	if len(g.h.World.Members) == 0 || g.chance(0.3) {
		return ""
	}
	return pick(g, g.h.World.Members...)
}

// steps are one step, or some that belong together.
func (g *generator) steps() []Step {
	if len(g.groups) > 0 && g.chance(0.06) {
		return g.twice()
	}
	return []Step{g.step()}
}

// step draws one of the steps that are possible now.
func (g *generator) step() Step {
	type choice struct {
		do     Do
		weight int
		make   func() Step
	}
	just := func(do Do) func() Step { return func() Step { return Step{Do: do} } }
	all := []choice{
		{Launch, 22, g.launch}, {Seed, 12, g.seed}, {Pass, 14, g.pass}, {Night, 9, just(Night)}, {Beside, 2, just(Beside)}, {Faults, 16, g.faults}, {Kill, 12, g.kill},
		{Long, 3, g.long}, {Share, 8, g.share}, {Redrive, 3, just(Redrive)}, {Race, 3, just(Race)}, {Dry, 2, just(Dry)}, {Garbage, 4, g.garbage}, {Jump, 3, g.jump},
	}
	if len(g.groups) > 0 {
		all = append(all, choice{Stop, 5, g.power}, choice{Detach, 7, g.edit}, choice{Agent, 5, g.agent}, choice{Forge, 3, g.forge}, choice{Claim, 3, g.claim},
			choice{Tokens, 6, g.tokens}, choice{Strip, 2, func() Step { return Step{Do: Strip, Account: g.account()} }}, choice{DryRun, 1, just(DryRun)}, choice{Plan, 5, g.plan}, choice{Undo, 2, just(Undo)})
	}
	if len(g.shares) > 0 {
		all = append(all, choice{Unshare, 4, func() Step { return Step{Do: Unshare, Group: pick(g, g.shares...)} }})
		if len(g.h.World.Regions) > 1 {
			all = append(all, choice{Narrow, 3, just(Narrow)})
		}
	}
	sum := 0
	for _, c := range all {
		sum += c.weight
	}
	n := g.rnd.IntN(sum)
	for _, c := range all {
		if n -= c.weight; n < 0 {
			return c.make()
		}
	}
	panic("unreachable")
}

func (g *generator) plan() Step {
	return Step{Do: Plan, Account: g.account(), Kind: pick(g, "instance-role", "instance-role", "agent"), Undone: g.chance(0.5)}
}

func (g *generator) function() string { return pick(g, append([]string{"backfill"}, functions...)...) }

func (g *generator) group() string {
	name := fmt.Sprintf("g%d", len(g.groups)+1)
	g.groups = append(g.groups, name)
	return name
}

// size is mostly small, and sometimes more than a batch, a window or a page.
func (g *generator) size() int {
	n := g.rnd.IntN(100)
	if g.h.World.PerPass < 500 {
		n = min(n, 89) // more would take days
	}
	if g.h.World.Versioning != nil {
		n = min(n, 59) // each is tried again and again
	}
	switch {
	case n < 60:
		return 1 + g.rnd.IntN(4)
	case n < 90:
		return 5 + g.rnd.IntN(40)
	case n < 99:
		return 90 + g.rnd.IntN(130)
	}
	return 1200
}

func (g *generator) launch() Step {
	s := Step{Do: Launch, Group: g.group(), Account: g.account(), Kind: pick(g, "trusted", "trusted", "trusted", "ordinary", "sixth", "created", "tagged"), N: g.size(), Region: g.region(),
		Role: pick(g, "", "", "", "app-role", "fit-role", "system-role", "unsure-role"), Disk: pick(g, "", "", "cloud_efficiency"), Tag: pick(g, "", "", "", "", "lab", "waived", "lapsed")}
	if s.Kind == "created" {
		s.N, s.Tag = 1, "" // CreateInstance is called without tags here
	}
	switch {
	case g.h.World.Wide && s.Account != "" && g.chance(0.5):
		s.By = stack.Member + ":alice"
	case g.chance(0.3):
		s.By = pick(g, "deployer:alice", "deployer:fleetwarden-attach-role")
	}
	return s
}

// region is mostly a guarded one.
func (g *generator) region() string {
	if g.chance(0.06) {
		return server.Another
	}
	return pick(g, g.h.World.Regions...)
}

func (g *generator) seed() Step {
	s := g.launch()
	s.Do, s.By, s.Kind = Seed, "", pick(g, "trusted", "trusted", "ordinary", "sixth", "scaled")
	s.Agent = pick(g, "online", "online", "uninstalled", "uninstalled", "never", "offline", "unknown")
	s.Assistant = pick(g, "running", "running", "running", "silent", "absent")
	return s
}

func (g *generator) pass() Step {
	return Step{Do: Pass, For: Duration(pick(g, 5*time.Second, 20*time.Second, time.Minute, 7*time.Minute, 30*time.Minute, 2*time.Hour, 9*time.Hour))}
}

func (g *generator) power() Step {
	return Step{Do: pick(g, Stop, Start, Release), Group: pick(g, g.groups...), N: 1 + g.rnd.IntN(5)}
}

func (g *generator) edit() Step {
	s := Step{Do: Detach, Group: pick(g, g.groups...), N: 1 + g.rnd.IntN(5)}
	if g.chance(0.4) {
		s.Do, s.Role = Attach, pick(g, "app-role", "fit-role", "unsure-role")
	}
	return s
}

func (g *generator) agent() Step {
	return Step{Do: Agent, Group: pick(g, g.groups...), N: 1 + g.rnd.IntN(5), Agent: pick(g, "uninstalled", "offline", "online")}
}

func (g *generator) tokens() Step {
	return Step{Do: Tokens, Group: pick(g, g.groups...), N: 1 + g.rnd.IntN(5), Kind: pick(g, "optional", "required")}
}

// share shares something new, or with another account what is shared already.
func (g *generator) share() Step {
	s := Step{Do: Share, Account: g.account(), Region: pick(g, g.h.World.Regions...), Kind: pick(g, "image", "snapshot"), With: pick(g, server.Sharee, server.Sharee, server.Member, server.Member, unapproved)}
	switch {
	case g.h.World.Approve != "": // nothing published says whether the directory has its management account in it
		if s.With == s.Account {
			s.With = unapproved
		}
	case s.With == s.Account, s.Account != "" && g.chance(0.3):
		s.With = server.Sharer
	}
	if len(g.shares) > 0 && g.chance(0.4) {
		s.Group = pick(g, g.shares...)
	} else {
		s.Group = fmt.Sprintf("s%d", len(g.shares)+1)
		g.shares = append(g.shares, s.Group)
	}
	return s
}

// several shares one resource with one account or, right after, with another one, too.
func (g *generator) several() []Step {
	first := g.share()
	first.With = server.Sharee
	if first.Account == server.Sharee {
		first.With = server.Member
	}
	out := []Step{first}
	if g.chance(0.6) && first.Account == "" {
		then := first
		then.With = server.Member
		out = append(out, then)
	}
	return out
}

func (g *generator) forge() Step {
	return Step{Do: Forge, Group: pick(g, g.groups...), Function: pick(g, "attach-role", "push-agent", "validate-instance")}
}

func (g *generator) claim() Step { return Step{Do: Claim, Group: pick(g, g.groups...)} }

func (g *generator) garbage() Step {
	return Step{Do: Garbage, Function: pick(g, "attach-role", "push-agent", "validate-instance", "setup-share-role"), Kind: pick(g, "text", "text", "newer")}
}

func (g *generator) long() Step {
	return Step{Do: Long, Function: pick(g, functions...), For: Duration(pick(g, 30*time.Second, 200*time.Second))}
}
