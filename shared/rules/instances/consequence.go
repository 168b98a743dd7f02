package instances

import (
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/verdict"
)

// TagViolation marks an instance which violates a rule. Its value is the control: there is
// one tag for all rules.
const TagViolation = "fleetwarden:violation"

// TagStopped is set on an instance that was stopped for a violation, so that it is stopped
// once, however many rules it violates: an operator who starts it again has decided. Its
// value is the control.
const TagStopped = "fleetwarden:stopped"

// consequence adds the policy's consequence of a violation. Only observed violations have
// one: a request may claim anything. A grace counts from when a sweep first found the
// violation: no API dates its start, and a message may claim any date.
func (s *subject) consequence(rule string, v fleet.Verdict) fleet.Verdict {
	c := s.policy.TrustedInstance
	if v.Outcome != fleet.Violation || c.Consequence == policy.ConsequenceNone || !allObserved(v.Evidence) || s.onlyClaimed() {
		return v
	}
	if s.policy.MayChange(s.name, s.inst.Ref.Scope, s.inst.Listed) != policy.Yes {
		v.Reason += s.leftAlone()
		return v
	}
	change, why := s.sanction(v.Reason)
	if why != "" {
		v.Reason += "; " + why
		return v
	}
	if c.Grace > 0 {
		v.Patience, v.Since = c.Grace, s.found(rule)
		if !v.Matured(s.world.At) {
			v.Remedy += "; " + s.grace(v, change.Kind)
			if !v.Since.IsZero() {
				v.Again = v.Patience - s.world.At.Sub(v.Since)
			}
			return v
		}
	}
	if change.Kind == fleet.StopInstance && s.inst.Listed.V.Status != "Running" {
		v.Again = wait(s.inst.Ref.Try.N)
		return v
	}
	v.Changes = append(v.Changes, change)
	return v
}

// onlyClaimed reports whether the instance is judged by its launch's claims only.
func (s *subject) onlyClaimed() bool {
	_, how := candidacy(s.inst)
	return s.policy.TrustedInstance.Require != policy.RequireAll && how.Source == fleet.Claimed.String()
}

// sanction returns the change that the policy requires, or why there is none. Tags of
// earlier sanctions are hints: the ledger has the changes.
func (s *subject) sanction(reason string) (_ fleet.Change, why string) {
	l := s.inst.Listed.V
	if s.policy.TrustedInstance.Consequence == policy.ConsequenceTag {
		if _, done := l.Tags[TagViolation]; done {
			return fleet.Change{}, "not tagged again, because it has the tag " + TagViolation + "; the ledger says whether we put it there, and " + verdict.AnyTagger
		}
		return fleet.Change{Kind: fleet.TagInstance, Ref: s.inst.Ref, Want: TagViolation + "=" + s.name, Reason: reason}, ""
	}
	_, done := l.Tags[TagStopped]
	switch {
	case done:
		return fleet.Change{}, "not stopped, because the tag " + TagStopped + " says that it was stopped before; the ledger says whether we did, and " + verdict.AnyTagger
	case l.Manager() == "" && !s.runsOrWill():
		return fleet.Change{}, "not stopped: it is " + l.Status
	case l.ManagedByHint():
		return fleet.Change{}, "not stopped, because the tag " + fleet.TagACK + " says that it is a node of ACK; " + verdict.AnyTagger
	case l.Manager() != "":
		return fleet.Change{}, "not stopped, because " + l.Manager() + " owns it and would start another"
	}
	return fleet.Change{Kind: fleet.StopInstance, Ref: s.inst.Ref, Before: "Running", Want: TagStopped + "=" + s.name, Reason: reason}, ""
}

// runsOrWill reports whether the instance is Running or starting, as each one is when its
// launch is judged.
func (s *subject) runsOrWill() bool {
	switch s.inst.Listed.V.Status {
	case "Pending", "Starting", "Running":
		return true
	}
	return false
}

// grace describes the end of a grace.
func (s *subject) grace(v fleet.Verdict, change fleet.ChangeKind) string {
	switch {
	case !v.Since.IsZero():
		return fmt.Sprintf("found first at %s; %s after that this follows: %s", v.Since.UTC().Format(time.RFC3339), v.Patience, change)
	case s.inst.Found.Seen():
		return fmt.Sprintf("its grace starts at the next sweep; %s after that this follows: %s; if an earlier sweep found it, it counts from then", v.Patience, change)
	}
	return fmt.Sprintf("%s after the first sweep that finds it this follows: %s; %s", v.Patience, change, s.beginning())
}

// beginning is why the start of a violation is unknown.
func (s *subject) beginning() string {
	if s.inst.Found.Seen() {
		return "it counts from the first sweep that finds it"
	}
	return "the memory of the sweep was not read: " + s.inst.Found.Why
}

func allObserved(evidence []fleet.Evidence) bool {
	for _, e := range evidence {
		if e.Source != fleet.Observed.String() {
			return false
		}
	}
	return len(evidence) > 0
}
