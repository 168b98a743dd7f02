package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

// rule is the rule of the verdict, as records name it.
func (x view) rule() string {
	if x.v.Control == "" {
		return x.v.Rule
	}
	return x.v.Control + "/" + x.v.Rule
}

// but is the state, and what keeps it so.
func (x view) but(format string, args ...any) string {
	return fmt.Sprintf("%s (%s); ", x.v.Reason, x.rule()) + fmt.Sprintf(format, args...)
}

func (x view) saysReason() string { return fmt.Sprintf("%s (%s)", x.v.Reason, x.rule()) }

func (x view) saysUnread() string {
	u := x.Place.Unread[0]
	return fmt.Sprintf("whether it exists, and where, could not be determined: %s: %s", u.What, u.Why)
}

func (x view) saysUnjudged() string {
	return "its state could not be determined: " + cmp.Or(x.Judged.Why, "no control judged it, as if it was released meanwhile")
}

func (x view) saysReleased() string {
	for _, c := range slices.Backward(x.Calls.V) {
		if strings.HasPrefix(c.Name, "DeleteInstance") && c.ErrorCode == "" {
			return fmt.Sprintf("it was released at %s by %s (%s)", stamp(c.Time), c.Caller, c.Name)
		}
	}
	return "it was there, and is not any more: it was released"
}

func (x view) saysNotFound() string {
	return fmt.Sprintf("there is no such instance in %s, and neither the ledger nor ActionTrail knows it", x.looked())
}

// looked summarises the places that were searched.
func (x view) looked() string {
	var accounts []string
	for _, s := range x.Place.Looked {
		if !slices.Contains(accounts, string(s.Account)) {
			accounts = append(accounts, string(s.Account))
		}
	}
	noun := "account"
	if len(accounts) > 1 {
		noun = "accounts"
	}
	return fmt.Sprintf("the %d regions of %s %s", len(x.Place.Looked), noun, strings.Join(accounts, ", "))
}

func (x view) saysUnguarded() string {
	if !x.Policy.Knows(x.Ref.Scope.Account) {
		return fmt.Sprintf("account %s is not one of the policy: no control applies", x.Ref.Scope.Account)
	}
	return fmt.Sprintf("region %s is not one that the policy guards: no control applies", x.Ref.Scope.Region)
}

func (x view) saysOff() string {
	return fmt.Sprintf("the controls that would judge it are off: %s", strings.Join(x.controls(), ", "))
}

func (x view) saysUndeployed() string {
	region, d := x.deployedIn(), x.Deployed.V
	if d.Removed.IsZero() {
		return x.but("the ledger has no deployment of %s, where the functions would repair it", region)
	}
	return x.but("the deployment of %s, whose functions would repair it, was removed at %s", region, stamp(d.Removed))
}

func (x view) saysPolicy() string {
	by, other := x.otherPolicy()
	return x.but("the functions have another policy file (%.12s, by %s) than the one read here (%.12s), which may ask for something else", other, by, x.Policy.Digest)
}

func (x view) saysAudit() string { return x.but("%s", x.audits()) }

func (x view) audits() string {
	if x.Policy.Partly(x.v.Control) {
		return fmt.Sprintf("control %s is in audit mode, and enforceFor does not cover it, so that nothing is changed", x.v.Control)
	}
	return fmt.Sprintf("control %s is in audit mode, so that nothing is changed", x.v.Control)
}

// both also says what would stop the control once the cause at hand is gone.
func both(says func(view) string) func(view) string {
	return func(x view) string {
		text := says(x)
		if _, on := x.pause(); x.mode() == policy.Audit {
			text += "; and " + x.audits()
		} else if on {
			text += "; and " + x.pauses()
		}
		return text
	}
}

func (x view) saysUncovered() string {
	return x.but("the control does not make the change: %s", x.uncovered())
}

func (x view) saysPaused() string { return x.but("%s", x.pauses()) }

func (x view) pauses() string {
	p, _ := x.pause()
	return fmt.Sprintf("changes of control %s are paused until %s by %s (%s)", x.v.Control, stamp(p.Until), p.By, p.Reason)
}

func (x view) saysPauseUnread() string {
	return x.but("whether changes are paused could not be read, and without that nothing is changed: %s", x.Pauses.Why)
}

func (x view) saysLacks() string {
	if x.failure() == nil {
		return x.but("%s checked it at %s and could not read what it needs: its role %s lacks the right %s", x.said().Function, stamp(x.said().Time), x.role(), x.lacks())
	}
	return x.but("%s tried to repair it, and its role %s lacks the right %s", x.last().entry.Function, x.role(), x.lacks())
}

// role is the RAM role by which the control's owner acts on the subject.
func (x view) role() string {
	if x.Ref.Scope.Account != x.Home.Account {
		if role, ok := x.Policy.RoleIn(x.Ref.Scope.Account); ok {
			return role + " in account " + string(x.Ref.Scope.Account)
		}
	}
	return fleet.CloudName(fleet.Owner(x.v.Control))
}

func (x view) saysProduct() string {
	return x.but("Cloud Assistant, by which it would be repaired, is not served in %s", x.Ref.Scope.Region)
}

func (x view) saysPush() string {
	run, _ := x.failedRun()
	text := fmt.Sprintf("%s was pushed at %s and failed", run.Command, stamp(run.Created))
	if run.ErrorCode != "" {
		text += " with " + run.ErrorCode
	}
	if run.ExitCode == 0 {
		return fmt.Sprintf("the agent is not online (%s); %s", x.rule(), text)
	}
	meaning := instances.ExitMeaning(run.ExitCode)
	if meaning == "" {
		meaning = "the installer's own"
	}
	return fmt.Sprintf("the agent is not online (%s); %s, exit code %d: %s", x.rule(), text, run.ExitCode, meaning)
}

func (x view) saysSilent() string {
	a := x.Assistant.V
	switch {
	case a.Version == "":
		return x.but("Cloud Assistant, which would install it, is not installed or has never sent a heartbeat")
	case a.LastHeartbeat.IsZero():
		return x.but("Cloud Assistant, which would install it, has never sent a heartbeat")
	}
	return x.but("Cloud Assistant, which would install it, sent its last heartbeat at %s", stamp(a.LastHeartbeat))
}

func (x view) saysHeld() string { return x.but("a limit holds the change: %s", x.held()) }

func (x view) saysFailed() string {
	e := x.failure()
	text := x.but("%s tried to repair it at %s and failed: %s", e.entry.Function, stamp(e.at), e.Why)
	if lacking(e.Why) != "" && x.isDeployedSince(e.at) {
		text += fmt.Sprintf("; its region was deployed since, at %s, which may have given the right", stamp(x.Deployed.V.At))
	}
	return text
}

func (x view) saysInterrupted() string {
	e := x.last()
	return x.but("%s began to repair it at %s and recorded no outcome: its pass died, or could not write to the ledger", e.entry.Function, stamp(e.at))
}

func (x view) saysInProgress() string {
	e := x.last()
	if e.open {
		return x.but("%s is at work on it since %s", e.entry.Function, stamp(e.at))
	}
	text := x.but("%s recorded %s %s at %s, which may not show yet", e.entry.Function, e.Kind, e.State, stamp(e.at))
	if e.Why != "" {
		text += ": " + e.Why
	}
	return text
}

func (x view) saysTrailStopped() string {
	if len(x.Trails.V) == 0 {
		return x.but("no trail of ActionTrail covers the region, so that no launch there reaches the functions")
	}
	return x.but("no trail logs (%s), so that its launch did not reach the functions", x.Trails.V[0].Name)
}

func (x view) saysUnheard() string {
	text := x.but("no function has acted on it: ")
	if slices.ContainsFunc(x.Calls.V, Call.launches) {
		text += "ActionTrail has its launch, and its event did not arrive"
	} else {
		text += "its event did not arrive"
	}
	switch {
	case !x.Passes.Seen():
		text += ", or a pass that changed nothing says why in its log, which was not read"
	case slices.Contains(x.MorePasses, fleet.Owner(x.v.Control)):
		text += ", or a pass that changed nothing says why in its log, which was not read to its end"
	}
	return text
}

// saysNotRead: it was not looked, or not far enough, so that silence proves nothing.
func (x view) saysNotRead() string {
	const unknown = "whether a function has acted on it is not known: "
	switch h := x.History; {
	case !h.Seen():
		return x.but(unknown+"the ledger could not be read: %s", cmp.Or(h.Why, "it was not asked for"))
	case len(h.V.Unread) > 0:
		return x.but(unknown+"a part of the ledger could not be read: %v", h.V.Unread[0])
	}
	return x.but("no function has acted on it in the part of the ledger that was read, which begins at %s", stamp(x.History.V.Since))
}

func (x view) saysChecked() string {
	r := x.said()
	text := x.but("%s last checked it at %s and found %s: %s", r.Function, stamp(r.Time), r.State, r.Why)
	if e := x.last(); e.state() == fleet.Failed {
		text += fmt.Sprintf("; before that, at %s, it tried to repair it and failed: %s", stamp(e.at), e.Why)
	}
	return text
}

func (x view) saysWaiting() string {
	if x.v.Outcome == fleet.Pending {
		return x.but("it is checked again")
	}
	return x.but("it is about to be repaired by %s", fleet.Owner(x.v.Control))
}

func (x view) saysLeft() string { return x.but("no control repairs that: it is left to you") }

func (x view) saysExempt() string { return fmt.Sprintf("%s (%s)", x.v.Reason, x.rule()) }

func (x view) saysOutside() string {
	who := "control " + x.v.Control
	if x.v.Rule != policy.RuleInstance && x.Kind == fleet.KindInstance {
		who = "rule " + x.rule()
	}
	return fmt.Sprintf("%s does not apply to it: it is %s, by include or exclude", who, x.v.Reason)
}

func (x view) saysOrdinary() string {
	var reasons []string
	for _, v := range x.asked() {
		if !slices.Contains(reasons, v.Reason) {
			reasons = append(reasons, v.Reason)
		}
	}
	return "no rule applies to it: " + strings.Join(reasons, "; ")
}

func (x view) saysNotShared() string {
	return "it is not shared with any account, or not encrypted: nothing is asked of it"
}

func (x view) saysFine() string {
	var hold []string
	for _, v := range x.asked() {
		if v.Outcome == fleet.Passes {
			hold = append(hold, v.Rule)
		}
	}
	if len(hold) == 0 {
		return "nothing is wrong: no rule finds fault with it"
	}
	return "nothing is wrong: " + strings.Join(hold, ", ") + " hold, and no other rule finds fault with it"
}
