package why

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
	"fleetwarden/shared/rules/verdict"
)

var update = flag.Bool("update", false, "write the golden page")

var (
	noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	here = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
)

const mine = "i-bare"

// enforcing is a policy in which all controls of instances enforce, unless more says otherwise.
func enforcing(t *testing.T, more string) *policy.Policy {
	t.Helper()
	if more == "" {
		more = "controls: {trustedInstance: {mode: enforce}, instanceRole: {mode: enforce}, agent: {mode: enforce}, shareRole: {mode: enforce}}\n"
	}
	p, err := policy.Load("policy.yaml", []byte("version: 1\naccounts: [{id: \"1000000000000001\"}]\nregions: [cn-hangzhou]\n"+more))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sound are the facts of an instance that was launched a day ago, and with which nothing is wrong.
func sound(t *testing.T) *Facts {
	t.Helper()
	ref := fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: mine}
	return &Facts{
		Subject: Subject{Kind: fleet.KindInstance, ID: mine}, Ref: ref, Place: Place{Found: true, Looked: []fleet.Scope{here}}, Policy: enforcing(t, ""),
		Home: fleet.Scope{Account: here.Account, Region: "cn-beijing"}, At: noon,
		Listed:    fleet.See(fleet.Listing{Status: "Running", Type: "ecs.g7t.large", OSType: "linux", Created: noon.Add(-24 * time.Hour)}),
		Judged:    fleet.See(Judged{Verdicts: []fleet.Verdict{{Ref: ref, Control: policy.ControlAgent, Rule: policy.RuleAgentOnline, Outcome: fleet.Passes, Reason: "the agent is online"}}}),
		Role:      fleet.See("role"),
		Agent:     fleet.See(fleet.Agent{Known: true, Status: "online", Sub: "online"}),
		Assistant: fleet.See(fleet.Assistant{Online: true, Version: "2"}),
		Runs:      fleet.See[[]fleet.Invocation](nil),
		Calls:     fleet.See([]Call{{Time: noon.Add(-24 * time.Hour), Name: "RunInstances", Caller: "ram-user/ops"}}),
		Window:    Window{noon.Add(-25 * time.Hour), noon.Add(-23 * time.Hour)},
		Trails:    fleet.See([]trail.Trail{{Name: "trail", Logging: true}}),
		History:   fleet.See(ledger.Found{}),
		Found:     fleet.See(map[string]time.Time{}),
		Sweep:     fleet.See(Sweep{Run: "sweep-1", At: noon.Add(-10 * time.Hour), Swept: true}),
		Deployed:  fleet.See(Deployed{}),
		Pauses:    fleet.See(map[string]Pause{}),
		Spent:     map[string]fleet.Fact[Spent]{}, Passes: fleet.See[[]Record](nil),
	}
}

// bare is a violation: the instance has no role, and gets one.
func bare() fleet.Verdict {
	ref := fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: mine}
	return fleet.Verdict{Ref: ref, Control: policy.ControlInstanceRole, Rule: policy.RuleSystrustRole, Outcome: fleet.Violation, Severity: fleet.High,
		Reason: "the instance has no RAM role", Remedy: "attach it", Changes: []fleet.Change{{Kind: fleet.AttachRole, Ref: ref}}}
}

// agentless is a violation: no agent, which is pushed.
func agentless() fleet.Verdict {
	v := bare()
	v.Control, v.Rule, v.Reason = policy.ControlAgent, policy.RuleAgentOnline, "the agent is not installed"
	v.Changes[0].Kind = fleet.PushAgent
	return v
}

func (f *Facts) with(verdicts ...fleet.Verdict) { f.Judged = fleet.See(Judged{Verdicts: verdicts}) }

// ended is a batch of the ledger that ended so, that long before noon.
func ended(ago time.Duration, v fleet.Verdict, state fleet.State, why string) ledger.Batch {
	e := fleet.Entry{Function: fleet.Owner(v.Control), Time: noon.Add(-ago), Changes: []fleet.EntryChange{{Run: "run-1", ChangeRecord: fleet.ChangeRecord{
		Control: v.Control, Rule: v.Rule, Kind: v.Changes[0].Kind, Account: here.Account, Region: here.Region, RefKind: fleet.KindInstance, ID: mine}}}}
	if state == "" {
		return ledger.Batch{Intent: e}
	}
	last := e
	last.Changes = slices.Clone(e.Changes)
	last.Changes[0].State, last.Changes[0].Why = state, why
	return ledger.Batch{Intent: e, Last: &last}
}

func (f *Facts) recorded(batches ...ledger.Batch) {
	f.History = fleet.See(ledger.Found{Batches: batches, Listed: len(batches), Read: len(batches)})
}

const deniedText = "attaching the role: ecs:AttachInstanceRamRole: denied: Forbidden.RAM (HTTP 403): no"

// cases are worlds, each with the cause that is picked, parts of the first line, and parts of the
// third.
var cases = []struct {
	name, cause, says, todo string
	world                   func(t *testing.T, f *Facts)
}{
	{"all is fine", "in-order", "nothing is wrong: agent-online hold", "to do: nothing", func(*testing.T, *Facts) {}},
	{"ECS is throttled", "unread", "could not be determined: here: ecs:DescribeInstances: throttled", "ask again in a minute", func(_ *testing.T, f *Facts) {
		f.Place, f.Listed = Place{Unread: []Unread{{"here", "ecs:DescribeInstances: throttled: x"}}}, fleet.Unknown[fleet.Listing]("x")
	}},
	{"ECS may not be read", "unread", "could not be determined", "the right to ecs:DescribeInstances", func(_ *testing.T, f *Facts) {
		f.Place, f.Denied = Place{Unread: []Unread{{"here", "ecs:DescribeInstances: denied: x"}}}, []string{"ecs:DescribeInstances"}
	}},
	{"released", "released", "it was released at 2026-01-05T11:00:00Z by ram-user/ops (DeleteInstances)", "nothing", func(_ *testing.T, f *Facts) {
		f.Place.Found = false
		f.Calls.V = append(f.Calls.V, Call{Time: noon.Add(-time.Hour), Name: "DeleteInstances", Caller: "ram-user/ops"})
	}},
	{"released, by the ledger", "released", "it was there, and is not any more", "nothing", func(_ *testing.T, f *Facts) {
		f.Place.Found, f.Calls.V = false, nil
		f.recorded(ended(time.Hour, bare(), fleet.Done, ""))
	}},
	{"nowhere", "not-found", "no such instance in the 1 regions of account 1000000000000001", "fleetwarden why --account ID --region ID i-bare", func(_ *testing.T, f *Facts) {
		f.Place.Found, f.Calls.V = false, nil
	}},
	{"an account that is not the policy's", "out-of-scope", "account 1000000000000009 is not one of the policy", "add it to accounts", func(_ *testing.T, f *Facts) { f.Ref.Scope.Account = "1000000000000009" }},
	{"a region that is not guarded", "out-of-scope", "region cn-beijing is not one", "add it to regions", func(_ *testing.T, f *Facts) { f.Ref.Scope.Region = "cn-beijing" }},
	{"not judged", "unread", "its state could not be determined: ecs: busy", "ask again", func(_ *testing.T, f *Facts) { f.Judged = fleet.Unknown[Judged]("ecs: busy") }},
	{"off", "off", "are off: agent, instance-role, trusted-instance", "controls.agent.mode to audit or enforce", func(t *testing.T, f *Facts) {
		f.Policy = enforcing(t, "controls: {trustedInstance: {mode: off}, instanceRole: {mode: off}, agent: {mode: off}}\n")
	}},
	{"audit", "audit", "no RAM role (instance-role/systrust-role); control instance-role is in audit mode", "set controls.instanceRole.mode to enforce in the policy file, and deploy it: POLICY=FILE make deploy REGION=cn-hangzhou HOME_REGION=cn-beijing", func(t *testing.T, f *Facts) {
		f.Policy = enforcing(t, "controls: {trustedInstance: {mode: enforce}}\n")
		f.with(bare())
	}},
	{"audit, and enforced for others", "audit", "and enforceFor does not cover it", "add it to controls.instanceRole.enforceFor in the policy file, and deploy it: POLICY=FILE make deploy REGION=cn-hangzhou HOME_REGION=cn-beijing", func(t *testing.T, f *Facts) {
		f.Policy = enforcing(t, "controls: {instanceRole: {mode: audit, enforceFor: [{resourceGroups: [rg-1]}]}}\n")
		f.with(bare())
	}},
	{"audit, and enforced for it", "no-event", "", "", func(t *testing.T, f *Facts) {
		f.Policy = enforcing(t, "controls: {instanceRole: {mode: audit, enforceFor: [{resourceGroups: [rg-1]}]}}\n")
		f.Listed.V.ResourceGroup = "rg-1"
		f.with(bare())
	}},
	{"its role is also used by one that is not covered", "uncovered", "the control does not make the change: the role X is the account's, and enforceFor does not take all instances that have it: not i-2",
		"have controls.instanceRole.enforceFor in the policy file also take what that names, and deploy it: POLICY=FILE make deploy REGION=cn-hangzhou HOME_REGION=cn-beijing", func(t *testing.T, f *Facts) {
			f.Policy = enforcing(t, "controls: {instanceRole: {mode: audit, enforceFor: [{regions: [cn-hangzhou]}]}}\n")
			v := bare()
			v.Covered, v.Changes[0].Uncovered = true, "the role X is the account's, and enforceFor does not take all instances that have it: not i-2"
			f.with(v)
			f.Passes.V = []Record{{Time: noon.Add(-time.Minute), Function: fleet.FunctionAttachRole, Rule: "instance-role/systrust-role", State: "violation", Why: v.Reason}}
		}},
	{"one of its changes is made", "no-event", "", "", func(t *testing.T, f *Facts) {
		f.Policy = enforcing(t, "controls: {instanceRole: {mode: audit, enforceFor: [{regions: [cn-hangzhou]}]}}\n")
		v := bare()
		v.Covered, v.Changes = true, append(v.Changes, v.Changes[0])
		v.Changes[0].Covered, v.Changes[1].Uncovered = true, "not i-2"
		f.with(v)
	}},
	{"another policy was swept with", "policy-differs", "another policy file (0123456789ab, by the sweep sweep-1) than the one read here", "make deploy", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Sweep.V.Policy = "0123456789abcdef"
	}},
	{"another policy is deployed", "policy-differs", "another policy file (fedcba987654, by the deployment of 2026-01-05T11:00:00Z)", "make deploy", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Sweep.V.Policy, f.Deployed.V = f.Policy.Digest, Deployed{At: noon.Add(-time.Hour), Policy: "fedcba9876543210"}
	}},
	{"another policy is deployed in its region since before the sweep", "policy-differs", "another policy file (fedcba987654, by the deployment of 2026-01-03T12:00:00Z)", "make deploy", func(_ *testing.T, f *Facts) {
		f.with(bare()) // the sweep is of the home region, and has the policy of that
		f.Sweep.V.Policy, f.Deployed.V = f.Policy.Digest, Deployed{At: noon.Add(-48 * time.Hour), Policy: "fedcba9876543210"}
	}},
	{"another build is deployed, with other defaults", "no-event", "", "", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Build, f.Deployed.V = Build{Revision: "0123456789abcdef"}, Deployed{At: noon.Add(-time.Hour), Policy: "fedcba9876543210", Build: "v1.2-3-gabcdef1"}
	}},
	{"the same build is deployed, with another policy", "policy-differs", "another policy file", "make deploy", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Build, f.Deployed.V = Build{Revision: "0123456789abcdef"}, Deployed{At: noon.Add(-time.Hour), Policy: "fedcba9876543210", Build: "v1.2-3-g0123456-dirty"}
	}},
	{"the policy is deployed in its region, and the sweep has another", "no-event", "", "", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Sweep.V.Policy, f.Deployed.V = "0123456789abcdef", Deployed{At: noon.Add(-48 * time.Hour), Policy: f.Policy.Digest}
	}},
	{"the policy was deployed after the sweep", "no-event", "", "", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Sweep.V.Policy, f.Deployed.V = "0123456789abcdef", Deployed{At: noon.Add(-time.Hour), Policy: f.Policy.Digest}
	}},
	{"paused", "paused", "paused until 2026-01-05T13:00:00Z by ops (builds)", "fleetwarden resume --control instance-role --account 1000000000000001", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Pauses.V[policy.ControlInstanceRole] = Pause{noon.Add(time.Hour), "builds", "ops"}
	}},
	{"paused, and in audit mode", "audit", "audit mode", "enforce", func(t *testing.T, f *Facts) {
		f.Policy = enforcing(t, "controls: {trustedInstance: {mode: enforce}}\n")
		f.with(bare())
		f.Pauses.V[policy.ControlInstanceRole] = Pause{noon.Add(time.Hour), "builds", "ops"}
	}},
	{"another control is paused", "no-event", "", "", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Pauses.V[policy.ControlAgent] = Pause{Until: noon.Add(time.Hour)}
	}},
	{"the orders cannot be read", "pause-unread", "without that nothing is changed: an odd order", "", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Pauses = fleet.Unknown[map[string]Pause]("an odd order")
	}},
	{"a right is missing", "right-missing", "its role fleetwarden-attach-role lacks the right ecs:AttachInstanceRamRole", "make deploy", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.recorded(ended(time.Minute, bare(), fleet.Failed, deniedText), ended(time.Hour, bare(), fleet.Failed, deniedText))
	}},
	{"a right was missing", "no-event", "", "", func(_ *testing.T, f *Facts) { // another rule's change failed
		f.with(bare())
		f.recorded(ended(time.Minute, agentless(), fleet.Failed, deniedText))
	}},
	{"a right was missing before the deployment", "failed", "attach-role tried to repair it at 2026-01-04T16:00:00Z and failed: attaching the role: ecs:AttachInstanceRamRole: denied: Forbidden.RAM (HTTP 403): no; its region was deployed since, at 2026-01-05T11:00:00Z, which may have given the right",
		"--apply i-bare", func(_ *testing.T, f *Facts) {
			f.with(bare())
			f.recorded(ended(20*time.Hour, bare(), fleet.Failed, deniedText))
			f.Deployed.V = Deployed{At: noon.Add(-time.Hour), Policy: f.Policy.Digest}
		}},
	{"what its owner could not read before the deployment", "checked", "attach-role last checked it at 2026-01-05T10:00:00Z and found unknown: the role: ecs:DescribeInstanceRamRole: denied", "--apply i-bare", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Passes.V = []Record{{Time: noon.Add(-2 * time.Hour), Function: fleet.FunctionAttachRole, Rule: "instance-role/systrust-role", State: "unknown", Why: "the role: ecs:DescribeInstanceRamRole: denied: x"}}
		f.Deployed.V = Deployed{At: noon.Add(-time.Hour), Policy: f.Policy.Digest}
	}},
	{"a deployment gives no right in another account", "right-missing", "its role Member in account", "deploy/ram/member/policy.json", func(t *testing.T, f *Facts) {
		f.Home.Account, f.Policy = "1000000000000002", enforcing(t, "directory: {role: Member}\ncontrols: {instanceRole: {mode: enforce}}\n")
		f.with(bare())
		f.recorded(ended(20*time.Hour, bare(), fleet.Failed, deniedText))
		f.Deployed.V = Deployed{At: noon.Add(-time.Hour), Policy: f.Policy.Digest}
	}},
	{"it failed, and its owner came to something else since", "checked", "attach-role last checked it at 2026-01-05T11:59:00Z and found violation: it is held; before that, at 2026-01-04T16:00:00Z, it tried to repair it and failed: quota", "--apply i-bare", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.recorded(ended(20*time.Hour, bare(), fleet.Failed, "quota"))
		f.Passes.V = []Record{{Time: noon.Add(-time.Minute), Function: fleet.FunctionAttachRole, Run: "run-2", Rule: "instance-role/systrust-role", State: "violation", Why: "it is held"}}
	}},
	{"a right was missing, and its owner came to something else since", "checked", "and failed: attaching the role", "--apply i-bare", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.recorded(ended(20*time.Hour, bare(), fleet.Failed, deniedText))
		f.Passes.V = []Record{{Time: noon.Add(-time.Minute), Function: fleet.FunctionAttachRole, Run: "run-2", Rule: "instance-role/systrust-role", State: "violation", Why: "it is held"}}
	}},
	{"the pass that failed recorded what it found", "failed", "and failed: quota", "--apply i-bare", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.recorded(ended(time.Hour, bare(), fleet.Failed, "quota"))
		f.Passes.V = []Record{{Time: noon.Add(-59 * time.Minute), Function: fleet.FunctionAttachRole, Run: "run-1", Rule: "instance-role/systrust-role", State: "violation", Why: "no role"}}
	}},
	{"a right is missing abroad", "right-missing", "its role Member in account 1000000000000001 lacks", "deploy/ram/member/policy.json", func(t *testing.T, f *Facts) {
		f.Home.Account, f.Policy = "1000000000000002", enforcing(t, "directory: {role: Member}\ncontrols: {instanceRole: {mode: enforce}}\n")
		f.with(bare())
		f.recorded(ended(time.Minute, bare(), fleet.Failed, deniedText))
	}},
	{"no Cloud Assistant in the region", "product-missing", "is not served in cn-hangzhou", "attach it", func(_ *testing.T, f *Facts) {
		f.with(agentless())
		f.Assistant = fleet.See(fleet.Assistant{Absent: true})
	}},
	{"a push failed", "push-failed", "exit code 205: no site of the installer answered", "the instance gets no installer", func(_ *testing.T, f *Facts) {
		f.with(agentless())
		f.Runs.V = []fleet.Invocation{{Command: fleet.CommandAgentLinux, Status: "Failed", ExitCode: 205, ErrorCode: "ExitCodeNonzero", Created: noon}}
	}},
	{"a push failed in the installer", "push-failed", "exit code 3: the installer's own", "AliAqsInstall.sh", func(_ *testing.T, f *Facts) {
		f.with(agentless())
		f.Runs.V = []fleet.Invocation{{Command: fleet.CommandAgentLinux, Status: "Failed", ExitCode: 3, Created: noon}}
	}},
	{"a push did not arrive", "push-failed", "failed with DeliveryTimeout", "AliAqsInstall.sh", func(_ *testing.T, f *Facts) {
		f.with(agentless())
		f.Runs.V = []fleet.Invocation{{Command: fleet.CommandAgentLinux, Status: "Aborted", ErrorCode: "DeliveryTimeout", Created: noon}}
	}},
	{"Cloud Assistant was never there", "assistant-silent", "is not installed or has never sent a heartbeat", "start the Cloud Assistant client", func(_ *testing.T, f *Facts) {
		v := agentless()
		v.Outcome, v.Changes, v.Severity = fleet.Pending, nil, ""
		f.with(v)
		f.Agent, f.Assistant = fleet.See(fleet.Agent{Known: true}), fleet.See(fleet.Assistant{})
	}},
	{"Cloud Assistant is silent for too long", "assistant-silent", "its last heartbeat at 2026-01-05T10:00:00Z", "attach it", func(_ *testing.T, f *Facts) {
		v := agentless()
		v.Changes = nil
		f.with(v)
		f.Agent, f.Assistant = fleet.See(fleet.Agent{Known: true}), fleet.See(fleet.Assistant{Version: "2", LastHeartbeat: noon.Add(-2 * time.Hour)})
	}},
	{"Cloud Assistant is silent, and the control audits", "assistant-silent", "has never sent a heartbeat; and control agent is in audit mode, so that nothing is changed",
		"then set controls.agent.mode to enforce in the policy file, and deploy it: POLICY=FILE make deploy REGION=cn-hangzhou HOME_REGION=cn-beijing", func(t *testing.T, f *Facts) {
			f.Policy = enforcing(t, "controls: {agent: {mode: audit}}\n")
			v := agentless()
			v.Outcome, v.Changes, v.Severity = fleet.Pending, nil, ""
			f.with(v)
			f.Agent, f.Assistant = fleet.See(fleet.Agent{Known: true}), fleet.See(fleet.Assistant{})
		}},
	{"Cloud Assistant is silent, and the control is paused", "assistant-silent", "; and changes of control agent are paused until 2026-01-05T13:00:00Z by ops (builds)",
		"start the Cloud Assistant client", func(_ *testing.T, f *Facts) {
			v := agentless()
			v.Outcome, v.Changes, v.Severity = fleet.Pending, nil, ""
			f.with(v)
			f.Agent, f.Assistant = fleet.See(fleet.Agent{Known: true}), fleet.See(fleet.Assistant{})
			f.Pauses.V[policy.ControlAgent] = Pause{noon.Add(time.Hour), "builds", "ops"}
		}},
	{"a push failed, and the control is paused", "push-failed", "; and changes of control agent are paused until", "then wait for its end, or end it for this control and account: fleetwarden resume --control agent", func(_ *testing.T, f *Facts) {
		v := agentless()
		v.Changes = nil
		f.with(v)
		f.Runs.V = []fleet.Invocation{{Command: fleet.CommandAgentLinux, Status: "Failed", ExitCode: 205, Created: noon}}
		f.Pauses.V[policy.ControlAgent] = Pause{noon.Add(time.Hour), "builds", "ops"}
	}},
	{"pending, and the control audits", "waiting", "it is checked again; and control instance-role is in audit mode", "then set controls.instanceRole.mode to enforce", func(t *testing.T, f *Facts) {
		f.Policy = enforcing(t, "controls: {trustedInstance: {mode: enforce}}\n")
		v := bare()
		v.Outcome, v.Severity, v.Changes, v.Again = fleet.Pending, "", nil, time.Minute
		f.with(v)
	}},
	{"held by the sweep", "held", "a limit holds the change: 4 changes, more than maxChanges 3", "fleetwarden plan --account 1000000000000001 --region cn-hangzhou --control instance-role --part", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Sweep.V.Held = []report.Held{{Control: policy.ControlInstanceRole, Rule: policy.RuleSystrustRole, Why: "4 changes, more than maxChanges 3"}}
	}},
	{"others were held before it was launched", "no-event", "", "", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Listed.V.Created = noon.Add(-2 * time.Hour)
		f.Sweep.V.Held = []report.Held{{Control: policy.ControlInstanceRole, Rule: policy.RuleSystrustRole, Why: "4 changes, more than maxChanges 3"}}
	}},
	{"held before, and tried since", "failed", "attach-role tried to repair it at 2026-01-05T11:00:00Z and failed: quota", "fleetwarden check --account 1000000000000001 --region cn-hangzhou --control instance-role --apply i-bare", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Sweep.V.Held = []report.Held{{Control: policy.ControlInstanceRole, Why: "4 changes, more than maxChanges 3"}}
		f.recorded(ended(time.Hour, bare(), fleet.Failed, "quota"))
	}},
	{"held by the hour", "held", "maxPerHour 100 is used up in 1000000000000001/cn-hangzhou until 2026-01-05T12:10:00Z", "--part", func(_ *testing.T, f *Facts) {
		v := bare()
		v.Changes[0].Kind = fleet.ReplaceRole
		f.with(v)
		f.Spent[policy.ControlInstanceRole] = fleet.See(Spent{100, noon.Add(10 * time.Minute)})
	}},
	{"a pass has died", "interrupted", "attach-role began to repair it at 2026-01-05T11:00:00Z and recorded no outcome", "--apply i-bare", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.recorded(ended(time.Hour, bare(), "", ""))
	}},
	{"a pass is at work", "in-progress", "attach-role is at work on it since", "wait", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.recorded(ended(time.Minute, bare(), "", ""))
	}},
	{"a change does not show yet", "in-progress", "attach-role recorded attach-role started", "wait", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.recorded(ended(time.Minute, bare(), fleet.Started, "it does not show"))
	}},
	{"the trail is stopped", "trail-stopped", "no trail logs (trail)", "aliyun actiontrail StartLogging --Name trail --region cn-beijing", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Trails.V[0].Logging = false
	}},
	{"there is no trail", "trail-stopped", "no trail of ActionTrail covers the region", "make deploy", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Trails.V = nil
	}},
	{"the agent's owner goes by no launch", "no-event", "", "", func(_ *testing.T, f *Facts) {
		f.with(agentless())
		f.Trails.V = nil
	}},
	{"no event came", "no-event", "ActionTrail has its launch, and its event did not arrive", "--apply i-bare", func(_ *testing.T, f *Facts) { f.with(bare()) }},
	{"no event came, and no launch is known", "no-event", "no function has acted on it: its event did not arrive", "--apply i-bare", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Calls.V = nil
	}},
	{"a part of the ledger is gone", "unknown", "whether a function has acted on it is not known: a part of the ledger could not be read: ledger object x", "ask again", func(_ *testing.T, f *Facts) { // silence proves nothing
		f.with(bare())
		f.History.V.Unread = []error{&fleet.BadInput{Where: "ledger object x", What: "it is gone"}}
	}},
	{"the newest of a big ledger are read", "unknown", "no function has acted on it in the part of the ledger that was read, which begins at 2026-01-05T06:00:00Z",
		"read all of it since its launch: fleetwarden why --account 1000000000000001 --region cn-hangzhou --since 2026-01-04T12:00:00Z --most 20010 --within 10m i-bare", func(_ *testing.T, f *Facts) {
			f.with(bare())
			f.History.V = ledger.Found{Listed: 2001, Read: 2000, Since: noon.Add(-6 * time.Hour)}
		}},
	{"there was no time to read the ledger", "unknown", "in the part of the ledger that was read, which begins at 2026-01-05T11:00:00Z", "--most 20000 --within 10m i-bare", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.History.V = ledger.Found{Listed: 301, Read: 300, Since: noon.Add(-time.Hour), Late: true}
	}},
	{"its region was never deployed", "not-deployed", "the ledger has no deployment of cn-hangzhou, where the functions would repair it", "deploy its region: make deploy REGION=cn-hangzhou HOME_REGION=cn-beijing", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Deployed.V, f.Sweep.V.Policy = Deployed{Missing: true}, "0123456789abcdef"
	}},
	{"its region's deployment was removed", "not-deployed", "the deployment of cn-hangzhou, whose functions would repair it, was removed at 2026-01-05T11:00:00Z", "make deploy REGION=cn-hangzhou", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Deployed.V = Deployed{Missing: true, Removed: noon.Add(-time.Hour)}
		f.recorded(ended(2*time.Hour, bare(), fleet.Failed, "x"))
	}},
	{"it was removed, and in audit mode", "not-deployed", "; and control instance-role is in audit mode", "deploy its region: make deploy REGION=cn-hangzhou HOME_REGION=cn-beijing; then set controls.instanceRole.mode to enforce", func(t *testing.T, f *Facts) {
		f.Policy = enforcing(t, "controls: {trustedInstance: {mode: enforce}}\n")
		f.with(bare())
		f.Deployed.V = Deployed{Missing: true}
	}},
	{"functions work there, and no record says so", "failed", "attach-role tried to repair it", "--apply", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Deployed.V = Deployed{Missing: true}
		f.recorded(ended(2*time.Hour, bare(), fleet.Failed, "x"))
	}},
	{"nothing may be disturbed", "held", "a limit holds the change: maxPerHour is 0, so that no change is made that may disturb a workload", "--part", func(t *testing.T, f *Facts) {
		f.Policy = enforcing(t, "controls: {instanceRole: {mode: enforce, conflict: replace}}\nlimits: {maxPerHour: 0}\n")
		v := bare()
		v.Changes[0].Kind = fleet.DetachRole
		f.with(v)
		f.Spent[policy.ControlInstanceRole] = fleet.See(Spent{})
	}},
	{"no control judged it", "unread", "no control judged it, as if it was released meanwhile", "ask again in a minute", func(_ *testing.T, f *Facts) { f.with() }},
	{"the orders may not be read", "pause-unread", "could not be read", "give whom you work as the right to oss:ListObjects, and ask again", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Pauses, f.Denied = fleet.Unknown[map[string]Pause]("reading what is paused: oss:ListObjects: denied: x"), []string{"oss:ListObjects"}
	}},
	{"an order is broken", "pause-unread", "could not be read", "to do: remove ledger object control/0odd.json from the ledger's bucket", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Pauses, f.BadOrder = fleet.Unknown[map[string]Pause]("ledger object control/0odd.json: it is no order"), "ledger object control/0odd.json"
	}},
	{"its owner's records were not read to their end", "no-event", "or a pass that changed nothing says why in its log, which was not read to its end", "find out by fleetwarden doctor", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.MorePasses = []string{fleet.FunctionAttachRole}
	}},
	{"it is older than the part of the ledger that is searched", "unknown", "in the part of the ledger that was read, which begins at 2025-12-22T12:00:00Z",
		"--since 2025-12-06T12:00:00Z i-bare", func(_ *testing.T, f *Facts) {
			f.with(bare())
			f.Listed.V.Created, f.History.V.Since = noon.Add(-30*24*time.Hour), noon.Add(-14*24*time.Hour)
		}},
	{"the trail is stopped now, and an old launch is not in what was read", "unknown", "in the part of the ledger that was read", "--since", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Listed.V.Created, f.History.V.Since, f.Trails.V[0].Logging = noon.Add(-30*24*time.Hour), noon.Add(-14*24*time.Hour), false
	}},
	{"the ledger is not read", "unknown", "whether a function has acted on it is not known: the ledger could not be read: denied", "ask again", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.History = fleet.Unknown[ledger.Found]("denied")
	}},
	{"no event came, and the log is not read", "no-event", "or a pass that changed nothing says why in its log, which was not read", "--apply i-bare", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Passes, f.NoPasses = fleet.Fact[[]Record]{}, "there is no log store"
	}},
	{"its owner could not read", "right-missing", "attach-role checked it at 2026-01-05T11:00:00Z and could not read what it needs: its role fleetwarden-attach-role lacks the right ecs:DescribeInstanceRamRole", "make deploy", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Passes.V = []Record{{Time: noon.Add(-time.Hour), Function: fleet.FunctionAttachRole, Rule: "instance-role/systrust-role", State: "unknown", Why: "the role: ecs:DescribeInstanceRamRole: denied: x"}}
	}},
	{"its owner came to something else", "checked", "attach-role last checked it at 2026-01-05T11:00:00Z and found pending: too young", "--apply i-bare", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Passes.V = []Record{{Time: noon.Add(-time.Hour), Function: fleet.FunctionAttachRole, Rule: "instance-role/systrust-role", State: "pending", Why: "too young"}}
	}},
	{"fresh", "waiting", "about to be repaired by attach-role", "wait", func(_ *testing.T, f *Facts) {
		f.with(bare())
		f.Listed.V.Created = noon.Add(-time.Minute)
	}},
	{"pending", "waiting", "it is checked again", "wait", func(_ *testing.T, f *Facts) {
		v := bare()
		v.Outcome, v.Severity, v.Changes, v.Again = fleet.Pending, "", nil, time.Minute
		f.with(v)
	}},
	{"unknown", "unknown", "the role could not be read: ram:GetRole: denied", "the right to ram:GetRole", func(_ *testing.T, f *Facts) {
		v := bare()
		v.Outcome, v.Changes, v.Reason, v.Remedy = fleet.Undecided, nil, "the role could not be read: ram:GetRole: denied: x", ""
		f.with(v)
		f.Denied = []string{"ram:GetRole"}
	}},
	{"left to a person", "left-to-you", "no control repairs that: it is left to you", "attach it", func(_ *testing.T, f *Facts) {
		v := bare()
		v.Outcome, v.Changes = fleet.Conflict, nil
		f.with(v)
	}},
	{"exempt", "exempt", "exempt until 2026-12-31 by us", "remove the exemption", func(_ *testing.T, f *Facts) {
		v := bare()
		v.Outcome, v.Changes, v.Reason = fleet.Exempted, nil, "exempt until 2026-12-31 by us"
		f.with(v)
	}},
	{"excluded", "out-of-scope", "control instance-role does not apply to it: it is outside the scope of the policy", "change include or exclude", func(_ *testing.T, f *Facts) {
		f.with(fleet.Verdict{Control: policy.ControlInstanceRole, Rule: policy.RuleInstance, Outcome: fleet.NotApplicable, Reason: verdict.OutsideScope})
	}},
	{"ordinary", "out-of-scope", "no rule applies to it: not a trusted instance", "family ends in t", func(_ *testing.T, f *Facts) {
		f.with(fleet.Verdict{Control: policy.ControlInstanceRole, Rule: policy.RuleSystrustRole, Outcome: fleet.NotApplicable, Reason: "not a trusted instance"})
	}},
	{"an image that is not shared", "not-shared", "m-1 in 1000000000000001: it is not shared with any account", "nothing", func(_ *testing.T, f *Facts) {
		f.Subject, f.Ref = Subject{Kind: fleet.KindImageShare, Resource: "m-1"}, fleet.Ref{Scope: fleet.Scope{Account: here.Account}, Kind: fleet.KindImageShare}
		f.Judged = fleet.See(Judged{Shared: fleet.See(false)})
	}},
}

func TestEachCauseIsNamedInTheFirstThreeLines(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range cases {
		f := sound(t)
		c.world(t, f)
		p := Explain(f)
		covered[p.Cause.ID] = true
		if p.Cause.ID != c.cause || !strings.Contains(p.Lines[0], c.says) || !strings.HasPrefix(p.Lines[2], "to do: ") || !strings.Contains(p.Lines[2], c.todo) {
			t.Errorf("%s: cause %s, want %s\n  %s\n  %s\n  %s", c.name, p.Cause.ID, c.cause, p.Lines[0], p.Lines[1], p.Lines[2])
		}
		if c := p.Cause.Todo.Command; !regexp.MustCompile(`^(|(POLICY=FILE )?make deploy REGION=\S+ HOME_REGION=\S+|(fleetwarden|aliyun) [-:\w. ]+)$`).MatchString(c) {
			t.Errorf("no shell takes this as it stands: %s", c)
		}
		if !strings.Contains(p.Lines[1], "; next check: ") || strings.ContainsAny(strings.Join(p.Lines[:], ""), "\n") {
			t.Errorf("%s: %q", c.name, p.Lines)
		}
	}
	for _, c := range causes {
		if !covered[c.id] {
			t.Errorf("no world has the cause %s", c.id)
		}
	}
}

// A fact that is not known makes no instance sound: whatever else is read, the page never says
// that nothing is wrong of one with a violation, and says what is not known.
func TestWhatIsNotKnownIsNeverFine(t *testing.T) {
	hide := map[string]func(*Facts){
		"the role":                    func(f *Facts) { f.Role = fleet.Unknown[string]("hidden") },
		"the agent":                   func(f *Facts) { f.Agent = fleet.Unknown[fleet.Agent]("hidden") },
		"Cloud Assistant":             func(f *Facts) { f.Assistant = fleet.Unknown[fleet.Assistant]("hidden") },
		"our commands":                func(f *Facts) { f.Runs = fleet.Unknown[[]fleet.Invocation]("hidden") },
		"ActionTrail's records":       func(f *Facts) { f.Calls = fleet.Unknown[[]Call]("hidden") },
		"the trails":                  func(f *Facts) { f.Trails = fleet.Unknown[[]trail.Trail]("hidden") },
		"the ledger":                  func(f *Facts) { f.History = fleet.Unknown[ledger.Found]("hidden") },
		"the memory of the sweep":     func(f *Facts) { f.Found = fleet.Unknown[map[string]time.Time]("hidden") },
		"the newest sweep":            func(f *Facts) { f.Sweep = fleet.Unknown[Sweep]("hidden") },
		"the newest deployment":       func(f *Facts) { f.Deployed = fleet.Unknown[Deployed]("hidden") },
		"passes that changed nothing": func(f *Facts) { f.Passes = fleet.Unknown[[]Record]("hidden") },
		"the pauses":                  func(f *Facts) { f.Pauses = fleet.Unknown[map[string]Pause]("hidden") },
		"the verdicts":                func(f *Facts) { f.Judged = fleet.Unknown[Judged]("hidden") },
	}
	for _, c := range cases {
		for what, mask := range hide {
			f := sound(t)
			c.world(t, f)
			mask(f)
			p := Explain(f)
			if c.cause != "in-order" && p.Cause.ID == "in-order" {
				t.Errorf("%s, without %s: nothing is wrong", c.name, what)
			}
			if !slices.Contains(p.Unread, Unread{what, "hidden"}) || p.Complete() {
				t.Errorf("%s: %s is not named as not read: %v", c.name, what, p.Unread)
			}
		}
	}
}

// A part that was not read is named, so that silence is not taken for none.
func TestAPartThatWasNotReadIsNamed(t *testing.T) {
	for what, world := range map[string]func(*Facts){
		"the ledger before 2026-01-05T06:00:00Z: the newest 2000 batches were read, and there are more: give --most": func(f *Facts) {
			f.History.V = ledger.Found{Listed: 2001, Read: 2000, Since: noon.Add(-6 * time.Hour)}
		},
		"the ledger before 2026-01-05T11:00:00Z: the time was up with the newest 300 batches read: give --within": func(f *Facts) {
			f.History.V = ledger.Found{Listed: 301, Read: 300, Since: noon.Add(-time.Hour), Late: true}
		},
		"a part of ActionTrail's records: there are more than 4 pages of them about the time of its creation": func(f *Facts) { f.MoreCalls = true },
	} {
		f := sound(t)
		world(f)
		p := Explain(f)
		if p.Complete() || len(p.Unread) != 1 || p.Unread[0].What+": "+p.Unread[0].Why != what {
			t.Errorf("%s: %+v", what, p.Unread)
		}
	}
}

// Records that were left out are no failure: there may be thousands, and the newest count.
func TestOlderRecordsThatWereNotReadAreSaid(t *testing.T) {
	f := sound(t)
	f.MorePasses = []string{"attach-role", "push-agent"}
	if p := Explain(f); !p.Complete() || p.NoPasses != "the newest records alone were read of attach-role, push-agent" {
		t.Errorf("%+v", p)
	}
}

// The file at hand is deployed, and not that of the repository.
func TestTheCommandThatDeploysNamesTheFileAtHand(t *testing.T) {
	f := sound(t)
	f.File = "my.yaml"
	for _, c := range []string{f.deploy(), f.deployFile()} {
		if c != "POLICY=my.yaml make deploy REGION=cn-hangzhou HOME_REGION=cn-beijing" {
			t.Error(c)
		}
	}
}

func TestThePageSaysSinceWhen(t *testing.T) {
	for name, c := range map[string]struct {
		world func(*Facts)
		want  string
	}{
		"by the memory": {func(f *Facts) {
			f.with(bare())
			f.Found.V[policy.RuleSystrustRole] = noon.Add(-10 * time.Hour)
		}, "since 2026-01-05T02:00:00Z (by the memory of the sweep); next check: by the nightly sweep, about 2026-01-06T02:00:00Z"},
		"by the cloud": {func(f *Facts) {
			v := bare()
			v.Since = noon.Add(-time.Hour)
			f.with(v)
		}, "since 2026-01-05T11:00:00Z (by what the cloud shows)"},
		"by the ledger": {func(f *Facts) {
			f.with(bare())
			f.recorded(ended(time.Minute, bare(), fleet.Failed, deniedText), ended(time.Hour, bare(), fleet.Failed, deniedText), ended(2*time.Hour, bare(), fleet.Done, ""))
		}, "since 2026-01-05T11:00:00Z (by the ledger)"},
		"not known": {func(f *Facts) { f.with(bare()) }, "since when is not known; created at 2026-01-04T12:00:00Z"},
		"an overdue sweep": {func(f *Facts) {
			f.with(bare())
			f.Sweep.V.At = noon.Add(-26 * time.Hour)
		}, "the nightly sweep, which is overdue: the last began at 2026-01-04T10:00:00Z"},
		"no sweep": {func(f *Facts) {
			f.with(bare())
			f.Sweep.V = Sweep{}
		}, "by the nightly sweep (the ledger has none that ended)"},
		"a recheck": {func(f *Facts) {
			v := bare()
			v.Again = 90 * time.Second
			f.with(v)
			f.Listed.V.Created = noon
		}, "next check: 1m30s after the last pass, or by the nightly sweep"},
	} {
		f := sound(t)
		c.world(f)
		if p := Explain(f); !strings.Contains(p.Lines[1], c.want) {
			t.Errorf("%s: %s", name, p.Lines[1])
		}
	}
}

// The most severe rule comes first, and of two the one whose control enforces: there it is a
// surprise that nothing is done. The others are listed with their own causes.
func TestTheFirstLineIsAboutTheWorst(t *testing.T) {
	f := sound(t)
	f.Policy = enforcing(t, "controls: {instanceRole: {mode: enforce}}\n")
	low := agentless()
	low.Severity = fleet.Low
	f.with(low, agentless(), bare())
	p := Explain(f)
	if p.Cause.Rule != "instance-role/systrust-role" || len(p.Also) != 2 || p.Also[0].ID != "audit" {
		t.Errorf("%s, %+v", p.Cause.Rule, p.Also)
	}
	f.Only = []string{policy.ControlAgent}
	if p := Explain(f); p.Cause.Rule != "agent/agent-online" || len(p.Controls) != 1 || len(p.Rules) != 2 {
		t.Errorf("of one control: %s, %+v", p.Cause.Rule, p.Controls)
	}
}

// Other programs read the page: members stay as they are.
func TestThePageIsStable(t *testing.T) {
	f := sound(t)
	again := bare()
	again.Again = time.Minute
	f.with(again, agentless(), fleet.Verdict{Control: policy.ControlAgent, Rule: policy.RuleTrustClient, Outcome: fleet.NotAssessable, Severity: fleet.Info, Reason: "no API shows it"})
	f.recorded(ended(time.Minute, bare(), fleet.Failed, deniedText))
	f.Found.V[policy.RuleSystrustRole] = noon.Add(-10 * time.Hour)
	f.Runs.V = []fleet.Invocation{{Command: fleet.CommandAgentLinux, Status: "Failed", ExitCode: 205, Created: noon.Add(-time.Minute)}}
	f.Pauses.V[policy.ControlAgent] = Pause{noon.Add(time.Hour), "builds", "ops"}
	f.Sweep.V.Held = []report.Held{{Control: policy.ControlInstanceRole, Why: "more than maxChanges 3", N: 4, Since: noon.Add(-10 * time.Hour)}}
	f.NoPasses = "the log store is not read"
	f.Passes.V = []Record{{noon, fleet.FunctionPushAgent, "run-2", "agent/agent-online", "", "pass", "the agent is online"}}
	f.Denied, f.Trails = []string{"actiontrail:DescribeTrails"}, fleet.Unknown[[]trail.Trail]("actiontrail:DescribeTrails: denied: x")
	got, err := json.MarshalIndent(Explain(f), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "page.json")
	if *update {
		if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestTheFormsOfIDs(t *testing.T) {
	for id, want := range map[string]Subject{
		"i-bp67acfmxazb4ph": {Kind: fleet.KindInstance, ID: "i-bp67acfmxazb4ph"},
		"m-bp1":             {Kind: fleet.KindImageShare, Resource: "m-bp1"},
		"s-bp1":             {Kind: fleet.KindSnapshotShare, Resource: "s-bp1"},
		"image-share":       {Kind: fleet.KindImageShare},
		"snapshot-share":    {Kind: fleet.KindSnapshotShare},
	} {
		if got, err := Parse(id); got != want || err != nil {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
	for _, id := range []string{"", "i-", "bp1", "sg-bp1", "i-a b", "i-../x", "fleet", "1000000000000001", "i-" + strings.Repeat("x", 70), "m-é"} {
		if got, err := Parse(id); err == nil {
			t.Errorf("%q: %+v", id, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, id := range []string{"i-bp67acfmxazb4ph", "m-1", "s-1", "image-share", "-", "i-\n"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		s, err := Parse(id)
		if err != nil {
			return
		}
		if name := s.name(); name != id || len(s.Controls()) == 0 || strings.ContainsAny(name, "\n\x1b ") {
			t.Errorf("%q is %+v", id, s)
		}
	})
}

func TestTheRightThatAnErrorNames(t *testing.T) {
	for why, want := range map[string]string{
		deniedText: "ecs:AttachInstanceRamRole",
		"asking: sas:DescribeInstallCodes: denied: NoPermission (HTTP 403)":            "yundun-sas:DescribeInstallCodes",
		"ecs:AttachInstanceRamRole: denied: InvalidUser.PassRoleForbidden: not passed": "ram:PassRole",
		"ecs:AttachInstanceRamRole: throttled: x":                                      "",
		"account 1 has no role to assume":                                              "",
		"it was denied":                                                                "",
		": denied":                                                                     "",
		"a:b:c: denied":                                                                "",
	} {
		if got := lacking(why); got != want {
			t.Errorf("%s: %q, want %q", why, got, want)
		}
	}
}

func FuzzLacking(f *testing.F) {
	f.Add(deniedText)
	f.Add("x: denied")
	f.Fuzz(func(t *testing.T, why string) {
		got := lacking(why)
		if product, action, ok := strings.Cut(got, ":"); got != "" && (!ok || product == "" || action == "" || strings.Contains(got, " ")) {
			t.Errorf("%q gives %q", why, got)
		}
	})
}

func ExampleTodo() {
	fmt.Println(Todo{Says: "deploy it", Command: "make deploy"})
	fmt.Println(Todo{Says: "nothing"})
	// Output:
	// deploy it: make deploy
	// nothing
}
