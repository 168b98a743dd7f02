package why

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

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

// said is the newest finding of the control's owner about the rule, or about the instance as a
// whole; nil without any.
func (x view) said() *Record {
	for _, r := range x.Passes.V {
		if r.Function == fleet.Owner(x.v.Control) && (r.Rule == x.rule() || r.Rule == x.v.Control+"/"+policy.RuleInstance) {
			return &r
		}
	}
	return nil
}

// failure is the last change, if it failed and no other pass has come to anything since; nil if
// not.
func (x view) failure() *event {
	e, r := x.last(), x.said()
	if e.state() != fleet.Failed || r != nil && r.Time.After(e.at) && (r.Run == "" || r.Run != e.Run) {
		return nil
	}
	return e
}

// lacks is the RAM action for want of which the control's last change failed, or its owner could
// not read what it needs; "" if a deployment may have given it since.
func (x view) lacks() string {
	if e := x.failure(); e != nil {
		if x.isDeployedSince(e.at) {
			return ""
		}
		return lacking(e.Why)
	}
	if r := x.said(); r != nil && !x.isDeployedSince(r.Time) && (r.State == string(fleet.Undecided) || r.State == string(fleet.Fault)) {
		return lacking(r.Why)
	}
	return ""
}

// isDeployedSince: a deployment has written the role by which the subject is acted on. That of
// another account is none of it.
func (x view) isDeployedSince(at time.Time) bool {
	return x.Ref.Scope.Account == x.Home.Account && x.Deployed.V.At.After(at)
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

// held is why a limit holds the change; "" where none does.
func (x view) held() string {
	if e := x.last(); e.state() == fleet.Held {
		return e.Why
	}
	if s := x.Spent[x.v.Control]; s.Seen() && s.V.N >= x.Policy.Limits.MaxPerHour && slices.ContainsFunc(x.v.Changes, func(c fleet.Change) bool { return c.Kind.Disturbs() }) {
		if x.Policy.Limits.MaxPerHour == 0 {
			return "maxPerHour is 0, so that no change is made that may disturb a workload"
		}
		return fmt.Sprintf("maxPerHour %d is used up in %s until %s", x.Policy.Limits.MaxPerHour, x.Ref.Scope, stamp(s.V.Free))
	}
	if !x.Sweep.Seen() || x.Listed.Seen() && x.Listed.V.Created.After(x.Sweep.V.At) {
		return "" // the sweep is not known, or never saw it
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
