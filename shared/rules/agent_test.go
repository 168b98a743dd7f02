package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

// lacking is a running Linux instance without the agent, that Cloud Assistant reaches.
func lacking() fleet.Instance {
	i := listed(trusted(), func(l *fleet.Listing) { l.OSType = "linux" })
	i.Agent = fleet.See(fleet.Agent{Known: true, Status: "offline", Sub: "uninstalled"})
	i.Assistant = fleet.See(fleet.Assistant{Online: true, Version: "2.2.3.900"})
	i.Invocations = fleet.See[[]fleet.Invocation](nil)
	return i
}

func guarding() *policy.Policy {
	p := enforcing()
	p.Agent.Mode, p.Agent.Deadline, p.Agent.TrustClient = policy.Enforce, time.Hour, true
	return p
}

// pushed is a run of a command that began that long before noon.
func pushed(command, status string, ago time.Duration) []fleet.Invocation {
	return []fleet.Invocation{{ID: "t-1", Command: command, Status: status, Created: noon.Add(-ago)}}
}

// since returns i as one that was created a day before noon, and whose agent and Cloud
// Assistant were last heard of that long before noon. Its message says how often it was
// checked.
func since(i fleet.Instance, ago time.Duration, n int) fleet.Instance {
	i.Ref.Try = fleet.Try{N: n}
	i.Listed.V.Created = noon.Add(-24 * time.Hour)
	i.Agent.V.LastOnline, i.Assistant.V.LastHeartbeat = noon.Add(-ago), noon.Add(-ago)
	return i
}

func TestTheAgentIsOnlineOrTheActionIsReported(t *testing.T) {
	agent := func(status, sub string) func(*fleet.Instance) {
		return func(i *fleet.Instance) { i.Agent.V.Known, i.Agent.V.Status, i.Agent.V.Sub = true, status, sub }
	}
	for name, tc := range map[string]struct {
		change  func(*fleet.Instance)
		ago     time.Duration
		tries   int
		want    fleet.Outcome
		changes []fleet.ChangeKind
		again   bool
		says    string
	}{
		"stopped":             {change: func(i *fleet.Instance) { i.Listed.V.Status = "Stopped" }, want: fleet.NotApplicable},
		"not read":            {change: func(i *fleet.Instance) { i.Agent = fleet.Unknown[fleet.Agent]("denied") }, want: fleet.Undecided},
		"not known, at first": {change: func(i *fleet.Instance) { i.Agent = fleet.See(fleet.Agent{}) }, want: fleet.Violation, changes: []fleet.ChangeKind{fleet.RefreshAssets}, again: true},
		"not known, the second time": {change: func(i *fleet.Instance) { i.Agent = fleet.See(fleet.Agent{}) }, ago: time.Minute, tries: 1,
			want: fleet.Violation, again: true},
		"not known, for an hour": {change: func(i *fleet.Instance) { i.Agent = fleet.See(fleet.Agent{}) }, ago: time.Hour, tries: 20, want: fleet.Violation, says: "posture scan"},
		"online":                 {change: agent("online", "online"), want: fleet.Passes},
		"paused":                 {change: agent("pause", "pause"), want: fleet.Violation, says: "resume"},
		"offline, just started":  {change: agent("offline", "offline"), ago: 4 * time.Minute, want: fleet.Pending, again: true},
		"offline, for long":      {change: agent("offline", "offline"), ago: 10 * time.Minute, tries: 4, want: fleet.Violation, says: "AliYunDun"},
		"offline, stopped there": {change: agent("offline", "stopped"), ago: 10 * time.Minute, tries: 4, want: fleet.Violation},
		"never seen":             {change: agent("", ""), want: fleet.Violation, changes: []fleet.ChangeKind{fleet.PushAgent}, again: true},
		"uninstalled":            {want: fleet.Violation, changes: []fleet.ChangeKind{fleet.PushAgent}, again: true},
		"uninstalled, assistant silent": {change: func(i *fleet.Instance) { i.Assistant.V.Online = false }, ago: 59 * time.Minute,
			want: fleet.Pending, again: true},
		"uninstalled, started a while ago, assistant silent for an hour": {change: func(i *fleet.Instance) {
			i.Assistant.V.Online = false
			i.Listed.V.Started = noon.Add(-10 * time.Minute)
		}, ago: time.Hour, want: fleet.Pending, again: true},
		"uninstalled, assistant never heard of on an old instance": {change: func(i *fleet.Instance) {
			i.Assistant = fleet.See(fleet.Assistant{})
		}, ago: time.Minute, want: fleet.Violation, says: "AliAqsInstall.sh"},
		"offline since before the instance was started": {change: func(i *fleet.Instance) {
			agent("offline", "offline")(i)
			i.Listed.V.Started = noon.Add(-4 * time.Minute)
		}, ago: time.Hour, want: fleet.Pending, again: true},
		"offline, and no API says since when": {change: func(i *fleet.Instance) {
			agent("offline", "offline")(i)
			i.Agent.V.LastOnline = time.Time{}
		}, ago: time.Hour, want: fleet.Pending},
		"offline, and a sweep found it so last night": {change: func(i *fleet.Instance) {
			agent("offline", "offline")(i)
			i.Agent.V.LastOnline = time.Time{}
			i.Found = fleet.See(map[string]time.Time{policy.RuleAgentOnline: noon.Add(-12 * time.Hour)})
		}, ago: time.Hour, want: fleet.Violation, says: "since 2026-11-20T00:00:00Z"},
		"offline, and a message says since when": {change: func(i *fleet.Instance) {
			agent("offline", "offline")(i)
			i.Agent.V.LastOnline, i.Ref.Try.FirstSeen = time.Time{}, noon.Add(-48*time.Hour)
		}, ago: time.Hour, tries: 39, want: fleet.Pending},
		"uninstalled, assistant silent for an hour": {change: func(i *fleet.Instance) { i.Assistant.V.Online = false },
			ago: time.Hour, tries: 9, want: fleet.Violation, says: "AliAqsInstall.sh"},
		"uninstalled on Windows, assistant silent for an hour": {change: func(i *fleet.Instance) {
			i.Assistant.V.Online = false
			i.Listed.V.OSType = "windows"
		}, ago: time.Hour, tries: 9, want: fleet.Violation, says: "AliAqsInstall.exe"},
		"uninstalled, no assistant in the region": {change: func(i *fleet.Instance) { i.Assistant = fleet.See(fleet.Assistant{Absent: true}) },
			want: fleet.Violation, says: "AliAqsInstall.sh"},
		"uninstalled, assistant not read": {change: func(i *fleet.Instance) { i.Assistant = fleet.Unknown[fleet.Assistant]("denied") }, want: fleet.Undecided},
		"uninstalled, pushes not read":    {change: func(i *fleet.Instance) { i.Invocations = fleet.Unknown[[]fleet.Invocation]("denied") }, want: fleet.Undecided},
		"uninstalled, system not known":   {change: func(i *fleet.Instance) { i.Listed.V.OSType = "" }, want: fleet.Undecided},
		"uninstalled, just launched": {change: func(i *fleet.Instance) { i.Listed.V.Created = noon.Add(-4 * time.Minute) },
			want: fleet.Pending, again: true, says: "SecurityEnhancementStrategy"},
		"uninstalled, launched a while ago": {change: func(i *fleet.Instance) { i.Listed.V.Created = noon.Add(-5 * time.Minute) },
			want: fleet.Violation, changes: []fleet.ChangeKind{fleet.PushAgent}, again: true},
		"a push runs": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(pushed(fleet.CommandAgentLinux, "Running", 20*time.Minute))
		}, want: fleet.Pending, again: true},
		"a push ended well, just now": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(pushed(fleet.CommandAgentLinux, "Success", 5*time.Minute))
		}, want: fleet.Pending, again: true},
		"a push ended well, and nothing came of it": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(pushed(fleet.CommandAgentLinux, "Success", 11*time.Minute))
		}, want: fleet.Violation, changes: []fleet.ChangeKind{fleet.PushAgent}, again: true},
		"pushed three times without effect": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(slices.Concat(pushed(fleet.CommandAgentLinux, "Failed", 11*time.Minute),
				pushed(fleet.CommandAgentLinux, "Timeout", 25*time.Minute), pushed(fleet.CommandAgentLinux, "Success", 50*time.Minute)))
		}, want: fleet.Violation, says: "AliAqsInstall.sh"},
		"another command runs": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(pushed(fleet.CommandTrustClient, "Running", time.Minute))
		}, want: fleet.Violation, changes: []fleet.ChangeKind{fleet.PushAgent}, again: true},
		"a node of ACK": {change: func(i *fleet.Instance) { i.Listed.V.Tags[fleet.TagACK] = "" }, want: fleet.Violation, again: true},
	} {
		t.Run(name, func(t *testing.T) {
			i := lacking()
			if tc.ago > 0 {
				i = since(i, tc.ago, tc.tries)
			}
			if tc.change != nil {
				tc.change(&i)
			}
			v := one(t, instances.Agent(world(i), guarding()), policy.RuleAgentOnline)
			sound(t, v)
			if v.Outcome != tc.want || !slices.Equal(kinds(v), tc.changes) || (v.Again > 0) != tc.again {
				t.Errorf("got %s %v, again after %v: %s", v.Outcome, kinds(v), v.Again, v.Reason)
			}
			if !strings.Contains(v.Reason+" "+v.Remedy, tc.says) {
				t.Errorf("says %q and %q, and not %q", v.Reason, v.Remedy, tc.says)
			}
		})
	}
}

func TestTheTrustClientIsInstalledOrTheActionIsReported(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*fleet.Instance)
		ago     time.Duration
		want    fleet.Outcome // empty: nothing is said
		changes []fleet.ChangeKind
		last    bool // no further check
		says    string
	}{
		"the published script": {change: func(i *fleet.Instance) { i.TrustScript = fleet.See("published") }, want: fleet.Passes},
		"our script":           {change: func(i *fleet.Instance) { i.TrustScript = fleet.See("fleetwarden") }, want: fleet.Passes},
		"no script":            {want: fleet.Violation, changes: []fleet.ChangeKind{fleet.PushTrustClient}},
		"user data not read":   {change: func(i *fleet.Instance) { i.TrustScript = fleet.Unknown[string]("denied") }, want: fleet.Undecided},
		"our tag":              {change: func(i *fleet.Instance) { i.Listed.V.Tags[instances.TagTrustClient] = "1" }, want: fleet.NotAssessable, says: "whoever may tag"},
		"Windows":              {change: func(i *fleet.Instance) { i.Listed.V.OSType = "windows" }, want: fleet.NotApplicable},
		"stopped":              {change: func(i *fleet.Instance) { i.Listed.V.Status = "Stopped" }},
		"the seventh family":   {change: func(i *fleet.Instance) { i.Listed.V.Family = "ecs.g7t" }, want: fleet.NotAssessable},
		"an ordinary family":   {change: func(i *fleet.Instance) { i.Listed.V.Family, i.Listed.V.Tags = "ecs.g6", nil }},
		"the command runs": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(pushed(fleet.CommandTrustClient, "Running", time.Minute))
		}, want: fleet.Pending},
		"the command succeeded": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(pushed(fleet.CommandTrustClient, "Success", time.Minute))
		}, want: fleet.Violation, changes: []fleet.ChangeKind{fleet.TagInstance}},
		"the command failed": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(pushed(fleet.CommandTrustClient, "Failed", time.Minute))
		}, want: fleet.Violation, says: "ended with Failed"},
		"the command failed a while ago": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(pushed(fleet.CommandTrustClient, "Failed", 20*time.Minute))
		},
			want: fleet.Violation, changes: []fleet.ChangeKind{fleet.PushTrustClient}},
		"the command failed three times": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(slices.Concat(pushed(fleet.CommandTrustClient, "Failed", 11*time.Minute),
				pushed(fleet.CommandTrustClient, "Failed", 25*time.Minute), pushed(fleet.CommandTrustClient, "Failed", 50*time.Minute)))
		}, want: fleet.Violation, says: "trust-client.sh"},
		"the command failed three times, the last just now": {change: func(i *fleet.Instance) {
			i.Invocations = fleet.See(slices.Concat(pushed(fleet.CommandTrustClient, "Failed", time.Minute),
				pushed(fleet.CommandTrustClient, "Failed", 25*time.Minute), pushed(fleet.CommandTrustClient, "Failed", 50*time.Minute)))
		}, want: fleet.Violation, last: true, says: "trust-client.sh"},
		"Cloud Assistant silent for an hour": {change: func(i *fleet.Instance) { i.Assistant.V.Online = false }, ago: time.Hour, want: fleet.Violation, says: "trust-client.sh"},
		"metadata by token, assistant too old": {change: func(i *fleet.Instance) {
			i.Listed.V.HTTPTokens = "required"
			i.Assistant = fleet.See(fleet.Assistant{Online: true, Version: "2.2.3.856"})
		}, want: fleet.Violation, says: "too old"},
		"metadata by token, assistant just new enough": {change: func(i *fleet.Instance) {
			i.Listed.V.HTTPTokens = "required"
			i.Assistant = fleet.See(fleet.Assistant{Online: true, Version: "2.2.3.857"})
		}, want: fleet.Violation, changes: []fleet.ChangeKind{fleet.PushTrustClient}},
	} {
		t.Run(name, func(t *testing.T) {
			i := listed(lacking(), func(l *fleet.Listing) { l.Type, l.Family, l.Tags = "ecs.g6t.large", "ecs.g6t", map[string]string{} })
			i.TrustScript = fleet.See("")
			if tc.ago > 0 {
				i = since(i, tc.ago, 9)
			}
			if tc.change != nil {
				tc.change(&i)
			}
			var got fleet.Verdict
			for _, v := range instances.Agent(world(i), guarding()) {
				if v.Rule == policy.RuleTrustClient {
					got = v
					sound(t, v)
				}
			}
			if got.Outcome != tc.want || !slices.Equal(kinds(got), tc.changes) {
				t.Errorf("got %q %v: %s", got.Outcome, kinds(got), got.Reason)
			}
			if tc.last && got.Again > 0 {
				t.Errorf("it is looked at again after %v", got.Again)
			}
			if !strings.Contains(got.Reason+" "+got.Remedy, tc.says) {
				t.Errorf("says %q and %q, and not %q", got.Reason, got.Remedy, tc.says)
			}
		})
	}
}

// A requested one-click installation is awaited like a push, and not repeated sooner; a
// message's number of tries has no effect.
func TestAOneClickInstallationIsWaitedForLikeAPush(t *testing.T) {
	p := guarding()
	p.Agent.Push = policy.PushOneClick
	for _, c := range []struct {
		runs []fleet.Invocation
		asks bool
		says string
	}{
		{nil, true, "not installed"},
		{pushed(fleet.CommandAgentLinux, fleet.RunOneClick, 5*time.Minute), false, "Security Center was asked"},
		{pushed(fleet.CommandAgentLinux, fleet.RunUnclear, 5*time.Minute), false, "may have been asked"},
		{pushed(fleet.CommandAgentLinux, fleet.RunOneClick, 11*time.Minute), true, "no API says how that ended"},
		{slices.Concat(pushed(fleet.CommandAgentLinux, fleet.RunOneClick, 11*time.Minute), pushed(fleet.CommandAgentLinux, fleet.RunOneClick, 25*time.Minute),
			pushed(fleet.CommandAgentLinux, fleet.RunOneClick, 50*time.Minute)), false, "pushed 3 times"},
	} {
		for n := range 9 {
			i := since(lacking(), 20*time.Minute, n)
			i.Invocations = fleet.See(c.runs)
			v := one(t, instances.Agent(world(i), p), policy.RuleAgentOnline)
			if asks := len(v.Changes) == 1; asks != c.asks || !strings.Contains(v.Reason, c.says) {
				t.Errorf("%v, look %d: %s %v: %s", c.runs, n, v.Outcome, kinds(v), v.Reason)
			}
		}
	}
}

func TestASelfManagedInstanceGetsNoTrustClient(t *testing.T) {
	i := listed(lacking(), func(l *fleet.Listing) { l.Family, l.Tags = "ecs.g6t", map[string]string{"trust-service": "self"} })
	i.TrustScript = fleet.See("")
	p := guarding()
	p.SelfManaged = []policy.Selector{{Tags: map[string]string{"trust-service": "self"}}}
	for _, v := range instances.Agent(world(i), p) {
		if v.Rule == policy.RuleTrustClient && (v.Outcome != fleet.NotApplicable || len(v.Changes) > 0) {
			t.Errorf("got %s %v", v.Outcome, kinds(v))
		}
	}
}

func TestOnlyWhatMayBePushedIsAskedMoreAbout(t *testing.T) {
	online := lacking()
	online.Agent = fleet.See(fleet.Agent{Known: true, Status: "online"})
	if instances.LacksAgent(&online) {
		t.Error("more is asked about an instance whose agent is online")
	}
	i := lacking()
	if !instances.LacksAgent(&i) {
		t.Error("nothing more is asked about an instance without the agent")
	}
}
