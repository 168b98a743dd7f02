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
)

// row is a verdict with its cause; the zero Cause for what is fine.
func (x view) row(c Cause) Rule {
	r := Rule{Control: x.v.Control, Rule: x.v.Rule, Outcome: x.v.Outcome, Severity: x.v.Severity, Reason: x.v.Reason,
		Since: c.Since, AgainSeconds: int(x.v.Again / time.Second), Cause: c.ID}
	for _, change := range x.v.Changes {
		r.Changes = append(r.Changes, string(change.Kind))
	}
	return r
}

// control is what of the policy applies to the subject.
func (f *Facts) control(id string) Control {
	c := Control{Control: id, Mode: f.modeFor(id), Partly: f.Policy.Partly(id), Covers: f.Policy.Covers(id, "", f.Ref.Scope, f.listing()).String(),
		Changes: f.Policy.MayChange(id, f.Ref.Scope, f.listing()).String(), Limits: f.limits(id)}
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
	l := Ledger{Since: h.Since, Read: h.Read, Listed: h.Listed, Late: h.Late, Events: []Event{}}
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
		{"the memory of the sweep", f.Found.Why}, {"the newest sweep", f.Sweep.Why}, {"the newest deployment", f.Deployed.Why}, {"the pauses", f.Pauses.Why}, {"passes that changed nothing", f.Passes.Why},
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
		why := fmt.Sprintf("the newest %d batches were read, and there are more: give --most", h.Read)
		if h.Late {
			why = fmt.Sprintf("the time was up with the newest %d batches read: give --within", h.Read)
		}
		out = append(out, Unread{"the ledger before " + stamp(h.Since), why})
	}
	if f.MoreCalls {
		out = append(out, Unread{"a part of ActionTrail's records", fmt.Sprintf("there are more than %d pages of them about the time of its creation", mostPages)})
	}
	for _, err := range f.History.V.Unread {
		out = append(out, Unread{"a part of the ledger", err.Error()})
	}
	return out
}

func trailLogs(t trail.Trail) bool { return t.Logging }

// stamp is a time for people.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
