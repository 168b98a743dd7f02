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

// credible reports whether the function whose part of the ledger has a change makes such
// changes: a record by another function does not count. A kind that this program does not know
// may be made by any function.
func (m Made) credible() bool {
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

// unfit says why a change cannot be undone and what the operator can do; empty if it can.
// isMove says that it moves a slot.
func (p *Plan) unfit(m Made, mv move, isMove bool) (why, remedy string) {
	check := "check the ledger object " + m.Entry + ": Fleetwarden did not write that"
	switch {
	case !m.credible():
		return "it is in the ledger of a function that makes no such changes", check
	case !isMove && !p.plausible(m):
		return noControl, check
	case !isMove:
		return lasting(m)
	case Ordered(&policy.Policy{}).ModeOf(m.Control) != policy.Enforce:
		return fmt.Sprintf("this program does not know the control %q", m.Control), "use the version that made the change"
	case made(m.change()) && strings.HasPrefix(m.ID, sharePolicies):
		return "the policy did not exist before: it stays, since it grants nothing once it is detached, and a deleted one cannot be restored",
			"if nothing uses it: aliyun ram DeletePolicy --PolicyName " + m.ID
	case mv.slot.facet == attached && !p.systrusts(m, mv):
		return "it is not about the role " + p.policy.InstanceRole.Role + " of the policy file: an undo detaches no other",
			"if it was made under another policy file, undo it with that one; else " + check
	case !possible(m, mv):
		return noControl, check
	}
	return "", ""
}

const noControl = "no control makes such a change"

// systrusts reports whether a change of an instance's role gave it the systrust role, or, if
// undoing made it, replaced that role. The other role may be any: the plan shows it.
func (p *Plan) systrusts(m Made, mv move) bool {
	is := func(name string) bool { return attached.same(name, p.policy.InstanceRole.Role) }
	return is(mv.to) || m.Function == fleet.FunctionBackfill && is(mv.from)
}

// possible reports whether a control may have made a move.
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

// plausible reports whether a change that moves no slot is about a resource of its control: the
// operator gets commands for it.
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

// lasting says why a change that moves no slot stays.
func lasting(m Made) (why, remedy string) {
	switch m.Kind {
	case fleet.EnsureRole:
		return "the role stays: instances may have it, and a deleted one cannot be restored",
			fmt.Sprintf("when no instance has it: aliyun ram DetachPolicyFromRole --PolicyType %s --PolicyName %s --RoleName %s, then aliyun ram DeleteRole --RoleName %[3]s",
				acts.PolicyNamed(m.Want).Type, m.Want, m.ID)
	case fleet.EnsureShareRole:
		return "the role stays: shares need it, and a deleted one cannot be restored",
			"when nothing encrypted is shared: detach its policies, then aliyun ram DeleteRole --RoleName " + m.ID
	case fleet.PushAgent:
		return "an installation is not taken back: instances would be unprotected", "uninstall the agent of " + m.ID + " in the Security Center console"
	case fleet.PushTrustClient:
		return "an installation is not taken back", "remove the trust client from " + m.ID + " by hand"
	case fleet.RefreshAssets:
		return "it made Security Center refresh its assets, and changed nothing", ""
	}
	return fmt.Sprintf("this program does not know the change %q", m.Kind), "use the version that made it"
}
