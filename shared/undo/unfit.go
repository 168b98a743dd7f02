package undo

import (
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

// unfit says why a change cannot be undone and what a person can do; empty when it can.
// isMove says that it moves a slot.
func unfit(m Made, mv move, isMove bool) (why, remedy string) {
	if !isMove {
		return lasting(m)
	}
	if Ordered(&policy.Policy{}).ModeOf(m.Control) != policy.Enforce {
		return "this program does not know the control " + m.Control, "use the version that made the change"
	}
	if m.Kind == fleet.SetKeyPolicy && mv.from == "" {
		return "the policy did not exist before: it stays, since it grants nothing once it is detached, and what is deleted cannot be put back",
			"if nothing uses it: aliyun ram DeletePolicy --PolicyName " + m.ID
	}
	if why := foreign(m, mv); why != "" {
		return why, "look at the ledger object " + m.Entry + ": Fleetwarden did not write that"
	}
	if mv.slot.facet == trust {
		return untrusted(m, mv.from)
	}
	return "", ""
}

// untrusted refuses a trust document that must not be written, whoever wrote it before.
// It is not quoted.
func untrusted(m Made, doc string) (why, remedy string) {
	t, err := rampolicy.ParseTrust(doc)
	switch {
	case err != nil:
		return "the trust policy of before could not be read: " + err.Error(), "put the trust policy of the role " + m.ID + " right by hand"
	case len(t.UnconditionalWildcards()) > 0:
		return "the trust policy of before trusts the ECS of every account, and is not written again",
			"leave it; whoever needs more trust adds it to the role " + m.ID + " for named accounts or a resource directory"
	}
	return "", ""
}

// foreign says why a move is none that a control makes; empty when it may be one.
func foreign(m Made, mv move) string {
	ok := true
	switch mv.slot.facet {
	case tag, power:
		ok = ours(mv.from) && ours(mv.to)
	case trust, mark:
		ok = isShareRole(m.ID)
	case keys:
		ok = isShareRole(mv.slot.name) && (strings.HasPrefix(m.ID, sharePolicies) || m.ID == everyKey)
	case document:
		_, from := rampolicy.ParseKeyPolicy(mv.from)
		_, to := rampolicy.ParseKeyPolicy(mv.to)
		ok = strings.HasPrefix(m.ID, sharePolicies) && from && to
	case grant:
		ok = slices.Contains(systrust(), mv.from+mv.to)
	}
	if !ok {
		return "no control makes such a change"
	}
	return ""
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
				policyType(m.Want), m.Want, m.ID)
	case fleet.EnsureShareRole:
		return "the role stays: shares need it, and what is deleted cannot be put back",
			"when nothing encrypted is shared: detach its policies, then aliyun ram DeleteRole --RoleName " + m.ID
	case fleet.PushAgent:
		return "an installation is not taken back: instances would be unprotected", "uninstall the agent of " + m.ID + " in the Security Center console"
	case fleet.PushTrustClient:
		return "an installation is not taken back", "remove the trust client from " + m.ID + " by hand"
	case fleet.RefreshAssets:
		return "it made Security Center look, and changed nothing", ""
	case fleet.RetryShare:
		return "the share was asked for by somebody else, and failed: it was only repeated",
			fmt.Sprintf("end it: aliyun ecs ModifyImageSharePermission --RegionId %s --ImageId %s --RemoveAccount.1 …, of %s", m.Region, m.ID, m.Want)
	case fleet.MarkRetried:
		return "the mark only keeps a share from being repeated more than once a day", ""
	}
	return fmt.Sprintf("this program does not know the change %q", m.Kind), "use the version that made it"
}

func policyType(name string) fleet.PolicyType {
	if name == "AliyunSysTrustFullAccess" {
		return fleet.SystemPolicy
	}
	return fleet.CustomPolicy
}
