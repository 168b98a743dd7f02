package instances

import (
	"fmt"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/verdict"
)

// Role decides control instance-role: each trusted instance has a RAM role that ECS may assume
// and that may report trust data to Security Center.
func Role(w *fleet.World, p *policy.Policy) []fleet.Verdict {
	roles := judgements{world: w, policy: p.InstanceRole.Policy, by: map[string]judgement{}}
	return judge(w, p, policy.ControlInstanceRole, []rule{
		{policy.RuleSystrustRole, false, func(s *subject) fleet.Verdict { return systrustRole(s, roles) }},
		{policy.RuleOverBroadRole, false, func(s *subject) fleet.Verdict { return overBroadRole(s, roles) }},
	})
}

// WantsRole selects the instances whose role the control's rules need: trusted ones, and,
// where the policy warns of roles that are too broad, all that the control covers.
func WantsRole(p *policy.Policy) func(*fleet.Instance) bool {
	return func(i *fleet.Instance) bool {
		rule := policy.RuleOverBroadRole
		if Candidate(i) {
			rule = ""
		}
		return p.Covers(policy.ControlInstanceRole, rule, i.Ref.Scope, i.Listed) == policy.Yes
	}
}

// systrustRole evaluates a table: no role, the right role, another role, or unknown.
func systrustRole(s *subject, roles judgements) fleet.Verdict {
	is, how := candidacy(s.inst)
	if !is {
		return verdict.NotApplicable("not a trusted instance")
	}
	if how.Source == fleet.Claimed.String() {
		return s.claimedOnly(how)
	}
	if v, ok := s.served(); !ok {
		return v
	}
	role := s.inst.RoleName
	switch {
	case s.inst.Listed.V.Classic:
		return verdict.Violation(fleet.Medium, "the classic network allows no instance RAM role",
			"migrate the instance to a VPC, or launch it again in one", how)
	case !role.Seen():
		return verdict.Undecided("the instance's role could not be read: " + role.Why)
	case role.V == "":
		return s.withoutRole(how, roles)
	default:
		return s.withRole(role.V, how, roles)
	}
}

// claimedOnly is the verdict on an instance that only its launch request calls trusted. The
// system tag may come late; until then, nothing is changed.
func (s *subject) claimedOnly(how fleet.Evidence) fleet.Verdict {
	v := verdict.Undecided("the launch asked for a trusted instance, but the instance does not carry the tag " + fleet.TagSupportVTPM)
	v.Evidence = []fleet.Evidence{how}
	if s.age() < settle {
		v.Outcome, v.Severity, v.Again = fleet.Pending, "", wait(s.inst.Ref.Try.N)
	}
	return v
}

// served reports whether the control covers the instance, rather than the operator's own
// trust service.
func (s *subject) served() (fleet.Verdict, bool) {
	switch s.policy.IsSelfManaged(s.inst.Ref.Scope, s.inst.Listed) {
	case policy.Yes:
		v := verdict.NotApplicable("in a self-managed scope: the operator's own trust service looks after it")
		if s.policy.SelfManagedByTag(s.inst.Ref.Scope, s.inst.Listed) {
			v.Reason += "; its tags say so, and " + verdict.AnyTagger
			v = verdict.Remark(v)
		}
		return v, false
	case policy.Maybe:
		return verdict.Undecided("whether a self-managed scope covers it could not be determined"), false
	}
	return fleet.Verdict{}, true
}

func (s *subject) withoutRole(how fleet.Evidence, roles judgements) fleet.Verdict {
	c := s.policy.InstanceRole
	if left := c.AttachAfter + cutOff - s.age(); c.AttachAfter > 0 && left > 0 {
		return fleet.Verdict{Outcome: fleet.Pending, Again: left, Evidence: []fleet.Evidence{how},
			Reason: "no role yet; the policy leaves " + c.AttachAfter.String() + " after a launch to others"}
	}
	v := verdict.Violation(fleet.High, "the instance has no RAM role, so it cannot report trust data to Security Center",
		fmt.Sprintf("attach the RAM role %s to the instance", c.Role), how, verdict.Observed("role", ""))
	needs, blocked := s.ready(roles)
	if blocked != "" {
		v.Outcome, v.Reason = fleet.Undecided, v.Reason+"; "+blocked
		return v
	}
	attach := fleet.Change{Kind: fleet.AttachRole, Ref: s.inst.Ref, Want: c.Role, Reason: v.Reason}
	return s.change(v, needs, attach)
}

// withRole judges the role that is attached.
func (s *subject) withRole(name string, how fleet.Evidence, roles judgements) fleet.Verdict {
	j := roles.of(name)
	e := []fleet.Evidence{how, verdict.Observed("role", name)}
	switch j.answer {
	case rampolicy.Allowed:
		return verdict.Passes("the role may report trust data", e...)
	case rampolicy.Unsure:
		v := verdict.Undecided("whether the role may report trust data could not be determined: " + j.why)
		v.Evidence = e
		return v
	}
	v := fleet.Verdict{Severity: fleet.High, Evidence: e,
		Reason: fmt.Sprintf("the role %s %s", name, j.why)}
	if strings.EqualFold(name, s.policy.InstanceRole.Role) {
		return s.repairOwn(v, j, roles)
	}
	return s.conflict(v, name, j, roles)
}

// repairOwn repairs the systrust role itself.
func (s *subject) repairOwn(v fleet.Verdict, j judgement, roles judgements) fleet.Verdict {
	v.Outcome = fleet.Violation
	if j.missing {
		v.Remedy = "make the RAM role again, with the policy " + s.policy.InstanceRole.Policy
		needs, blocked := s.ready(roles)
		if needs == nil { // RAM has it under another spelling of the name, or it was not read
			v.Outcome = fleet.Undecided
			if blocked != "" {
				v.Reason += "; " + blocked
			}
			return v
		}
		return s.change(v, nil, *needs)
	}
	if !j.trusted {
		v.Remedy = fmt.Sprintf("make the RAM role %s trust %s again; Fleetwarden does not rewrite the trust policy of a role that is in use",
			s.policy.InstanceRole.Role, rampolicy.ECSService)
		return v
	}
	v.Remedy = fmt.Sprintf("attach the policy %s to the RAM role %s", s.policy.InstanceRole.Policy, s.policy.InstanceRole.Role)
	if j.futile != "" {
		v.Remedy = fmt.Sprintf("repair the policies of the RAM role %s: %s", s.policy.InstanceRole.Role, j.futile)
		return v
	}
	return s.change(v, nil, s.grant(s.policy.InstanceRole.Role, v.Reason))
}

// conflict follows the operator's choice for an instance with another role: there is one
// slot, and its role serves the workload's owner.
func (s *subject) conflict(v fleet.Verdict, name string, j judgement, roles judgements) fleet.Verdict {
	v.Outcome = fleet.Conflict
	v.Remedy = fmt.Sprintf("grant %s the actions of the policy %s, or replace it by %s; an instance has one role",
		name, s.policy.InstanceRole.Policy, s.policy.InstanceRole.Role)
	switch s.policy.InstanceRole.Conflict {
	case policy.ConflictGrant:
		if j.missing || !j.trusted {
			return v // granting to a role that ECS cannot assume has no effect
		}
		if j.futile != "" {
			v.Reason += "; " + j.futile
			return v
		}
		return s.change(v, nil, s.grant(name, v.Reason))
	case policy.ConflictReplace:
		needs, blocked := s.ready(roles)
		if blocked != "" {
			v.Reason += "; " + blocked
			return v
		}
		if needs != nil {
			// ECS does not see a new role at once, and a role that was detached for it
			// would be missing meanwhile: first the role, at the next check the rest.
			v.Again = wait(s.inst.Ref.Try.N + 1)
			return s.change(v, nil, *needs)
		}
		return s.change(v, nil, fleet.Change{Kind: fleet.ReplaceRole, Ref: s.inst.Ref, Before: name,
			Want: s.policy.InstanceRole.Role, Reason: v.Reason})
	}
	return v
}

// ready returns the change that must precede attaching the systrust role, or why it cannot
// be attached.
func (s *subject) ready(roles judgements) (needs *fleet.Change, blocked string) {
	name := s.policy.InstanceRole.Role
	j := roles.of(name)
	switch {
	case j.missing:
		return &fleet.Change{Kind: fleet.EnsureRole, Ref: s.role(name), Want: s.policy.InstanceRole.Policy,
			Reason: "the RAM role " + name + " does not exist"}, ""
	case j.answer == rampolicy.Allowed:
		return nil, ""
	case j.answer == rampolicy.Unsure:
		return nil, "whether the role " + name + " is fit could not be determined: " + j.why
	case !j.trusted:
		return nil, "the role " + name + " " + j.why + ": repair its trust policy first"
	case j.futile != "":
		return nil, "the role " + name + " " + j.why + ": " + j.futile
	}
	return new(s.grant(name, "the role "+name+" "+j.why)), ""
}

func (s *subject) grant(role, reason string) fleet.Change {
	return fleet.Change{Kind: fleet.GrantRole, Ref: s.role(role), Want: s.policy.InstanceRole.Policy, Reason: reason}
}

func (s *subject) role(name string) fleet.Ref {
	return fleet.Ref{Scope: fleet.Scope{Account: s.inst.Ref.Scope.Account}, Kind: fleet.KindRole, ID: name}
}

// change adds changes to v if the policy lets this instance be changed.
func (s *subject) change(v fleet.Verdict, needs *fleet.Change, c fleet.Change) fleet.Verdict {
	if s.policy.MayChange(s.name, s.inst.Ref.Scope, s.inst.Listed) != policy.Yes {
		v.Reason += s.leftAlone()
		return v
	}
	if needs != nil {
		c.Needs = needs.Ref.Key()
		v.Changes = append(v.Changes, *needs)
	}
	v.Changes = append(v.Changes, c)
	return v
}

// leftAlone is why an instance that a service owns is not changed.
func (s *subject) leftAlone() string {
	l := s.inst.Listed.V
	if l.ManagedByHint() {
		return fmt.Sprintf("; not changed, because the tag %s says that %s owns the instance, and no scope of the policy names it; %s", fleet.TagACK, l.Manager(), verdict.AnyTagger)
	}
	return fmt.Sprintf("; not changed, because %s owns the instance and no scope of the policy names it", l.Manager())
}

// overBroadRole warns of a role that lets the instance do nearly everything.
func overBroadRole(s *subject, roles judgements) fleet.Verdict {
	role := s.inst.RoleName
	switch {
	case !role.Seen() && !Candidate(s.inst):
		return verdict.Undecided("the instance's role could not be read: " + role.Why)
	case !role.Seen(), role.V == "":
		return fleet.Verdict{} // systrust-role has reported it, or there is nothing to report
	}
	j := roles.of(role.V)
	switch {
	case j.missing:
		return fleet.Verdict{} // systrust-role has reported it
	case j.unread != "" && len(j.broad) == 0:
		return verdict.Undecided("whether the role grants too much could not be determined: " + j.unread)
	case len(j.broad) == 0:
		return verdict.Passes("the role grants no sweeping rights", verdict.Observed("role", role.V))
	}
	return verdict.Violation(fleet.Medium, fmt.Sprintf("the role %s grants too much: %s", role.V, strings.Join(j.broad, "; ")),
		"replace the policy by one that names what the workload needs", verdict.Observed("role", role.V))
}
