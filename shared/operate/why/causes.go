package why

import (
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
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
	{"unread", whole, func(x view) bool { return x.Kind == fleet.KindInstance && len(x.asked()) == 0 }, view.saysUnjudged, view.todoRights},

	{"not-deployed", open, view.isUndeployed, both(view.saysUndeployed), afterwards(view.todoDeploy)},
	{"policy-differs", open, func(x view) bool { _, other := x.otherPolicy(); return x.due() && other != "" }, view.saysPolicy, view.todoPolicy},
	{"audit", open, func(x view) bool { return x.due() && x.mode() == policy.Audit }, view.saysAudit, view.todoAudit},
	{"uncovered", open, func(x view) bool { return x.uncovered() != "" }, view.saysUncovered, view.todoUncovered},
	{"paused", open, func(x view) bool { _, on := x.pause(); return x.due() && on }, view.saysPaused, view.todoPaused},
	{"pause-unread", open, func(x view) bool { return x.due() && x.Pauses.Why != "" }, view.saysPauseUnread, view.todoPauseUnread},
	{"right-missing", open, func(x view) bool { return x.lacks() != "" }, view.saysLacks, view.todoLacks},
	{"product-missing", open, func(x view) bool { return x.ofAgent() && x.Assistant.Seen() && x.Assistant.V.Absent }, view.saysProduct, view.todoRemedy},
	{"push-failed", open, func(x view) bool { _, failed := x.failedRun(); return x.ofAgent() && failed }, both(view.saysPush), afterwards(view.todoPush)},
	{"assistant-silent", open, view.isSilent, both(view.saysSilent), afterwards(view.todoSilent)},
	{"held", open, func(x view) bool { return x.due() && x.held() != "" }, view.saysHeld, view.todoHeld},
	{"failed", open, func(x view) bool { return x.failure() != nil }, view.saysFailed, view.todoCheck},
	{"interrupted", open, view.isInterrupted, view.saysInterrupted, view.todoCheck},
	{"in-progress", open, view.isInProgress, view.saysInProgress, view.todoWait},
	{"trail-stopped", open, view.isTrailStopped, view.saysTrailStopped, view.todoTrail},
	{"unknown", open, func(x view) bool { return x.isUnheard() && !x.isAllRead() }, view.saysNotRead, view.todoNotRead},
	{"no-event", open, view.isUnheard, view.saysUnheard, view.todoUnheard},
	{"checked", open, func(x view) bool { return x.due() && x.said() != nil && x.mode() == policy.Enforce }, view.saysChecked, view.todoCheck},
	{"waiting", open, func(x view) bool { return x.v.Outcome == fleet.Pending || x.due() }, both(view.saysWaiting), afterwards(view.todoWait)},
	{"unknown", open, func(x view) bool { return x.v.Outcome == fleet.Undecided || x.v.Outcome == fleet.Fault }, view.saysReason, view.todoRights},
	{"left-to-you", open, func(view) bool { return true }, view.saysLeft, view.todoRemedy},

	{"not-shared", whole, func(x view) bool { return x.Resource != "" && x.Judged.V.Shared.Seen() && !x.Judged.V.Shared.V }, view.saysNotShared, view.todoNothing},
	{"exempt", fine, func(x view) bool { return x.v.Outcome == fleet.Exempted }, view.saysExempt, view.todoExempt},
	{"out-of-scope", fine, func(x view) bool { return strings.HasPrefix(x.v.Reason, verdict.OutsideScope) }, view.saysOutside, view.todoOutside},
	{"out-of-scope", whole, func(x view) bool { return !x.passes() && x.ordinary() }, view.saysOrdinary, view.todoOrdinary},
	{"in-order", whole, func(view) bool { return true }, view.saysFine, view.todoNothing},
}
