package rules

import (
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

const (
	// settle is how long after an event its instance may still be missing from
	// DescribeInstances, or lack the tags that its launch brings.
	settle = 10 * time.Minute
	// firstLook and longestWait bound the doubling wait between looks.
	firstLook   = 15 * time.Second
	longestWait = 5 * time.Minute
)

// subject is one instance in its world, as a rule of an instance control sees it.
type subject struct {
	world   *fleet.World
	policy  *policy.Policy
	control policy.Control
	name    string // of the control
	inst    *fleet.Instance
}

// RuleInstance is the id of the verdict on an instance as a whole: that it is not
// there, cannot be read, or is none of the control's.
const RuleInstance = "instance"

// judge runs rules on every instance that the control covers. An instance that
// cannot be judged gets one verdict, which says why.
func judge(w *fleet.World, p *policy.Policy, name string, c policy.Control, rules []rule) []fleet.Verdict {
	out := make([]fleet.Verdict, 0, len(w.Instances)*len(rules))
	for i := range w.Instances {
		s := &subject{w, p, c, name, &w.Instances[i]}
		if v, ok := s.admit(); !ok {
			out = append(out, v)
			continue
		}
		for _, r := range rules {
			if v := r.decide(s); v.Outcome != "" {
				v.Ref, v.Control, v.Rule = s.inst.Ref, name, r.id
				out = append(out, s.exempt(v))
			}
		}
	}
	return out
}

// rule is one row of a control. decide leaves Outcome empty when it has nothing
// to say that another rule has not said.
type rule struct {
	id     string
	decide func(*subject) fleet.Verdict
}

// admit settles what no rule need ask: whether the instance is there, known, and
// covered by the control.
func (s *subject) admit() (fleet.Verdict, bool) {
	v := fleet.Verdict{Ref: s.inst.Ref, Control: s.name, Rule: RuleInstance}
	if s.inst.Gone.Seen() && s.inst.Gone.V {
		return s.gone(v), false
	}
	if !s.inst.Listed.Seen() {
		v.Outcome, v.Severity = fleet.Undecided, fleet.Medium
		v.Reason = "the instance could not be read: " + s.inst.Listed.Why
		return v, false
	}
	switch s.control.Covers(s.inst.Ref.Scope, s.inst.Listed) {
	case policy.No:
		v.Outcome, v.Reason = fleet.NotApplicable, "outside the scope of the policy"
		return v, false
	case policy.Maybe:
		v.Outcome, v.Severity = fleet.Undecided, fleet.Medium
		v.Reason = "whether the policy's scope covers it could not be told"
		return v, false
	}
	return v, true
}

// gone is the verdict on an instance that was asked for and not found. Right
// after a launch that means "not yet"; later, released or elsewhere.
func (s *subject) gone(v fleet.Verdict) fleet.Verdict {
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

// exempt takes the changes away from what the policy exempts.
func (s *subject) exempt(v fleet.Verdict) fleet.Verdict {
	return waive(s.policy, v, s.inst.Listed, s.world.At)
}

func waive(p *policy.Policy, v fleet.Verdict, listed fleet.Fact[fleet.Listing], at time.Time) fleet.Verdict {
	if v.Outcome != fleet.Violation && v.Outcome != fleet.Conflict {
		return v
	}
	if e, ok := p.Exempt(v.Control, v.Rule, v.Ref, listed, at); ok {
		return exempted(v, e)
	}
	if e, ok := p.Lapsed(v.Control, v.Rule, v.Ref, listed, at); ok {
		v.Reason += fmt.Sprintf("; the exemption by %s (%s) ended on %s", e.Owner, e.Reason, lastDay(e))
	}
	return v
}

// lastDay is the last day on which an exemption works.
func lastDay(e policy.Exemption) string {
	return e.Expires.Add(-time.Nanosecond).Format(time.DateOnly)
}

func exempted(v fleet.Verdict, e policy.Exemption) fleet.Verdict {
	v.Reason = fmt.Sprintf("exempt until %s by %s (%s): %s", lastDay(e), e.Owner, e.Reason, v.Reason)
	v.Outcome, v.Severity, v.Remedy, v.Changes, v.Again, v.Patience = fleet.Exempted, fleet.Info, "", nil, 0, 0
	return v
}

// Waiting returns the instances with a verdict whose patience only the memory of the sweep
// can end: those that decide finds so in a world without it.
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

// found returns since when sweeps have found that a rule does not hold; zero where that
// is not known. It is not believed to lie before the instance's creation, or ahead.
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

// since returns since when a rule has not held, by a fact of the cloud or, where there is
// none, by the memory of the sweep; not before the instance was last started. It is zero
// where neither says it.
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

// age is how long ago the instance was created, by the cloud's clock.
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
		return true, observed("instance type family", family)
	}
	if _, ok := l.Tags[fleet.TagSupportVTPM]; ok {
		return true, observed("system tag", fleet.TagSupportVTPM)
	}
	if mode := trustAsked(i.Ref.Call); mode != "" {
		return true, claimed("SecurityOptions", mode)
	}
	return false, fleet.Evidence{}
}

// Candidate reports whether an instance is meant to be trusted. Others are left
// alone, and little is asked about them.
func Candidate(i *fleet.Instance) bool {
	is, _ := candidacy(i)
	return is
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

// generation is the digit of a bare family, such as 7 for g7t; 0 when there is none.
func generation(family string) int {
	i := slices.IndexFunc([]byte(family), func(c byte) bool { return c >= '0' && c <= '9' })
	if i < 0 {
		return 0
	}
	return int(family[i] - '0')
}

func observed(name, value string) fleet.Evidence {
	return fleet.Evidence{Name: name, Value: value, Source: fleet.Observed.String()}
}

func claimed(name, value string) fleet.Evidence {
	return fleet.Evidence{Name: name, Value: value, Source: fleet.Claimed.String()}
}

func evidence[T any](name string, f fleet.Fact[T]) fleet.Evidence {
	return fleet.Evidence{Name: name, Value: fmt.Sprint(f.V), Source: f.Source.String()}
}

func passes(reason string, e ...fleet.Evidence) fleet.Verdict {
	return fleet.Verdict{Outcome: fleet.Passes, Reason: reason, Evidence: e}
}

func notApplicable(reason string) fleet.Verdict {
	return fleet.Verdict{Outcome: fleet.NotApplicable, Reason: reason}
}

func undecided(reason string) fleet.Verdict {
	return fleet.Verdict{Outcome: fleet.Undecided, Severity: fleet.Medium, Reason: reason}
}

func violation(severity fleet.Severity, reason, remedy string, e ...fleet.Evidence) fleet.Verdict {
	return fleet.Verdict{Outcome: fleet.Violation, Severity: severity, Reason: reason, Remedy: remedy, Evidence: e}
}
