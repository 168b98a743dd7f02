package why

import (
	"cmp"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/verdict"
)

func (x view) mode() policy.Mode { return x.modeFor(x.v.Control) }

// modeFor is the mode of a control for the subject: enforce also where enforceFor covers it. What
// is not known enforces nothing.
func (f *Facts) modeFor(control string) policy.Mode {
	mode := f.Policy.ModeOf(control)
	if mode == policy.Audit && f.Policy.Enforces(control, f.Ref.Scope, f.listing()) == policy.Yes {
		return policy.Enforce
	}
	return mode
}

// listing is what selectors go by.
func (f *Facts) listing() fleet.Fact[fleet.Listing] {
	if f.Kind != fleet.KindInstance {
		return verdict.NoInstance()
	}
	return f.Listed
}

// due: there is something to change, and the control decided on it.
func (x view) due() bool { return len(x.v.Changes) > 0 }

// uncovered is why the control, which enforces a part, makes none of the changes; "" if it makes
// one, or enforces nothing here.
func (x view) uncovered() string {
	made := slices.ContainsFunc(x.v.Changes, func(c fleet.Change) bool { return c.Uncovered == "" })
	if !x.due() || made {
		return ""
	}
	return x.v.Changes[0].Uncovered
}

func (x view) ofAgent() bool { return x.v.Control == policy.ControlAgent }

func (x view) pause() (Pause, bool) {
	p, ok := x.Pauses.V[x.v.Control]
	return p, ok && x.Pauses.Seen()
}

// otherPolicy is the digest of the policy file that the functions have, by whom that is known;
// empty where it is the one that the page is made with, or is not known. The sweep has that of the
// home region: it counts only where no deployment of the region that acts is known.
func (f *Facts) otherPolicy() (by, digest string) {
	by, digest = "the sweep "+f.Sweep.V.Run, f.Sweep.V.Policy
	if d := f.Deployed.V; d.Policy != "" {
		by, digest = "the deployment of "+stamp(d.At), d.Policy
	}
	if digest == f.Policy.Digest || f.isOtherBuild() {
		digest = ""
	}
	return by, digest
}

// isOtherBuild: the deployment is of another build, whose defaults, which the digest covers, may
// be others. Then digests that differ say nothing.
func (f *Facts) isOtherBuild() bool {
	d := f.Deployed.V
	return d.Policy != "" && d.Policy != f.Policy.Digest && f.Build.differs(d.Build)
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

// isSilent: an agent is to be installed, and Cloud Assistant, which would do it, is silent.
func (x view) isSilent() bool {
	missing := x.Agent.Seen() && x.Agent.V.Known && x.Agent.V.Status != "online" && (x.Agent.V.Sub == "" || x.Agent.V.Sub == "uninstalled")
	return x.ofAgent() && missing && x.Assistant.Seen() && !x.Assistant.V.Online
}

// arrival is how long after a launch its event may come: ActionTrail's delay, and a window.
const arrival = 15 * time.Minute

// unheard: nothing that was read is of the control and about an instance that is old enough for
// its event to have come. Only where all was read that may be, that is silence.
func (x view) unheard() bool {
	return x.Kind == fleet.KindInstance && x.last() == nil && !x.heard() && x.Listed.Seen() && x.At.Sub(x.Listed.V.Created) > arrival
}

// isAllRead: the ledger was read to its end, back to when the instance was created.
func (x view) isAllRead() bool {
	h := x.History
	return h.Seen() && len(h.V.Unread) == 0 && h.V.Read == h.V.Listed && !h.V.Since.After(x.Listed.V.Created)
}

// deployedIn is the region whose functions act on the subject.
func (f *Facts) deployedIn() fleet.Region { return cmp.Or(f.Ref.Scope.Region, f.Home.Region) }

// isUndeployed: nothing of ours is there that would make the change, nor has been since a removal.
func (x view) isUndeployed() bool {
	d := x.Deployed.V
	e := x.last()
	since := e != nil && e.at.After(d.Removed) || slices.ContainsFunc(x.Passes.V, func(r Record) bool { return r.Function == fleet.Owner(x.v.Control) && r.Time.After(d.Removed) })
	return x.due() && d.Missing && !since
}

// heard: the control's owner has recorded something about it.
func (x view) heard() bool {
	return slices.ContainsFunc(x.Passes.V, func(r Record) bool { return r.Function == fleet.Owner(x.v.Control) })
}

// isTrailStopped: the control's owner goes by launches, and no trail reports them.
func (x view) isTrailStopped() bool {
	owner := fleet.FunctionNamed(fleet.Owner(x.v.Control))
	logging := slices.ContainsFunc(x.Trails.V, trailLogs)
	return x.unheard() && x.isAllRead() && x.Trails.Seen() && !logging && slices.Contains(owner.Events, fleet.EventLaunch)
}

// isUnheard: a change is due and enforced, and no pass has made it or tried, as far as was read.
func (x view) isUnheard() bool { return x.unheard() && x.due() && x.mode() == policy.Enforce }
