package instances

import (
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/verdict"
)

// rule is one row of a control of instances. decide leaves Outcome empty where another rule
// reports the result.
type rule struct {
	id string
	// candidates: the rule applies to instances that are meant to be trusted, or to all
	// where the policy requires all to be.
	candidates bool
	decide     func(*subject) fleet.Verdict
}

// judge evaluates the rules of a control for every instance. Each rule passes one gate:
// mode, skip, account, region, include, exclude, whether the instance exists, candidacy,
// and after its verdict the exemptions and what is enforced.
func judge(w *fleet.World, p *policy.Policy, name string, rules []rule) []fleet.Verdict {
	rules = slices.DeleteFunc(slices.Clone(rules), func(r rule) bool { return !p.Asks(name, r.id) })
	subjects := make([]subject, len(w.Instances))
	most := 1 // an ordinary instance has two verdicts, a candidate one a rule; and there is KMS
	for i := range w.Instances {
		subjects[i] = subject{world: w, policy: p, name: name, inst: &w.Instances[i]}
		if subjects[i].meant() {
			most += len(rules)
		} else {
			most += 2
		}
	}
	out := make([]fleet.Verdict, 0, most)
	for i := range subjects {
		out = subjects[i].judge(out, rules)
	}
	return out
}

func (s *subject) judge(out []fleet.Verdict, rules []rule) []fleet.Verdict {
	whole := s.covered("")
	meant, there := s.meant(), false
	var outside, unsure, ordinary bool
	for _, r := range rules {
		covered := whole
		if s.policy.HasScope(r.id) {
			covered = s.covered(r.id)
		}
		switch {
		case covered == policy.No && whole == policy.No:
			outside = true
			continue
		case covered == policy.No:
			out = append(out, s.sign(r.id, s.outside(r.id)))
			continue
		case covered == policy.Maybe:
			unsure = true
		}
		if !there {
			v, ok := s.there()
			if !ok {
				return append(out, s.sign(policy.RuleInstance, v))
			}
			there = true
		}
		switch {
		case unsure:
		case r.candidates && !meant:
			ordinary = true
		default:
			if v := r.decide(s); v.Outcome != "" {
				out = append(out, s.enforce(verdict.Waive(s.policy, s.sign(r.id, v), s.inst.Listed, s.world.At)))
			}
		}
	}
	switch {
	case unsure:
		out = append(out, s.sign(policy.RuleInstance, verdict.Undecided("whether the policy's scope covers it could not be determined")))
	case outside:
		out = append(out, s.sign(policy.RuleInstance, s.outside("")))
	case ordinary:
		out = append(out, s.sign(policy.RuleInstance, verdict.NotApplicable("not a trusted instance")))
	}
	return out
}

func (s *subject) covered(rule string) policy.Match {
	return s.policy.Covers(s.name, rule, s.inst.Ref.Scope, s.inst.Listed)
}

func (s *subject) sign(rule string, v fleet.Verdict) fleet.Verdict {
	v.Ref, v.Control, v.Rule = s.inst.Ref, s.name, rule
	return v
}

// outside is the verdict on instances outside the scope of a rule; an empty rule is the
// control.
func (s *subject) outside(rule string) fleet.Verdict {
	if s.policy.LeftOutByTag(s.name, rule, s.inst.Ref.Scope, s.inst.Listed) {
		return verdict.Remark(verdict.NotApplicable(verdict.OutsideScope + " by its tags, or the lack of them; " + verdict.AnyTagger))
	}
	return verdict.NotApplicable(verdict.OutsideScope)
}
