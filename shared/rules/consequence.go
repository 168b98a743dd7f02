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

// consequence adds what the policy makes of a violation. Only what was observed has
// consequences: a request may claim anything.
func (s *subject) consequence(v fleet.Verdict) fleet.Verdict {
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
	if left := c.Grace - s.world.At.Sub(s.firstSeen()); left > 0 {
		v.Again = left
		v.Remedy += fmt.Sprintf("; %s after the first finding this follows: %s", c.Grace, change.Kind)
		return v
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

// firstSeen is when the instance was first looked at; now, on the first look. A message
// says it: it is not believed to lie before the instance's creation.
func (s *subject) firstSeen() time.Time {
	first := s.inst.Ref.Try.FirstSeen
	if first.IsZero() {
		return s.world.At
	}
	if created := s.inst.Listed.V.Created; first.Before(created) {
		return created
	}
	return first
}

func allObserved(evidence []fleet.Evidence) bool {
	for _, e := range evidence {
		if e.Source != fleet.Observed.String() {
			return false
		}
	}
	return len(evidence) > 0
}
