package rules

import (
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// TagViolation is the tag that marks an instance which violates a rule. Its value is
// the control: there is one tag, and there may be many rules.
const TagViolation = "fleetwarden:violation"

// TagStopped is put onto an instance that was stopped for a violation, so that it is
// stopped once, however many rules it violates: whoever starts it again has decided.
// Its value is the control.
const TagStopped = "fleetwarden:stopped"

// consequence adds what the policy makes of a violation of a rule. Only what was observed
// has consequences: a request may claim anything. A grace counts from when a sweep first
// found the violation: how long it has been so otherwise is not known to any API, and a
// message may say whatever it likes.
func (s *subject) consequence(rule string, v fleet.Verdict) fleet.Verdict {
	c := s.policy.TrustedInstance
	if v.Outcome != fleet.Violation || c.Consequence == policy.ConsequenceNone || !allObserved(v.Evidence) || s.onlyClaimed() {
		return v
	}
	if s.control.MayChange(s.inst.Ref.Scope, s.inst.Listed) != policy.Yes {
		return v
	}
	change, ok := s.sanction(v.Reason)
	if !ok {
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

// onlyClaimed reports whether the instance is judged for nothing but what its launch
// said about it.
func (s *subject) onlyClaimed() bool {
	_, how := candidacy(s.inst)
	return s.policy.TrustedInstance.Require != policy.RequireAll && how.Source == fleet.Claimed.String()
}

// sanction is the change that the policy asks for, unless it was made already.
func (s *subject) sanction(reason string) (fleet.Change, bool) {
	tags := s.inst.Listed.V.Tags
	if s.policy.TrustedInstance.Consequence == policy.ConsequenceTag {
		if _, done := tags[TagViolation]; done {
			return fleet.Change{}, false
		}
		return fleet.Change{Kind: fleet.TagInstance, Ref: s.inst.Ref, Want: TagViolation + "=" + s.name, Reason: reason}, true
	}
	if _, done := tags[TagStopped]; done || !s.runsOrWill() || s.inst.Listed.V.Manager() != "" {
		return fleet.Change{}, false
	}
	return fleet.Change{Kind: fleet.StopInstance, Ref: s.inst.Ref, Before: "Running", Want: TagStopped + "=" + s.name, Reason: reason}, true
}

// runsOrWill reports whether the instance is Running or on its way there, as each one
// is when its launch is judged.
func (s *subject) runsOrWill() bool {
	switch s.inst.Listed.V.Status {
	case "Pending", "Starting", "Running":
		return true
	}
	return false
}

// grace says when a consequence follows that is not due yet.
func (s *subject) grace(v fleet.Verdict, change fleet.ChangeKind) string {
	switch {
	case !v.Since.IsZero():
		return fmt.Sprintf("found first at %s; %s after that this follows: %s", v.Since.UTC().Format(time.RFC3339), v.Patience, change)
	case s.inst.Found.Seen():
		return fmt.Sprintf("its grace starts at the next sweep; %s after that this follows: %s", v.Patience, change)
	}
	return fmt.Sprintf("%s after the first sweep that finds it this follows: %s; %s", v.Patience, change, s.beginning())
}

// beginning says why it is not known since when a rule has not held.
func (s *subject) beginning() string {
	if s.inst.Found.Seen() {
		return "it counts from the next sweep that finds it"
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
