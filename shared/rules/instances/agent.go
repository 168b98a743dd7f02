package instances

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/verdict"
)

const (
	// settling is how long a newly started instance may take to show its agent: one that
	// was installed, or one that its launch brings (SecurityEnhancementStrategy).
	settling = 5 * time.Minute
	// installing is how long an installation and Security Center's lag may take: about
	// five minutes each.
	installing = 10 * time.Minute
	// maxPushes is how often an hour an agent is pushed to one instance: an installer that
	// succeeds without an online agent will not help the fourth time.
	maxPushes = 3
	// refreshEvery is the number of checks between two refreshes of Security Center's asset
	// list.
	refreshEvery = 4
	// refreshLooks is how often an old instance that is missing in Security Center is
	// checked after a refresh.
	refreshLooks = 8
)

// postureItem is the check of Security Center's posture scan that finds the same.
const postureItem = `"Security Center client status check" (configuration risks of cloud products)`

// Agent decides control agent: each running instance has Security Center's agent
// online, and the sixth generation's trusted instances have the trust client.
func Agent(w *fleet.World, p *policy.Policy) []fleet.Verdict {
	return judge(w, p, policy.ControlAgent, []rule{{policy.RuleAgentOnline, false, agentOnline}, {policy.RuleTrustClient, false, trustClient}})
}

// LacksAgent reports whether an instance may need a push, so that more facets of it are
// read.
func LacksAgent(i *fleet.Instance) bool {
	return !i.Agent.Seen() || notInstalled(i.Agent.V) || WantsTrustClient(i)
}

// notInstalled: offline alone does not mean "not installed". An agent that was never online
// counts as not installed.
func notInstalled(a fleet.Agent) bool {
	return a.Known && a.Status != "online" && a.Status != "pause" && (a.Sub == "" || a.Sub == "uninstalled")
}

// agentOnline evaluates a table; the first matching row decides.
func agentOnline(s *subject) fleet.Verdict {
	l, agent := s.inst.Listed.V, s.inst.Agent
	e := []fleet.Evidence{verdict.Observed("status", l.Status)}
	if agent.Seen() {
		e = append(e, verdict.Observed("agent", strings.TrimSuffix(agent.V.Status+"/"+agent.V.Sub, "/")))
	}
	switch {
	case l.Status != "Running":
		return verdict.NotApplicable("the instance is " + l.Status + "; it is checked when it runs")
	case !agent.Seen():
		return verdict.Undecided("what Security Center knows of the agent could not be read: " + agent.Why)
	case !agent.V.Known:
		return s.unknownAsset(e)
	case agent.V.Status == "online":
		return verdict.Passes("the agent is online", e...)
	case agent.V.Status == "pause":
		return verdict.Violation(fleet.Medium, "the agent is paused", "resume it in Security Center; it is not installed again", e...)
	case notInstalled(agent.V):
		return s.install(e)
	}
	return s.offline(e)
}

// unknownAsset: Security Center lists a new instance with a lag; a refresh can be
// requested. One that is missing long after its creation stays missing.
func (s *subject) unknownAsset(e []fleet.Evidence) fleet.Verdict {
	tries := s.inst.Ref.Try.N
	v := verdict.Violation(fleet.Low, "Security Center does not know the instance yet", "none: its assets are refreshed, and it is checked again", e...)
	v.Patience, v.Since = s.policy.Agent.Deadline, s.since(policy.RuleAgentOnline, s.inst.Listed.V.Created)
	v.Again = wait(tries + 1)
	refresh := tries%refreshEvery == 0
	if v.Matured(s.world.At) {
		v.Severity, v.Reason = fleet.High, "Security Center does not know the instance"
		v.Remedy = "refresh the assets in Security Center, and check that the account is the one that holds the instance; the posture scan's item is " + postureItem
		refresh = tries == 0
		if tries >= refreshLooks {
			v.Again = 0
		}
	}
	if refresh {
		account := fleet.Ref{Scope: s.inst.Ref.Scope, Kind: fleet.KindAccount}
		v.Changes = append(v.Changes, fleet.Change{Kind: fleet.RefreshAssets, Ref: account, Reason: v.Reason})
	}
	return v
}

// offline: installed, and not connected. Installing it once more would not help. The time
// counts from when it was last online or, since an agent needs some minutes after a start,
// from the instance's start.
func (s *subject) offline(e []fleet.Evidence) fleet.Verdict {
	v := verdict.Violation(fleet.High, "the agent is installed, but offline",
		"check that its processes AliYunDun and AliYunDunMonitor run, and that the instance reaches jsrv*.aegis.aliyun.com and update*.aegis.aliyun.com on TCP 80 and 443; it is not installed again", e...)
	v.Patience, v.Since = settling, s.since(policy.RuleAgentOnline, s.inst.Agent.V.LastOnline)
	switch {
	case v.Matured(s.world.At):
		v.Reason += since(v)
	case v.Since.IsZero():
		v.Outcome, v.Severity, v.Remedy, v.Reason = fleet.Pending, "", "", "the agent is installed and not online; since when is not known: "+s.beginning()
	default:
		v.Outcome, v.Severity, v.Remedy, v.Reason = fleet.Pending, "", "", "the agent is installed and not online yet"
		v.Again = v.Patience - s.world.At.Sub(v.Since)
	}
	return v
}

// since formats the start of a violation, for a reason.
func since(v fleet.Verdict) string { return " since " + v.Since.UTC().Format(time.RFC3339) }

// install: not installed. A push that was made is awaited; if no push is possible, the
// remedy is the command for a person.
func (s *subject) install(e []fleet.Evidence) fleet.Verdict {
	run, pushed := s.lastRun(fleet.CommandAgentLinux, fleet.CommandAgentWindows)
	if pushed {
		e = append(e, verdict.Observed("installation", run.Status))
		if !run.Final() || s.world.At.Sub(run.Created) < installing {
			return fleet.Verdict{Outcome: fleet.Pending, Evidence: e, Again: wait(s.inst.Ref.Try.N + 1),
				Reason: begun(run) + "; only its status in Security Center proves success"}
		}
	}
	if left := settling - s.age(); left > 0 {
		return fleet.Verdict{Outcome: fleet.Pending, Evidence: e, Again: left,
			Reason: "the agent is not installed yet; the launch may bring it (SecurityEnhancementStrategy)"}
	}
	v := verdict.Violation(fleet.High, "the agent is not installed", "none: Cloud Assistant installs it, where the policy enforces", e...)
	last := ""
	if pushed {
		last = "; " + outcome(run)
	}
	if s.inst.Assistant.V.Absent {
		v.Reason += ", and Cloud Assistant, which could install it, is not served in this region"
		v.Remedy = Manual(s.inst.Listed.V.OSType, run)
		return v
	}
	if n := s.runs(fleet.CommandAgentLinux, fleet.CommandAgentWindows); n >= maxPushes {
		v.Reason += fmt.Sprintf(", though it was pushed %d times in the last hour", n) + last
		v.Remedy = Manual(s.inst.Listed.V.OSType, run)
		return v
	}
	if v.Patience, v.Since = s.silence(); v.Matured(s.world.At) {
		v.Reason += "; Cloud Assistant, which could install it, is silent" + since(v) + last
		v.Remedy = Manual(s.inst.Listed.V.OSType, run)
		return v
	}
	v.Reason += last
	return s.push(v, fleet.Change{Kind: fleet.PushAgent, Ref: s.inst.Ref, Want: s.inst.Listed.V.OSType, Reason: "the agent is not installed"})
}

// push adds the change if Cloud Assistant can execute it; else the verdict is pending.
func (s *subject) push(v fleet.Verdict, c fleet.Change) fleet.Verdict {
	switch {
	case !s.inst.Assistant.Seen():
		v.Outcome, v.Reason = fleet.Undecided, v.Reason+"; Cloud Assistant could not be asked: "+s.inst.Assistant.Why
	case !s.inst.Invocations.Seen():
		v.Outcome, v.Reason = fleet.Undecided, v.Reason+"; what was pushed before could not be read: "+s.inst.Invocations.Why
	case s.inst.Assistant.V.Absent:
		v.Reason += "; Cloud Assistant, which could run it, is not served in this region"
	case s.inst.Listed.V.OSType != "linux" && s.inst.Listed.V.OSType != "windows":
		v.Outcome, v.Reason = fleet.Undecided, v.Reason+"; the operating system is not known"
	case !s.inst.Assistant.V.Online:
		v.Outcome, v.Reason, v.Again = fleet.Pending, v.Reason+"; Cloud Assistant is silent", wait(s.inst.Ref.Try.N+1)
	default:
		v = s.change(v, nil, c)
		v.Again = wait(s.inst.Ref.Try.N + 2)
	}
	return v
}

// silence returns the policy's patience with a silent Cloud Assistant, and since when it
// has been silent: its last heartbeat or, without one, the instance's creation; not before
// the instance was last started. Zero means not silent, or unknown.
func (s *subject) silence() (patience time.Duration, since time.Time) {
	a := s.inst.Assistant
	if !a.Seen() || a.V.Online {
		return 0, time.Time{}
	}
	beat := a.V.LastHeartbeat
	if beat.IsZero() {
		beat = s.inst.Listed.V.Created
	}
	return s.policy.Agent.Deadline, s.since(policy.RuleAgentOnline, beat)
}

// overdue reports whether the policy's patience with a silent Cloud Assistant has ended.
func (s *subject) overdue() bool {
	var v fleet.Verdict
	v.Patience, v.Since = s.silence()
	return v.Matured(s.world.At)
}

// lastRun is the newest of our runs of one of the commands.
func (s *subject) lastRun(commands ...string) (fleet.Invocation, bool) {
	for _, run := range s.inst.Invocations.V {
		if slices.Contains(commands, run.Command) {
			return run, true
		}
	}
	return fleet.Invocation{}, false
}

// runs counts our runs of commands in the last hour.
func (s *subject) runs(commands ...string) (n int) {
	for _, run := range s.inst.Invocations.V {
		if slices.Contains(commands, run.Command) {
			n++
		}
	}
	return n
}
