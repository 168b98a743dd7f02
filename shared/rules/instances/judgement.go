package instances

import (
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/verdict"
)

// judgement is the evaluation of one role, made once for all instances that share it.
type judgement struct {
	missing bool
	trusted bool // ECS may assume it
	// answer is Allowed when ECS may assume the role and it grants the systrust
	// actions.
	answer rampolicy.Answer
	why    string // unless Allowed; reads on from "the role X"
	// futile is why granting the actions would not help; empty when it would.
	futile string
	// broad are sweeping rights, of the policies that could be read; unread is why there
	// may be more.
	broad  []string
	unread string
}

type judgements struct {
	world  *fleet.World
	policy string // the policy that grants would attach
	by     map[string]judgement
}

func (js judgements) of(name string) judgement {
	if j, ok := js.by[name]; ok {
		return j
	}
	j := judgeRole(js.world.Roles[name], js.policy)
	js.by[name] = j
	return j
}

func judgeRole(f fleet.Fact[fleet.Role], policy string) judgement {
	if !f.Seen() {
		why := "it was not read: " + f.Why
		return judgement{answer: rampolicy.Unsure, why: why, unread: why}
	}
	if f.V.Missing {
		return judgement{missing: true, why: "does not exist"}
	}
	docs, unread := verdict.Documents(f.V.Policies)
	j := judgement{broad: overBroad(docs), unread: unread}
	j.trusted, j.answer, j.why = verdict.ECSMayAssume(f.V.Trust)
	if !j.trusted {
		return j
	}
	switch j.answer = rampolicy.Grants(docs, rampolicy.SysTrustActions(), "*"); j.answer {
	case rampolicy.Unsure:
		j.why = "a condition in its policies is not known"
		if unread != "" {
			j.why = unread
		}
	case rampolicy.Denied:
		j.why = "does not grant the yundun-systrust actions"
		j.futile = futile(f.V.Policies, docs, policy)
	}
	return j
}

// overBroad names sweeping rights. A policy that cannot be read only may grant too much.
func overBroad(docs []*rampolicy.Document) []string {
	readable := slices.Clone(docs)
	for i, d := range readable {
		if d == nil {
			readable[i] = &rampolicy.Document{}
		}
	}
	return rampolicy.OverBroad(readable)
}

// futile is why the role would not grant the actions even with the policy attached.
func futile(attached []fleet.Policy, docs []*rampolicy.Document, policy string) string {
	if slices.ContainsFunc(attached, func(p fleet.Policy) bool { return p.Name == policy }) {
		return "its policy " + policy + " has other content; repair it manually"
	}
	grant, err := rampolicy.Parse(rampolicy.SysTrustPolicy())
	if err == nil && rampolicy.Grants(append(slices.Clip(docs), grant), rampolicy.SysTrustActions(), "*") == rampolicy.Allowed {
		return ""
	}
	return "one of its policies denies them, or may; a grant would not help"
}
