package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// Version is the version of a page. Members are added to it; none is removed or changes its
// meaning without a new version.
const Version = 1

// Page explains a subject. It has no secrets and no user data.
type Page struct {
	Type     string          `json:"type"` // why
	V        int             `json:"v"`
	Kind     fleet.Kind      `json:"kind"`
	ID       string          `json:"id,omitempty"`
	Resource string          `json:"resource,omitempty"`
	Account  fleet.AccountID `json:"account"`
	Region   fleet.Region    `json:"region,omitempty"`
	At       time.Time       `json:"at"`
	// Lines are the three that name the cause: the state and its cause; since when, and the next
	// check; the one thing to do.
	Lines [3]string `json:"lines"`
	Cause Cause     `json:"cause"`
	// Also are the causes of other rules that do not hold.
	Also     []Cause   `json:"also,omitempty"`
	Controls []Control `json:"controls"`
	Rules    []Rule    `json:"rules,omitempty"`
	Now      *Now      `json:"now,omitempty"`
	Trail    Trails    `json:"trail"`
	Ledger   Ledger    `json:"ledger"`
	Sweep    *Swept    `json:"sweep,omitempty"`
	// Missing are the RAM actions that the reader of this page lacks, Unread all else that could
	// not be read.
	Missing []string `json:"missing,omitempty"`
	Unread  []Unread `json:"unread,omitempty"`
	// NoPasses is why passes that changed nothing were not read.
	NoPasses string `json:"noPasses,omitempty"`
}

// Cause is why a rule does not hold, or why nothing is done about it.
type Cause struct {
	ID   string `json:"id"`
	Rule string `json:"rule,omitempty"`
	Says string `json:"says"`
	// Since is since when, as By knows; zero where that is not known.
	Since time.Time `json:"since,omitzero"`
	By    string    `json:"by,omitempty"`
	Next  string    `json:"next"`
	Todo  Todo      `json:"todo"`
}

// Control is what of the policy applies.
type Control struct {
	Control string      `json:"control"`
	Mode    policy.Mode `json:"mode"`
	// Covers is yes, no or maybe; exemptions are with the rules.
	Covers string `json:"covers"`
	// Changes says whether the control may change it, or leaves it to the service that owns it.
	Changes string `json:"mayChange"`
	Pause   *Pause `json:"pause,omitempty"`
	// Limits are the stops and the rate, with what the newest sweep held.
	Limits string        `json:"limits"`
	Held   []report.Held `json:"held,omitempty"`
}

// Rule is a verdict, and its cause where it is not fine.
type Rule struct {
	Control      string         `json:"control"`
	Rule         string         `json:"rule"`
	Outcome      fleet.Outcome  `json:"outcome"`
	Severity     fleet.Severity `json:"severity,omitempty"`
	Reason       string         `json:"reason"`
	Since        time.Time      `json:"since,omitzero"`
	Changes      []string       `json:"changes,omitempty"`
	AgainSeconds int            `json:"againSeconds,omitempty"`
	Cause        string         `json:"cause,omitempty"`
}

// Now is the instance as it is.
type Now struct {
	Status    string    `json:"status"`
	Type      string    `json:"instanceType"`
	Created   time.Time `json:"created"`
	Role      string    `json:"role"`
	Agent     string    `json:"agent"`
	Assistant string    `json:"assistant"`
	Runs      []Run     `json:"commands,omitempty"`
}

// Run is one command of ours on the instance.
type Run struct {
	Time      time.Time `json:"time"`
	Command   string    `json:"command"`
	Status    string    `json:"status"`
	ExitCode  int       `json:"exitCode,omitempty"`
	ErrorCode string    `json:"errorCode,omitempty"`
}

// Trails are ActionTrail's records, and whether they reach the functions.
type Trails struct {
	Window
	// Late says that records may still be missing: they come some minutes after their calls.
	Late   bool          `json:"late,omitempty"`
	Calls  []Call        `json:"calls"`
	Trails []trail.State `json:"trails"`
}

// Ledger is what passes have recorded.
type Ledger struct {
	// Since is the time of the oldest batch that was read, Read how many were, of Listed.
	Since  time.Time `json:"since,omitzero"`
	Read   int       `json:"read"`
	Listed int       `json:"listed"`
	Events []Event   `json:"events"`
}

// Event is one change of the ledger.
type Event struct {
	Time     time.Time        `json:"time"`
	Function string           `json:"function"`
	Run      string           `json:"run,omitempty"`
	Request  string           `json:"request,omitempty"`
	Policy   string           `json:"policy,omitempty"`
	Kind     fleet.ChangeKind `json:"kind"`
	ID       string           `json:"id"`
	// State is Open or Lost while the outcome is not known.
	State fleet.State `json:"state"`
	Why   string      `json:"why,omitempty"`
}

// The states of a change whose outcome is not known.
const (
	// Open: there is none.
	Open fleet.State = "open"
	// Lost: there is one, and it could not be read.
	Lost fleet.State = "unread"
)

// Swept is the newest sweep.
type Swept struct {
	Run    string    `json:"run"`
	At     time.Time `json:"at"`
	Policy string    `json:"policy,omitempty"`
	Fault  string    `json:"fault,omitempty"`
}

// Complete reports whether all was read that the page is made from.
func (p Page) Complete() bool { return len(p.Missing) == 0 && len(p.Unread) == 0 }

// Explain makes the page of what is known.
func Explain(f *Facts) Page {
	p := Page{Type: "why", V: Version, Kind: f.Kind, ID: f.ID, Resource: f.Resource, Account: f.Ref.Scope.Account, Region: f.Ref.Scope.Region,
		At: f.At, Missing: f.Denied, NoPasses: f.NoPasses}
	var chosen view
	chosen, p.Cause = f.choose()
	for _, v := range f.verdicts(open) {
		x := view{f, v}
		c := x.explained(x.first())
		p.Rules = append(p.Rules, x.row(c.ID))
		if v.Control != chosen.v.Control || v.Rule != chosen.v.Rule {
			p.Also = append(p.Also, c)
		}
	}
	for _, v := range f.verdicts(fine) {
		p.Rules = append(p.Rules, view{f, v}.row(""))
	}
	if p.Cause.Rule == "" {
		p.Also = nil // one cause for all of them
	}
	for _, c := range f.controls() {
		p.Controls = append(p.Controls, f.control(c))
	}
	p.Now = f.shown()
	p.Trail = Trails{f.Window, f.At.Sub(f.Window.Until) < trail.Delay, some(f.Calls.V), some(f.Trails.V)}
	p.Ledger = f.ledger()
	if s := f.Sweep; s.Seen() && s.V.Run != "" {
		p.Sweep = &Swept{s.V.Run, s.V.At, s.V.Policy, s.V.Fault}
	}
	p.Unread = f.unread()
	p.Lines = f.lines(p.Cause)
	return p
}

// some is a list that JSON shows as a list, also without elements.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// verdicts are those of a level: the most severe first, and of equal ones first those of controls
// that enforce. That nothing is done is more surprising there.
func (f *Facts) verdicts(l level) (out []fleet.Verdict) {
	for _, v := range f.asked() {
		isOpen := slices.Contains([]fleet.Outcome{fleet.Violation, fleet.Conflict, fleet.Undecided, fleet.Pending, fleet.Fault}, v.Outcome)
		if isOpen == (l == open) {
			out = append(out, v)
		}
	}
	audits := func(v fleet.Verdict) int {
		if f.Policy.ModeOf(v.Control) == policy.Enforce {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b fleet.Verdict) int {
		return cmp.Or(cmp.Compare(report.Urgency(b.Severity), report.Urgency(a.Severity)), cmp.Compare(audits(a), audits(b)))
	})
	return out
}

// choose is the first row that holds, and what it is about. Of several verdicts that are open the
// first one counts.
func (f *Facts) choose() (view, Cause) {
	last := len(causes) - 1 // holds always
	for _, c := range causes[:last] {
		about := f.verdicts(c.level)
		switch {
		case c.level == whole:
			about = []fleet.Verdict{{}}
		case c.level == open:
			about = about[:min(1, len(about))]
		}
		for _, v := range about {
			if x := (view{f, v}); c.is(x) {
				return x, x.explained(c)
			}
		}
	}
	x := view{Facts: f}
	return x, x.explained(causes[last])
}

// first is the first row of open verdicts that holds for one.
func (x view) first() cause {
	i := slices.IndexFunc(causes[:], func(c cause) bool { return c.level == open && c.is(x) })
	return causes[i]
}

func (x view) explained(c cause) Cause {
	out := Cause{ID: c.id, Says: c.says(x), Next: x.next(c), Todo: c.todo(x)}
	if x.v.Rule != "" {
		out.Rule = x.rule()
	}
	out.Since, out.By = x.since(c)
	return out
}

// since is since when it has been so, and who says that.
func (x view) since(c cause) (time.Time, string) {
	switch {
	case c.level == whole || x.v.Rule == "":
		return time.Time{}, ""
	case c.id == "right-missing":
		return x.failing(), "the ledger"
	}
	remembered, known := x.Found.V[x.v.Rule]
	switch {
	case known && (x.v.Since.IsZero() || x.v.Since.Equal(remembered)):
		return remembered, "the memory of the sweep"
	case !x.v.Since.IsZero():
		return x.v.Since, "what the cloud shows"
	}
	return time.Time{}, ""
}

// failing is the time of the first of the failures that the control's last change ends.
func (x view) failing() (at time.Time) {
	for _, e := range x.events() {
		if e.Control != x.v.Control || e.Rule != x.v.Rule {
			continue
		}
		if e.state() != fleet.Failed {
			break
		}
		at = e.at
	}
	return at
}

// next is when it is checked again.
func (x view) next(c cause) string {
	if p, on := x.pause(); on && c.id == "paused" {
		return "at the end of the pause, " + stamp(p.Until)
	}
	if x.v.Again > 0 && c.id != "no-event" && c.id != "trail-stopped" {
		return fmt.Sprintf("%s after the last pass, or by %s", x.v.Again.Round(time.Second), x.nightly())
	}
	return "by " + x.nightly()
}

// night is the time between two sweeps.
const night = 24 * time.Hour

func (f *Facts) nightly() string {
	s := f.Sweep
	switch {
	case !s.Seen():
		return "the nightly sweep"
	case s.V.Run == "":
		return "the nightly sweep (the ledger has none that ended)"
	case s.V.At.Add(night + time.Hour).Before(f.At):
		return "the nightly sweep, which is overdue: the last began at " + stamp(s.V.At)
	}
	return "the nightly sweep, about " + stamp(s.V.At.Add(night))
}

// lines are the three of the page.
func (f *Facts) lines(c Cause) [3]string {
	place := f.Ref.Scope.String()
	if !f.Place.Found {
		place = ""
	} else if f.Kind == fleet.KindInstance || f.Resource != "" {
		place = " in " + place
	} else {
		place = " of " + place
	}
	since := "since when is not known"
	switch {
	case !c.Since.IsZero():
		since = "since " + stamp(c.Since) + " (by " + c.By + ")"
	case c.Rule == "":
		since = "as of " + stamp(f.At)
	case f.Listed.Seen() && !f.Listed.V.Created.IsZero():
		since += "; created at " + stamp(f.Listed.V.Created)
	}
	return [3]string{f.name() + place + ": " + c.Says, since + "; next check: " + c.Next, "to do: " + c.Todo.String()}
}

func (x view) row(cause string) Rule {
	r := Rule{Control: x.v.Control, Rule: x.v.Rule, Outcome: x.v.Outcome, Severity: x.v.Severity, Reason: x.v.Reason,
		AgainSeconds: int(x.v.Again / time.Second), Cause: cause}
	if cause != "" {
		r.Since, _ = x.since(causeNamed(cause))
	}
	for _, c := range x.v.Changes {
		r.Changes = append(r.Changes, string(c.Kind))
	}
	return r
}

func causeNamed(id string) cause {
	return causes[slices.IndexFunc(causes[:], func(c cause) bool { return c.id == id && c.level == open })]
}

// control is what of the policy applies to the subject.
func (f *Facts) control(id string) Control {
	listed := f.Listed
	if f.Kind != fleet.KindInstance {
		listed = fleet.Unknown[fleet.Listing]("not an instance")
	}
	c := Control{Control: id, Mode: f.Policy.ModeOf(id), Covers: f.Policy.Covers(id, "", f.Ref.Scope, listed).String(),
		Changes: f.Policy.MayChange(id, f.Ref.Scope, listed).String(), Limits: f.limits(id)}
	if p, on := f.Pauses.V[id]; on {
		c.Pause = &p
	}
	for _, h := range f.Sweep.V.Held {
		if h.Control == id {
			c.Held = append(c.Held, h)
		}
	}
	return c
}

func (f *Facts) limits(control string) string {
	l := f.Policy.Limits
	text := fmt.Sprintf("maxChanges %d, maxPercent %d, perPass %d", l.MaxChanges, l.MaxPercent, l.PerPass)
	owner := fleet.FunctionNamed(fleet.Owner(control))
	if slices.ContainsFunc(owner.Changes, fleet.ChangeKind.Disturbs) {
		text += fmt.Sprintf(", maxPerHour %d", l.MaxPerHour)
		if s := f.Spent[control]; s.Seen() {
			text += fmt.Sprintf(" (%d in the last hour)", s.V.N)
		}
	}
	return text
}

// shown is the instance as it is; nil for what is none, or was not found.
func (f *Facts) shown() *Now {
	if !f.Listed.Seen() {
		return nil
	}
	l := f.Listed.V
	n := &Now{Status: l.Status, Type: l.Type, Created: l.Created, Role: known(f.Role, func(r string) string { return cmp.Or(r, "none") })}
	n.Agent = known(f.Agent, func(a fleet.Agent) string {
		if !a.Known {
			return "Security Center does not list the instance"
		}
		text := strings.TrimSuffix(cmp.Or(a.Status, "never seen")+"/"+a.Sub, "/")
		if !a.LastOnline.IsZero() {
			text += ", last online at " + stamp(a.LastOnline)
		}
		return text
	})
	n.Assistant = known(f.Assistant, func(a fleet.Assistant) string {
		switch {
		case a.Absent:
			return "not served in the region"
		case a.Online:
			return "online, version " + a.Version
		case a.LastHeartbeat.IsZero():
			return "silent, no heartbeat so far"
		}
		return "silent, last heartbeat at " + stamp(a.LastHeartbeat)
	})
	for _, r := range f.Runs.V {
		n.Runs = append(n.Runs, Run{r.Created, r.Command, r.Status, r.ExitCode, r.ErrorCode})
	}
	return n
}

// known is a fact in words; what is not known says why.
func known[T any](f fleet.Fact[T], words func(T) string) string {
	if f.Seen() {
		return words(f.V)
	}
	return "unknown: " + cmp.Or(f.Why, "not read")
}

func (f *Facts) ledger() Ledger {
	h := f.History.V
	l := Ledger{Since: h.Since, Read: h.Read, Listed: h.Listed, Events: []Event{}}
	for _, e := range f.events() {
		state := e.State
		switch {
		case e.open:
			state = Open
		case e.lost:
			state = Lost
		}
		l.Events = append(l.Events, Event{e.at, e.entry.Function, e.Run, e.entry.Request, e.entry.Policy, e.Kind, e.ID, state, e.Why})
	}
	return l
}

// unread is all that could not be read.
func (f *Facts) unread() (out []Unread) {
	out = append(out, f.Place.Unread...)
	for _, u := range []Unread{
		{"the verdicts", f.Judged.Why}, {"the role", f.Role.Why}, {"the agent", f.Agent.Why}, {"Cloud Assistant", f.Assistant.Why},
		{"our commands", f.Runs.Why}, {"ActionTrail's records", f.Calls.Why}, {"the trails", f.Trails.Why}, {"the ledger", f.History.Why},
		{"the memory of the sweep", f.Found.Why}, {"the newest sweep", f.Sweep.Why}, {"the pauses", f.Pauses.Why},
	} {
		if u.Why != "" {
			out = append(out, u)
		}
	}
	for _, control := range policy.Controls() {
		if s := f.Spent[control]; s.Why != "" {
			out = append(out, Unread{"the changes of the hour by " + control, s.Why})
		}
	}
	if h := f.History.V; h.Read < h.Listed {
		out = append(out, Unread{"the ledger before " + stamp(h.Since), fmt.Sprintf("%d of %d batches were read: give --most", h.Read, h.Listed)})
	}
	for _, err := range f.History.V.Unread {
		out = append(out, Unread{"a part of the ledger", err.Error()})
	}
	return out
}

func trailLogs(t trail.State) bool { return t.Logging }

// stamp is a time for people.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
