package rules

import (
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// The rules of control trusted-instance.
const (
	RuleSystemDisk   = "system-disk"
	RuleVPC          = "vpc"
	RuleTrustedMode  = "trusted-mode"
	RuleDeniedLaunch = "denied-launch"
)

// TrustedInstance decides control trusted-instance: what a launch must have got
// right, because it cannot be repaired afterwards.
func TrustedInstance(w *fleet.World, p *policy.Policy) []fleet.Verdict {
	all := []rule{
		{RuleSystemDisk, systemDisk},
		{RuleVPC, vpc},
		{RuleTrustedMode, trustedMode},
	}
	asked := slices.DeleteFunc(all, func(r rule) bool { return !p.TrustedInstance.Asks(r.id) })
	var out []fleet.Verdict
	if len(asked) > 0 {
		out = judge(w, p, policy.ControlTrustedInstance, p.TrustedInstance.Control, ofCandidates(asked))
	}
	if p.TrustedInstance.Mode != policy.Off && p.TrustedInstance.Asks(RuleDeniedLaunch) {
		out = append(out, deniedLaunches(w)...)
	}
	return out
}

// ofCandidates asks the rules of candidates only. The first rule says so for all.
func ofCandidates(rules []rule) []rule {
	out := make([]rule, len(rules))
	for i, r := range rules {
		out[i] = rule{r.id, func(s *subject) fleet.Verdict {
			if is, _ := candidacy(s.inst); is {
				return r.decide(s)
			}
			if i > 0 {
				return fleet.Verdict{}
			}
			return notApplicable("not a trusted instance")
		}}
	}
	return out
}

// defaultCategory is the category of a system disk whose launch named none: a
// trusted instance needs an ESSD, so leaving it out violates the rule.
const defaultCategory = "cloud_efficiency"

// systemDisk: trusted instances boot from an enterprise SSD only.
func systemDisk(s *subject) fleet.Verdict {
	accepted := s.policy.TrustedInstance.SystemDisk
	disk := s.inst.SystemDisk
	if !disk.Seen() {
		disk = claimedDisk(s.inst.Ref.Call, disk.Why)
	}
	switch {
	case !disk.Known():
		return undecided("the category of the system disk could not be told: " + disk.Why)
	case slices.Contains(accepted, disk.V):
		return passes("the system disk is "+disk.V, evidence("system disk", disk))
	}
	return violation(fleet.High,
		fmt.Sprintf("the system disk is %s; a trusted instance needs %s", disk.V, strings.Join(accepted, " or ")),
		"launch the instance anew with SystemDisk.Category=cloud_essd", evidence("system disk", disk))
}

// claimedDisk is what the launch said about the system disk. A launch template may
// have filled in what the request left out.
func claimedDisk(c *fleet.Call, why string) fleet.Fact[string] {
	switch {
	case c == nil || c.Launch == nil:
		return fleet.Dunno[string](why)
	case c.Launch.SystemDiskCategory != "":
		return fleet.Claim(c.Launch.SystemDiskCategory)
	case c.Launch.FromTemplate():
		return fleet.Dunno[string](why + "; the launch template may have named it")
	}
	return fleet.Claim(defaultCategory)
}

// vpc: trusted instances live in a VPC.
func vpc(s *subject) fleet.Verdict {
	l := s.inst.Listed.V
	if !l.Classic && l.VPC != "" {
		return passes("in a VPC", observed("VPC", l.VPC), observed("vSwitch", l.VSwitch))
	}
	network := "no VPC"
	if l.Classic {
		network = "the classic network"
	}
	return violation(fleet.High, "the instance is in "+network+"; a trusted instance needs a VPC",
		"launch the instance anew with VSwitchId, or NetworkInterface.1.VSwitchId for its primary interface", observed("network", network))
}

// trustedMode: from the seventh generation on, the launch has to ask for the
// trusted system. Afterwards only the system tag tells.
func trustedMode(s *subject) fleet.Verdict {
	l, call := s.inst.Listed.V, s.inst.Ref.Call
	family, _ := l.Generation()
	if generation(family) < 7 {
		return passes("family "+family+" needs no trusted mode", observed("instance type family", family))
	}
	if _, ok := l.Tags[fleet.TagSupportVTPM]; ok {
		return passes("the trusted system is on", observed("system tag", fleet.TagSupportVTPM))
	}
	if mode := trustAsked(call); mode != "" {
		return passes("the launch asked for the trusted system", claimed("SecurityOptions", mode))
	}
	if call != nil && call.Launch.FromTemplate() && s.age() < settle {
		return fleet.Verdict{Outcome: fleet.Pending, Again: wait(s.inst.Ref.Try.N),
			Reason: "launched from a template, which may have asked for the trusted system; the tag " + fleet.TagSupportVTPM + " is not there yet"}
	}
	remedy := "launch the instance anew with RunInstances and SecurityOptions.TrustedSystemMode=vTPM"
	if call != nil && call.Name == "CreateInstance" {
		remedy += "; CreateInstance cannot set it"
	}
	return violation(fleet.High, fmt.Sprintf("family %s needs SecurityOptions.TrustedSystemMode=vTPM, and the instance does not carry the tag %s", family, fleet.TagSupportVTPM),
		remedy, observed("instance type family", family), observed("system tag", ""))
}
