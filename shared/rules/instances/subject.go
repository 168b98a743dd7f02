package instances

import (
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/verdict"
)

const (
	// settle is how long after an event its instance may still be missing from
	// DescribeInstances, or lack the tags that its launch brings.
	settle = 10 * time.Minute
	// firstLook and longestWait limit the doubling wait between checks.
	firstLook   = 15 * time.Second
	longestWait = 5 * time.Minute
)

// subject is one instance in its world, for the rules of a control.
type subject struct {
	world  *fleet.World
	policy *policy.Policy
	name   string // of the control
	inst   *fleet.Instance
}

// there decides instances that need no rule: missing or unknown ones.
func (s *subject) there() (fleet.Verdict, bool) {
	switch {
	case s.inst.Gone.Seen() && s.inst.Gone.V:
		return s.gone(), false
	case !s.inst.Listed.Seen():
		return verdict.Undecided("the instance could not be read: " + s.inst.Listed.Why), false
	}
	return fleet.Verdict{}, true
}

// gone is the verdict on an instance that was not found. Right after a launch it may come
// yet; later, it was released or is elsewhere.
func (s *subject) gone() (v fleet.Verdict) {
	first := s.inst.Ref.Try.FirstSeen // a hint: it can only end what its own message waits for
	if first.IsZero() {
		first = s.world.At
	}
	if s.world.At.Sub(first) < settle {
		v.Outcome, v.Again = fleet.Pending, wait(s.inst.Ref.Try.N)
		v.Reason = "the instance is not found yet"
		return v
	}
	v.Outcome, v.Severity = fleet.Fault, fleet.Low
	v.Reason = fmt.Sprintf("no instance %s in %s: it was released, or the event named a wrong place", s.inst.Ref.ID, s.inst.Ref.Scope)
	return v
}

// Waiting returns the instances with a verdict whose patience only the memory of the sweep
// can end, as decide finds in a world without it.
func Waiting(decide func(*fleet.World, *policy.Policy) []fleet.Verdict, p *policy.Policy) func(*fleet.World) []string {
	return func(w *fleet.World) []string {
		var ids []string
		for _, v := range decide(w, p) {
			if v.Patience > 0 && v.Since.IsZero() && v.Ref.Kind == fleet.KindInstance && !slices.Contains(ids, v.Ref.ID) {
				ids = append(ids, v.Ref.ID)
			}
		}
		return ids
	}
}

// found returns since when sweeps have found that a rule does not hold; zero if unknown. It
// is limited to the time from the instance's creation to now.
func (s *subject) found(rule string) time.Time {
	first, ok := s.inst.Found.V[rule]
	if ok && s.inst.Found.Seen() && !first.After(s.world.At) {
		return latest(first, s.inst.Listed.V.Created)
	}
	if s.world.Remembers {
		return s.world.At
	}
	return time.Time{}
}

// since returns since when a rule has not held, by a fact of the cloud or, without one, by
// the memory of the sweep; not before the instance was last started. It is zero without
// either.
func (s *subject) since(rule string, fact time.Time) time.Time {
	if fact.IsZero() {
		if fact = s.found(rule); fact.IsZero() {
			return fact
		}
	}
	t := latest(fact, s.inst.Listed.V.Created, s.inst.Listed.V.Started)
	if t.After(s.world.At) {
		return s.world.At
	}
	return t
}

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}

// cutOff is what CreationTime may be before an instance was created: ECS cuts the seconds
// off.
const cutOff = time.Minute

// age is how long ago the instance was created, by the cloud's clock, and at most cutOff
// less than that.
func (s *subject) age() time.Duration { return s.world.At.Sub(s.inst.Listed.V.Created) }

// wait is the pause before the look that follows n others.
func wait(n int) time.Duration {
	if n > 8 {
		return longestWait
	}
	return min(firstLook<<max(n, 0), longestWait)
}

// candidacy says whether an instance is meant to be trusted, and how that is
// known. An ordinary instance is left alone.
func candidacy(i *fleet.Instance) (is bool, how fleet.Evidence) {
	l := i.Listed.V
	if family, enhanced := l.Generation(); enhanced {
		return true, verdict.Observed("instance type family", family)
	}
	if _, ok := l.Tags[fleet.TagSupportVTPM]; ok {
		return true, verdict.Observed("system tag", fleet.TagSupportVTPM)
	}
	if mode := trustAsked(i.Ref.Call); mode != "" {
		return true, verdict.Claimed("SecurityOptions", mode)
	}
	return false, fleet.Evidence{}
}

// Candidate reports whether an instance is meant to be trusted. Others are left
// alone, and little is asked about them.
func Candidate(i *fleet.Instance) bool {
	is, _ := candidacy(i)
	return is
}

// meant reports whether rules about trusted instances are asked of this one.
func (s *subject) meant() bool {
	return Candidate(s.inst) || s.name == policy.ControlTrustedInstance && s.policy.TrustedInstance.Require == policy.RequireAll
}

// trustAsked returns the trusted mode that a launch asked for: vTPM, or Enclave,
// which switches the trusted system on too.
func trustAsked(c *fleet.Call) string {
	switch {
	case c == nil || c.Launch == nil:
		return ""
	case c.Launch.TrustedSystemMode == "vTPM":
		return "vTPM"
	case c.Launch.ConfidentialComputingMode == "Enclave":
		return "Enclave"
	}
	return ""
}

// generation is the first number in a bare family, such as 7 for g7t and ebmg7t, or 10 for
// g10t; 0 when there is none.
func generation(family string) int {
	n, begun := 0, false
	for _, c := range []byte(family) {
		digit := c >= '0' && c <= '9'
		switch {
		case digit && n < 1000:
			n, begun = 10*n+int(c-'0'), true
		case begun:
			return n
		}
	}
	return n
}
