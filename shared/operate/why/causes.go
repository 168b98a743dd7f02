package why

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
	"fleetwarden/shared/rules/verdict"
)

// level is what a cause is about.
type level int

const (
	// whole: the subject as a whole; no verdict is looked at.
	whole level = iota
	// open: a verdict that is neither fine nor excused.
	open
	// fine: any other verdict.
	fine
)

// cause is one row of the list. says continues "ID in PLACE: ", todo is the one thing to do.
type cause struct {
	id    string
	level level
	is    func(view) bool
	says  func(view) string
	todo  func(view) Todo
}

// Todo is the one thing to do: in words, and as the command where there is one.
type Todo struct {
	Says    string `json:"says"`
	Command string `json:"command,omitempty"`
}

// String is the line for people.
func (t Todo) String() string {
	if t.Says == "" || t.Command == "" {
		return t.Says + t.Command
	}
	return t.Says + ": " + t.Command
}

// view is the facts, and the verdict that a row is about; the zero Verdict for a row of the
// whole.
type view struct {
	*Facts
	v fleet.Verdict
}

// causes are the causes in the order in which they are tried: that which stops all others stands
// first.
var causes = [...]cause{
	{"released", whole, func(x view) bool { return !x.Place.Found && x.wasHere() }, view.saysReleased, view.todoNothing},
	{"unread", whole, func(x view) bool { return !x.Place.Found && len(x.Place.Unread) > 0 }, view.saysUnread, view.todoRights},
	{"not-found", whole, func(x view) bool { return !x.Place.Found }, view.saysNotFound, view.todoNotFound},
	{"out-of-scope", whole, func(x view) bool { return !x.Policy.Guards(x.Ref.Scope) }, view.saysUnguarded, view.todoUnguarded},
	{"unread", whole, func(x view) bool { return !x.Judged.Seen() }, view.saysUnjudged, view.todoRights},
	{"off", whole, view.isOff, view.saysOff, view.todoOff},

	{"audit", open, func(x view) bool { return x.due() && x.mode() == policy.Audit }, view.saysAudit, view.todoAudit},
	{"paused", open, func(x view) bool { _, on := x.pause(); return x.due() && on }, view.saysPaused, view.todoPaused},
	{"pause-unread", open, func(x view) bool { return x.due() && x.Pauses.Why != "" }, view.saysPauseUnread, view.todoRights},
	{"right-missing", open, func(x view) bool { return x.lacks() != "" }, view.saysLacks, view.todoLacks},
	{"product-missing", open, func(x view) bool { return x.ofAgent() && x.Assistant.Seen() && x.Assistant.V.Absent }, view.saysProduct, view.todoRemedy},
	{"push-failed", open, func(x view) bool { _, failed := x.failedRun(); return x.ofAgent() && failed }, view.saysPush, view.todoPush},
	{"assistant-silent", open, view.isSilent, view.saysSilent, view.todoSilent},
	{"held", open, func(x view) bool { return x.due() && x.held() != "" }, view.saysHeld, view.todoHeld},
	{"failed", open, func(x view) bool { return x.last().state() == fleet.Failed }, view.saysFailed, view.todoCheck},
	{"interrupted", open, view.isInterrupted, view.saysInterrupted, view.todoCheck},
	{"in-progress", open, view.isInProgress, view.saysInProgress, view.todoWait},
	{"trail-stopped", open, view.isTrailStopped, view.saysTrailStopped, view.todoTrail},
	{"no-event", open, view.isUnheard, view.saysUnheard, view.todoCheck},
	{"waiting", open, func(x view) bool { return x.v.Outcome == fleet.Pending || x.due() }, view.saysWaiting, view.todoWait},
	{"unknown", open, func(x view) bool { return x.v.Outcome == fleet.Undecided || x.v.Outcome == fleet.Fault }, view.saysReason, view.todoRights},
	{"left-to-you", open, func(view) bool { return true }, view.saysLeft, view.todoRemedy},

	{"not-shared", whole, func(x view) bool { return x.Resource != "" && x.Judged.V.Shared.Seen() && !x.Judged.V.Shared.V }, view.saysNotShared, view.todoNothing},
	{"exempt", fine, func(x view) bool { return x.v.Outcome == fleet.Exempted }, view.saysExempt, view.todoExempt},
	{"out-of-scope", fine, func(x view) bool { return strings.HasPrefix(x.v.Reason, verdict.OutsideScope) }, view.saysOutside, view.todoOutside},
	{"out-of-scope", whole, func(x view) bool { return !x.passes() && x.ordinary() }, view.saysOrdinary, view.todoOrdinary},
	{"in-order", whole, func(view) bool { return true }, view.saysFine, view.todoNothing},
}

// The facts that rows ask for.

func (x view) mode() policy.Mode { return x.Policy.ModeOf(x.v.Control) }

// due: there is something to change, and the control decided on it.
func (x view) due() bool { return len(x.v.Changes) > 0 }

func (x view) ofAgent() bool { return x.v.Control == policy.ControlAgent }

func (x view) pause() (Pause, bool) {
	p, ok := x.Pauses.V[x.v.Control]
	return p, ok && x.Pauses.Seen()
}

// passes reports whether a rule holds.
func (x view) passes() bool {
	return slices.ContainsFunc(x.asked(), func(v fleet.Verdict) bool { return v.Outcome == fleet.Passes })
}

// ordinary: no rule asks anything of the subject.
func (x view) ordinary() bool {
	return len(x.asked()) > 0 && !slices.ContainsFunc(x.asked(), func(v fleet.Verdict) bool {
		return v.Outcome != fleet.NotApplicable && v.Outcome != fleet.NotAssessable
	})
}

// isOff: each control of resources of this kind is off.
func (x view) isOff() bool {
	return !slices.ContainsFunc(x.controls(), func(c string) bool { return x.Policy.ModeOf(c) != policy.Off })
}

// controls are those that judge the subject, and that are asked about.
func (f *Facts) controls() []string {
	return slices.DeleteFunc(f.Controls(), func(c string) bool { return len(f.Only) > 0 && !slices.Contains(f.Only, c) })
}

// asked are the verdicts of those controls.
func (f *Facts) asked() []fleet.Verdict {
	all := f.controls()
	return slices.DeleteFunc(slices.Clone(f.Judged.V.Verdicts), func(v fleet.Verdict) bool { return v.Control != "" && !slices.Contains(all, v.Control) })
}

// wasHere reports whether an instance that is not found was in a place that could be read, by the
// ledger or by ActionTrail, whose records are those of the place that was searched first.
func (x view) wasHere() bool {
	read := func(s fleet.Scope) bool {
		return slices.Contains(x.Place.Looked, s) && !slices.ContainsFunc(x.Place.Unread, func(u Unread) bool { return u.What == s.String() })
	}
	for _, b := range x.History.V.Batches {
		for _, c := range b.Intent.Changes {
			if read(fleet.Scope{Account: c.Account, Region: c.Region}) {
				return true
			}
		}
	}
	return slices.ContainsFunc(x.Calls.V, Call.launches) && read(x.Ref.Scope)
}

// event is one change of the ledger that is about the subject.
type event struct {
	fleet.EntryChange
	entry fleet.Entry // the intent
	open  bool
	lost  bool      // it ended, and the end could not be read
	at    time.Time // of its end or, while it is open, of its intent
}

func (e *event) state() fleet.State {
	if e == nil || e.open || e.lost {
		return ""
	}
	return e.State
}

// events are the changes of the ledger about the subject, newest first: its own, and those of
// the roles and policies that its verdict asked for.
func (f *Facts) events() (out []event) {
	for _, b := range f.History.V.Batches {
		e := event{entry: b.Intent, open: b.Last == nil && !b.Lost, lost: b.Lost, at: b.Intent.Time}
		changes := b.Intent.Changes
		if b.Last != nil {
			e.at, changes = b.Last.Time, b.Last.Changes
		}
		for _, c := range changes {
			if f.Kind == fleet.KindInstance && c.RefKind == fleet.KindInstance && c.ID != f.ID {
				continue
			}
			e.EntryChange = c
			out = append(out, e)
		}
	}
	return out
}

// last is the newest change that the rule asked for; nil without any.
func (x view) last() *event {
	for _, e := range x.events() {
		if e.Control == x.v.Control && e.Rule == x.v.Rule {
			return &e
		}
	}
	return nil
}

// lacks is the RAM action for want of which the control's last change failed.
func (x view) lacks() string {
	e := x.last()
	if e.state() != fleet.Failed {
		return ""
	}
	return lacking(e.Why)
}

// lacking is the RAM action that an error names which was denied; "" for another error. The
// right to pass a role is asked for by the API that passes it.
func lacking(why string) string {
	before, _, ok := strings.Cut(why, ": "+fleet.Denied.String())
	if !ok {
		return ""
	}
	if strings.Contains(why, "PassRoleForbidden") {
		return "ram:PassRole"
	}
	api := before[strings.LastIndexByte(before, ' ')+1:]
	product, action, ok := strings.Cut(api, ":")
	if !ok || product == "" || action == "" || strings.Contains(action, ":") {
		return ""
	}
	return ramAction(api)
}

// failedRun is the newest command of ours on the instance, if it ended and failed.
func (x view) failedRun() (fleet.Invocation, bool) {
	if !x.Runs.Seen() || len(x.Runs.V) == 0 {
		return fleet.Invocation{}, false
	}
	run := x.Runs.V[0]
	return run, run.Final() && (run.ExitCode != 0 || run.ErrorCode != "")
}

// isSilent: an agent is to be installed, and Cloud Assistant, which would do it, is silent.
func (x view) isSilent() bool {
	missing := x.Agent.Seen() && x.Agent.V.Known && x.Agent.V.Status != "online" && (x.Agent.V.Sub == "" || x.Agent.V.Sub == "uninstalled")
	return x.ofAgent() && missing && x.Assistant.Seen() && !x.Assistant.V.Online
}

// held is why a limit holds the change; "" where none does.
func (x view) held() string {
	if e := x.last(); e.state() == fleet.Held {
		return e.Why
	}
	if s := x.Spent[x.v.Control]; s.Seen() && s.V.N >= x.Policy.Limits.MaxPerHour && slices.ContainsFunc(x.v.Changes, func(c fleet.Change) bool { return c.Kind.Disturbs() }) {
		return fmt.Sprintf("maxPerHour %d is used up in %s until %s", x.Policy.Limits.MaxPerHour, x.Ref.Scope, stamp(s.V.Free))
	}
	if !x.Sweep.Seen() {
		return ""
	}
	if e := x.last(); e != nil && e.at.After(x.Sweep.V.At) {
		return "" // the owner took it up since
	}
	for _, h := range x.Sweep.V.Held {
		if h.Control == x.v.Control && (h.Rule == "" || h.Rule == x.v.Rule) {
			return h.Why
		}
	}
	return ""
}

// isInterrupted: an intent was left open by a pass that is no longer alive.
func (x view) isInterrupted() bool {
	e := x.last()
	return e != nil && e.open && x.At.Sub(e.at) > ledger.LongestPass
}

// settling is how long a change that was made, or put off, may need before it shows.
const settling = 15 * time.Minute

// isInProgress: a pass is at work, or did its part a moment ago. To have Security Center look for
// new instances repairs nothing by itself.
func (x view) isInProgress() bool {
	e := x.last()
	if e == nil || e.Kind == fleet.RefreshAssets {
		return false
	}
	recent := slices.Contains([]fleet.State{fleet.Started, fleet.Done, fleet.Later, fleet.Forwarded}, e.state()) && x.At.Sub(e.at) < settling
	return e.open || recent
}

// arrival is how long after a launch its event may come: ActionTrail's delay, and a window.
const arrival = 15 * time.Minute

// unheard: the ledger was read, and has nothing of the control about an instance that is old
// enough for its event to have come.
func (x view) unheard() bool {
	return x.Kind == fleet.KindInstance && x.History.Seen() && len(x.History.V.Unread) == 0 && x.last() == nil &&
		x.Listed.Seen() && x.At.Sub(x.Listed.V.Created) > arrival
}

// isTrailStopped: the control's owner goes by launches, and no trail reports them.
func (x view) isTrailStopped() bool {
	owner := fleet.FunctionNamed(fleet.Owner(x.v.Control))
	logging := slices.ContainsFunc(x.Trails.V, trailLogs)
	return x.unheard() && x.Trails.Seen() && !logging && slices.Contains(owner.Events, fleet.EventLaunch)
}

// isUnheard: a change is due and enforced, and no pass has made it or tried.
func (x view) isUnheard() bool { return x.unheard() && x.due() && x.mode() == policy.Enforce }

// The sentences.

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

func (x view) saysUnjudged() string { return "its state could not be determined: " + x.Judged.Why }

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

func (x view) saysAudit() string {
	return x.but("control %s is in audit mode, so that nothing is changed", x.v.Control)
}

func (x view) saysPaused() string {
	p, _ := x.pause()
	return x.but("changes of control %s are paused until %s by %s (%s)", x.v.Control, stamp(p.Until), p.By, p.Reason)
}

func (x view) saysPauseUnread() string {
	return x.but("whether changes are paused could not be read, and without that nothing is changed: %s", x.Pauses.Why)
}

func (x view) saysLacks() string {
	return x.but("%s tried to repair it, and its role %s lacks the right %s", x.last().entry.Function, x.role(), x.lacks())
}

// role is the RAM role by which the control's owner acts on the subject.
func (x view) role() string {
	if x.Ref.Scope.Account != x.Home {
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
	e := x.last()
	return x.but("%s tried to repair it at %s and failed: %s", e.entry.Function, stamp(e.at), e.Why)
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
	if x.NoPasses != "" {
		text += ", or a pass that changed nothing says why in its log, which was not read"
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

// The one thing to do.

func (view) todoNothing() Todo { return Todo{Says: "nothing"} }

func (view) todoWait() Todo { return Todo{Says: "nothing but to wait; then ask again"} }

// todoRights is for what could not be read: a right may be missing, or time may help.
func (x view) todoRights() Todo {
	reason := x.v.Reason
	switch {
	case x.v.Rule != "":
	case x.Place.Found:
		reason = x.Judged.Why
	default:
		reason = x.Place.Unread[0].Why
	}
	switch {
	case lacking(reason) != "" && len(x.Denied) > 0:
		return Todo{Says: "give whom you work as the right to " + strings.Join(x.Denied, ", ") + ", and ask again"}
	case x.v.Remedy != "":
		return Todo{Says: x.v.Remedy}
	}
	return Todo{Says: "ask again in a minute"}
}

func (x view) todoNotFound() Todo {
	return Todo{Says: "check the id, and name the account and region that it is in", Command: "fleetwarden why --account ID --region ID " + x.name()}
}

func (x view) todoUnguarded() Todo {
	key := "regions"
	if !x.Policy.Knows(x.Ref.Scope.Account) {
		key = "accounts"
	}
	return Todo{Says: "add it to " + key + " of the policy file, and deploy there", Command: "make deploy"}
}

func (x view) todoOff() Todo {
	return Todo{Says: "set " + modeKey(x.controls()[0]) + " to audit or enforce in the policy file, and deploy it", Command: "make deploy"}
}

func (x view) todoAudit() Todo {
	return Todo{Says: "set " + modeKey(x.v.Control) + " to enforce in the policy file, and deploy it", Command: "make deploy"}
}

// modeKey is the key of a control's mode in the policy file.
func modeKey(control string) string {
	first, rest, _ := strings.Cut(control, "-")
	if rest != "" {
		rest = strings.ToUpper(rest[:1]) + rest[1:]
	}
	return "controls." + first + rest + ".mode"
}

func (x view) todoPaused() Todo {
	return Todo{Says: "wait for its end, or end it for this control and account",
		Command: fmt.Sprintf("fleetwarden resume --control %s --account %s --reason TEXT", x.v.Control, x.Ref.Scope.Account)}
}

func (x view) todoLacks() Todo {
	if x.Ref.Scope.Account != x.Home {
		return Todo{Says: "give that role the right (deploy/ram/member/policy.json)"}
	}
	return Todo{Says: "restore the rights of the role from deploy/ram", Command: "make deploy"}
}

func (x view) todoRemedy() Todo {
	if x.v.Remedy == "" {
		return Todo{Says: "nothing is known to help"}
	}
	return Todo{Says: x.v.Remedy}
}

func (x view) todoPush() Todo {
	run, _ := x.failedRun()
	return Todo{Says: instances.Manual(x.Listed.V.OSType, run)}
}

func (x view) todoSilent() Todo {
	if x.v.Outcome == fleet.Violation && x.v.Remedy != "" && !x.due() {
		return Todo{Says: x.v.Remedy} // the patience has ended
	}
	return Todo{Says: "start the Cloud Assistant client on the instance; or " + instances.Manual(x.Listed.V.OSType, fleet.Invocation{})}
}

func (x view) todoHeld() Todo {
	return Todo{Says: "let a part through, and apply the plan that it prints", Command: fmt.Sprintf("fleetwarden plan%s --control %s --part", x.flags(), x.v.Control)}
}

func (x view) todoCheck() Todo {
	if x.Kind != fleet.KindInstance {
		return Todo{Says: "have it checked and repaired now", Command: fmt.Sprintf("fleetwarden plan%s --control %s", x.flags(), x.v.Control)}
	}
	return Todo{Says: "have it checked and repaired now", Command: fmt.Sprintf("fleetwarden check%s --control %s --apply %s", x.flags(), x.v.Control, x.ID)}
}

// flags name the place of the subject.
func (x view) flags() string {
	text := " --account " + string(x.Ref.Scope.Account)
	if x.Ref.Scope.Region != "" {
		text += " --region " + string(x.Ref.Scope.Region)
	}
	return text
}

func (x view) todoTrail() Todo {
	if len(x.Trails.V) == 0 {
		return Todo{Says: "make a trail that logs write calls of all regions", Command: "make deploy"}
	}
	return Todo{Says: "start the trail, then have what was missed checked by fleetwarden replay", Command: "aliyun actiontrail StartLogging --Name " + x.Trails.V[0].Name}
}

func (x view) todoExempt() Todo {
	return Todo{Says: "nothing until it ends; to end it now, remove the exemption from the policy file, and deploy it", Command: "make deploy"}
}

func (x view) todoOutside() Todo {
	return Todo{Says: "if it is to be covered, change include or exclude of the control in the policy file, and deploy it", Command: "make deploy"}
}

func (x view) todoOrdinary() Todo {
	return Todo{Says: "nothing; an instance is judged as a trusted one if its family ends in t, or if it was launched with vTPM or Enclave"}
}
