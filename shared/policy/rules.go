package policy

import "slices"

// The ids of the rules, as records, skip and exemptions name them.
const (
	RuleFamily         = "family"
	RuleImage          = "image"
	RuleSystemDisk     = "system-disk"
	RuleVPC            = "vpc"
	RuleTrustedMode    = "trusted-mode"
	RuleKMSEnabled     = "kms-enabled"
	RuleHardeningAsked = "hardening-asked"
	RuleIMDS           = "imds"
	RuleDeniedLaunch   = "denied-launch"

	RuleSystrustRole  = "systrust-role"
	RuleOverBroadRole = "over-broad-role"

	RuleAgentOnline = "agent-online"
	RuleTrustClient = "trust-client"

	RuleShareeApproved  = "sharee-approved"
	RuleShareTrust      = "share-trust"
	RuleOpenTrust       = "open-trust"
	RuleShareKeys       = "share-keys"
	RuleServiceKey      = "service-key"
	RuleTakeBack        = "take-back"
	RuleFailedShare     = "failed-share"
	RuleDiskEncryptRole = "disk-encrypt-role"
)

// RuleInstance is the id of the verdict on an instance as a whole: that it is not there,
// cannot be read, or is none of the control's. It is not a rule: it finds fault with
// nothing, and there is nothing to skip or exempt.
const RuleInstance = "instance"

// rule is one row of the list of rules.
type rule struct {
	control, id string
	// selects are the keys by which an exemption can select what the rule judges; nil for
	// all. An account as a whole, a failed launch and what is shared have no listing to go by.
	selects []string
}

var (
	byAccount = []string{"accounts"}
	byPlace   = []string{"accounts", "regions"}
)

// rules are all rules, by control. Each can be skipped and exempted.
var rules = [...]rule{
	{ControlAgent, RuleAgentOnline, nil},
	{ControlAgent, RuleTrustClient, nil},
	{ControlInstanceRole, RuleSystrustRole, nil},
	{ControlInstanceRole, RuleOverBroadRole, nil},
	{ControlShareRole, RuleShareeApproved, byAccount},
	{ControlShareRole, RuleShareTrust, byAccount},
	{ControlShareRole, RuleOpenTrust, byAccount},
	{ControlShareRole, RuleShareKeys, byAccount},
	{ControlShareRole, RuleServiceKey, byAccount},
	{ControlShareRole, RuleTakeBack, byAccount},
	{ControlShareRole, RuleFailedShare, byPlace},
	{ControlShareRole, RuleDiskEncryptRole, byAccount},
	{ControlTrustedInstance, RuleFamily, nil},
	{ControlTrustedInstance, RuleImage, nil},
	{ControlTrustedInstance, RuleSystemDisk, nil},
	{ControlTrustedInstance, RuleVPC, nil},
	{ControlTrustedInstance, RuleTrustedMode, nil},
	{ControlTrustedInstance, RuleKMSEnabled, byPlace},
	{ControlTrustedInstance, RuleHardeningAsked, nil},
	{ControlTrustedInstance, RuleIMDS, nil},
	{ControlTrustedInstance, RuleDeniedLaunch, byPlace},
}

// Controls returns the ids of the controls, sorted.
func Controls() (ids []string) {
	for _, r := range rules {
		ids = append(ids, r.control)
	}
	return slices.Compact(ids)
}

// Rules returns the ids of a control's rules, or of all.
func Rules(control string) (ids []string) {
	for _, r := range rules {
		if r.control == control || control == "" {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// ControlOf returns the control that has a rule; "" for what is no rule.
func ControlOf(id string) string {
	for _, r := range rules {
		if r.id == id {
			return r.control
		}
	}
	return ""
}

// Repairs reports whether the control of a rule makes changes so that the rule holds. A
// violation for which it has no change is then left to a person.
func Repairs(rule string) bool {
	return slices.Contains([]string{RuleSystrustRole, RuleAgentOnline, RuleTrustClient, RuleShareTrust, RuleShareKeys, RuleDiskEncryptRole}, rule)
}

// selectable are the keys by which an exemption can select what a rule judges; nil for all.
// An empty rule stands for each of the control, of which the first can do no more than any.
func selectable(control, id string) []string {
	for _, r := range rules {
		if r.control == control && (id == "" && control == ControlShareRole || r.id == id) {
			return r.selects
		}
	}
	return nil
}
