package instances

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/verdict"
)

// denial is an error code of a launch that corresponds to a rule.
type denial struct {
	code string
	// rule is the rule of this control; empty for none. Where the policy does not use that
	// rule, the denial is not explained.
	rule string
	// advise returns the parameter to change; "" when the request follows the advice
	// already, so that the cause is another.
	advise func(l request, p *policy.Policy) string
}

// request is the request of a failed launch.
type request struct {
	fleet.Launch
	// complete: an omitted parameter was not requested. Otherwise a launch template may
	// have set it, or the record lacks its parameters.
	complete bool
}

func requestOf(c *fleet.Call) request {
	if c.Launch == nil {
		return request{}
	}
	return request{*c.Launch, !c.Launch.FromTemplate()}
}

// denials are the codes of RunInstances' error table that correspond to rules of this
// control. Parameters that a launch template may have set are advised all the same.
var denials = []denial{
	{"InvalidVSwitchId.Necessary", policy.RuleVPC, func(l request, _ *policy.Policy) string {
		return unless(l.VSwitchID != "", "give VSwitchId, or NetworkInterface.1.VSwitchId for the primary interface: trusted instances need a VPC")
	}},
	{"InvalidSystemDiskCategory.ValueNotSupported", policy.RuleSystemDisk, adviseDisk},
	{"InvalidDiskCategory.NotSupported", policy.RuleSystemDisk, adviseDisk},
	{"ImageNotSupportInstanceType", policy.RuleImage, adviseImage},
	{"InvalidParameter.KMSKeyId.CMKNotEnabled", policy.RuleKMSEnabled, func(l request, _ *policy.Policy) string {
		return "enable the key of " + l.KeysOf() + ", or switch KMS on"
	}},
	{"InvalidParameter.KMSKeyId.CMKUnauthorized", "", adviseDiskRole},
	{"InvalidParameter.KMSKeyId.KMSUnauthorized", "", adviseDiskRole},
	{"InvalidParameter.KMSKeyId.NotFound", "", func(l request, _ *policy.Policy) string {
		return "name a key that exists in this region in " + l.KeysOf()
	}},
	{"InvalidParameter.EncryptedIllegal", "", func(l request, _ *policy.Policy) string {
		open := l.DisksWhere(func(d fleet.LaunchDisk) bool { return d.Key && !d.Encrypted })
		return unless(len(open) == 0 && l.complete, "set "+cmp.Or(suffixed(open, "Encrypted=true"), "Encrypted=true wherever KMSKeyId is given"))
	}},
	{"InvalidParameter.EncryptedNotSupported", "", func(l request, _ *policy.Policy) string {
		other := l.DisksWhere(func(d fleet.LaunchDisk) bool { return (d.Encrypted || d.Key) && d.Category != "cloud_essd" })
		return unless(len(other) == 0 && l.complete, "choose a category that can be encrypted: "+cmp.Or(suffixed(other, "Category=cloud_essd"), "SystemDisk.Category=cloud_essd"))
	}},
	{"InvalidRamRole.NotEcsRole", "", func(l request, _ *policy.Policy) string {
		return "let the RAM role " + cmp.Or(l.RAMRoleName, "of the launch template") + " trust ecs.aliyuncs.com, or give another RamRoleName"
	}},
	{"InvalidRamRole.NotFound", "", func(l request, _ *policy.Policy) string {
		return "make the RAM role " + cmp.Or(l.RAMRoleName, "of the launch template") + ", or give another RamRoleName"
	}},
	{"InvalidUser.PassRoleForbidden", "", func(l request, _ *policy.Policy) string {
		return "let the caller pass the RAM role " + cmp.Or(l.RAMRoleName, "of the launch template") + ": ram:PassRole"
	}},
	{"InvalidUserData.SizeExceeded", "", func(l request, _ *policy.Policy) string {
		return unless(!l.HasUserData && l.complete, "shorten UserData to 32 KB before Base64")
	}},
	{"InvalidParameter.Conflict", "", func(request, *policy.Policy) string {
		return "remove one of the parameters that exclude each other; the message names them"
	}},
}

func adviseDisk(l request, p *policy.Policy) string {
	accepted := p.TrustedInstance.SystemDisk
	return unless(slices.Contains(accepted, l.SystemDiskCategory), "set SystemDisk.Category="+strings.Join(accepted, " or "))
}

// uefiMark stands in the id of public images that boot by UEFI alone.
const uefiMark = "_uefi_"

func adviseImage(l request, _ *policy.Policy) string {
	family, _ := fleet.FamilyOf("", l.InstanceType)
	switch {
	case family == "":
		return "choose an image that the family supports: a trusted image for g6t, c6t and r6t, one that boots by UEFI for generation 7"
	case generation(family) < 7:
		return unless(strings.Contains(l.ImageID, securedMark), "choose a trusted image, or one that was made from one: ImageId, for the family "+family)
	case l.ImageID == "":
		return "choose an image that boots by UEFI: ImageId, for the family " + family
	}
	return unless(strings.Contains(l.ImageID, uefiMark),
		"check by DescribeImages that the BootMode of "+l.ImageID+" is UEFI or UEFI-Preferred; if not, choose an image that boots by UEFI: ImageId, for the family "+family)
}

func adviseDiskRole(l request, _ *policy.Policy) string {
	return "let ECS use the key of " + l.KeysOf() + ": create the RAM role " + fleet.DiskEncryptRole
}

// unless is the advice, if it was not followed already.
func unless(followed bool, advice string) string {
	if followed {
		return ""
	}
	return advice
}

func suffixed(disks []string, parameter string) string {
	parts := make([]string, len(disks))
	for i, d := range disks {
		parts[i] = d + "." + parameter
	}
	return strings.Join(parts, ", ")
}

// refusals are RAM's codes for a denied call. The record does not show whether a permission
// was missing or a Deny matched.
var refusals = []string{"Forbidden.RAM", "NoPermission"}

// deniedLaunches explains launches that failed on one of this control's rules. They pass
// the gate of denied-launch, and that of the rule that the error stands for.
func deniedLaunches(w *fleet.World, p *policy.Policy) []fleet.Verdict {
	if !p.Asks(policy.ControlTrustedInstance, policy.RuleDeniedLaunch) {
		return nil
	}
	var out []fleet.Verdict
	for _, ref := range w.Calls {
		v := verdict.NotApplicable(verdict.OutsideScope)
		switch p.Covers(policy.ControlTrustedInstance, policy.RuleDeniedLaunch, ref.Scope, verdict.NoInstance()) {
		case policy.Yes:
			v = deniedLaunch(ref, p)
		case policy.Maybe: // a denied launch has no tags, VPC or owner to go by
			if v = deniedLaunch(ref, p); v.Outcome == fleet.Violation {
				v.Outcome, v.Reason = fleet.Undecided, v.Reason+"; whether the policy's scope covers it could not be determined"
			}
		}
		v.Ref, v.Control, v.Rule = ref, policy.ControlTrustedInstance, policy.RuleDeniedLaunch
		out = append(out, verdict.Waive(p, v, verdict.NoInstance(), w.At))
	}
	return out
}

func deniedLaunch(ref fleet.Ref, p *policy.Policy) fleet.Verdict {
	c := ref.Call
	if c == nil || c.ErrorCode == "" {
		return verdict.NotApplicable("not a failed launch")
	}
	v := explained(ref, p)
	v.Evidence = append([]fleet.Evidence{verdict.Claimed("call", c.Name), verdict.Claimed("error code", c.ErrorCode)}, v.Evidence...)
	if c.Caller != "" {
		v.Evidence = append(v.Evidence, verdict.Claimed("caller", c.Caller))
	}
	return v
}

func explained(ref fleet.Ref, p *policy.Policy) fleet.Verdict {
	c, asked := ref.Call, requestOf(ref.Call)
	if slices.ContainsFunc(refusals, func(code string) bool { return strings.EqualFold(c.ErrorCode, code) }) {
		return refused(ref, asked, p)
	}
	i := slices.IndexFunc(denials, func(d denial) bool { return strings.EqualFold(c.ErrorCode, d.code) })
	failed := fmt.Sprintf("%s failed with %s", c.Name, c.ErrorCode)
	switch {
	case i < 0:
		return verdict.NotApplicable(failed + ", which no rule of this control stands for")
	case !opens(p, denials[i].rule, ref):
		return verdict.NotApplicable(failed + ", which stands for the rule " + denials[i].rule + ", and that is not asked here")
	case !mayBeMeant(asked, c, p):
		return verdict.NotApplicable(failed + ", and asked for no trusted instance")
	}
	advice := denials[i].advise(asked, p)
	if advice == "" {
		return verdict.NotApplicable(failed + ", and what was asked is as the rules want it: the zone or the instance type may not offer it")
	}
	return verdict.Violation(fleet.Low, fmt.Sprintf("%s was denied with %s", c.Name, c.ErrorCode), advice)
}

// opens reports whether a rule of the control may be asked where a launch was denied.
func opens(p *policy.Policy, rule string, ref fleet.Ref) bool {
	return rule == "" || p.Covers(policy.ControlTrustedInstance, rule, ref.Scope, verdict.NoInstance()) != policy.No
}

// mayBeMeant reports whether the launch may have been for a trusted instance. A parameter
// that the record omits, or a launch template may have set, does not count as "no".
func mayBeMeant(l request, c *fleet.Call, p *policy.Policy) bool {
	_, enhanced := fleet.FamilyOf("", l.InstanceType)
	return enhanced || trustAsked(c) != "" || !l.complete || l.InstanceType == "" || p.TrustedInstance.Require == policy.RequireAll
}

// refused explains a call that RAM denied, if it requested what a preventive guard denies:
// Deactive, the only value that such a policy can name. An omitted parameter is not denied
// by it.
func refused(ref fleet.Ref, asked request, p *policy.Policy) fleet.Verdict {
	c, strategy := ref.Call, asked.SecurityEnhancementStrategy
	if !strings.EqualFold(strategy, "Deactive") || !opens(p, policy.RuleHardeningAsked, ref) {
		return verdict.NotApplicable(fmt.Sprintf("%s failed with %s, and asked for nothing that a preventive guard denies", c.Name, c.ErrorCode))
	}
	return verdict.Violation(fleet.Low,
		fmt.Sprintf("%s was denied with %s: it asked for SecurityEnhancementStrategy=Deactive, and either a preventive guard denied that, or the caller lacks a right; the record does not say which", c.Name, c.ErrorCode),
		"launch with SecurityEnhancementStrategy=Active; if that is denied too, let the caller call ecs:"+c.Name,
		verdict.Claimed("SecurityEnhancementStrategy", strategy))
}
