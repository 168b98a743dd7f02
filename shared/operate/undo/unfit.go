package undo

import (
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

// ownDoing reports whether the function in whose part of the ledger a change stands makes
// such changes. What another tells counts for nothing. A kind that this program does not
// know may be anybody's.
func (m Made) ownDoing() bool {
	_, moves := moved(m.change())
	makers := fleet.Makers(m.Kind)
	switch {
	case len(makers) == 0 && !moves:
		return true
	case m.Function == fleet.FunctionBackfill:
		return moves
	}
	return slices.Contains(makers, m.Function)
}

// unfit says why a change cannot be undone and what a person can do; empty when it can.
// isMove says that it moves a slot.
func (p *Plan) unfit(m Made, mv move, isMove bool) (why, remedy string) {
	look := "look at the ledger object " + m.Entry + ": Fleetwarden did not write that"
	switch {
	case !m.ownDoing():
		return "it stands in the ledger of a function that makes no such changes", look
	case !isMove && !p.plausible(m):
		return noControl, look
	case !isMove:
		return lasting(m)
	case Ordered(&policy.Policy{}).ModeOf(m.Control) != policy.Enforce:
		return fmt.Sprintf("this program does not know the control %q", m.Control), "use the version that made the change"
	case made(m.change()) && strings.HasPrefix(m.ID, sharePolicies):
		return "the policy did not exist before: it stays, since it grants nothing once it is detached, and what is deleted cannot be put back",
			"if nothing uses it: aliyun ram DeletePolicy --PolicyName " + m.ID
	case mv.slot.facet == attached && !p.systrusts(m, mv):
		return "it is not about the role " + p.policy.InstanceRole.Role + " of the policy file: an undo detaches no other",
			"if it was made under another policy file, undo it with that one; else " + look
	case !possible(m, mv):
		return noControl, look
	}
	return "", ""
}

const noControl = "no control makes such a change"

// systrusts reports whether a change to an instance's role gave it the systrust role.
// What undoing made may have taken that away as well. The other one is somebody's, and
// the plan shows it.
func (p *Plan) systrusts(m Made, mv move) bool {
	is := func(name string) bool { return attached.same(name, p.policy.InstanceRole.Role) }
	return is(mv.to) || m.Function == fleet.FunctionBackfill && is(mv.from)
}

// possible reports whether a move may be one that a control makes.
func possible(m Made, mv move) bool {
	switch mv.slot.facet {
	case attached:
		return plainOrNone(mv.from) && plainOrNone(mv.to)
	case tag, power:
		return ours(mv.from) && ours(mv.to)
	case trust, mark:
		return isShareRole(m.ID)
	case keys:
		return isShareRole(mv.slot.name) && (strings.HasPrefix(m.ID, sharePolicies) || m.ID == everyKey)
	case document:
		_, from := rampolicy.ParseKeyPolicy(mv.from)
		_, to := rampolicy.ParseKeyPolicy(mv.to)
		return strings.HasPrefix(m.ID, sharePolicies) && from && to
	case grant:
		return slices.Contains(systrust(), mv.from+mv.to)
	}
	return false
}

// plausible reports whether what moves no slot is about what its control is about: a
// person is told commands for it.
func (p *Plan) plausible(m Made) bool {
	switch m.Kind {
	case fleet.EnsureRole:
		return attached.same(m.ID, p.policy.InstanceRole.Role) && slices.Contains(systrust(), m.Want)
	case fleet.EnsureShareRole:
		return isShareRole(m.ID)
	}
	return true
}

const (
	sharePolicies = "fleetwarden-share-"
	everyKey      = "AliyunKMSFullAccess"
	ourTags       = "fleetwarden:"
)

// systrust are the policies that the systrust role may get.
func systrust() []string { return []string{"fleetwarden-systrust", "AliyunSysTrustFullAccess"} }

// ours reports whether a value is a tag of ours, running, or none.
func ours(value string) bool {
	return value == "" || value == running || strings.HasPrefix(value, ourTags)
}

func isShareRole(name string) bool {
	return strings.EqualFold(name, fleet.SnapshotShareRole) || strings.EqualFold(name, fleet.ImageShareRole)
}

// lasting is about what moves no slot.
func lasting(m Made) (why, remedy string) {
	switch m.Kind {
	case fleet.EnsureRole:
		return "the role stays: instances may have it, and what is deleted cannot be put back",
			fmt.Sprintf("when no instance has it: aliyun ram DetachPolicyFromRole --PolicyType %s --PolicyName %s --RoleName %s, then aliyun ram DeleteRole --RoleName %[3]s",
				acts.PolicyNamed(m.Want).Type, m.Want, m.ID)
	case fleet.EnsureShareRole:
		return "the role stays: shares need it, and what is deleted cannot be put back",
			"when nothing encrypted is shared: detach its policies, then aliyun ram DeleteRole --RoleName " + m.ID
	case fleet.PushAgent:
		return "an installation is not taken back: instances would be unprotected", "uninstall the agent of " + m.ID + " in the Security Center console"
	case fleet.PushTrustClient:
		return "an installation is not taken back", "remove the trust client from " + m.ID + " by hand"
	case fleet.RefreshAssets:
		return "it made Security Center look, and changed nothing", ""
	}
	return fmt.Sprintf("this program does not know the change %q", m.Kind), "use the version that made it"
}
