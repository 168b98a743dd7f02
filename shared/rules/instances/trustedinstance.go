package instances

import (
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/verdict"
)

// TrustedInstance decides control trusted-instance: properties of a launch that cannot be
// repaired afterwards.
func TrustedInstance(w *fleet.World, p *policy.Policy) []fleet.Verdict {
	all := []rule{
		{policy.RuleFamily, true, family},
		{policy.RuleImage, true, image},
		{policy.RuleSystemDisk, true, systemDisk},
		{policy.RuleVPC, true, vpc},
		{policy.RuleTrustedMode, true, trustedMode},
		{policy.RuleHardeningAsked, false, hardeningAsked},
		{policy.RuleIMDS, true, imds},
	}
	for i, r := range all {
		all[i].decide = func(s *subject) fleet.Verdict { return s.consequence(r.id, r.decide(s)) }
	}
	judged := judge(w, p, policy.ControlTrustedInstance, all)
	stray := strayTags(w, p, judged)
	return append(append(append(judged, stray...), kmsEnabled(w, p)...), deniedLaunches(w, p)...)
}

// strayTags are our tags on instances without violations: outdated, or another caller's.
func strayTags(w *fleet.World, p *policy.Policy, judged []fleet.Verdict) []fleet.Verdict {
	var out []fleet.Verdict
	for i := range w.Instances {
		s := &subject{world: w, policy: p, name: policy.ControlTrustedInstance, inst: &w.Instances[i]}
		_, violation := s.inst.Listed.V.Tags[TagViolation]
		_, stopped := s.inst.Listed.V.Tags[TagStopped]
		if !violation && !stopped || s.covered("") != policy.Yes || slices.ContainsFunc(judged, s.isFaulty) {
			continue
		}
		out = append(out, s.sign(policy.RuleInstance, verdict.Remark(verdict.NotApplicable("the tag "+TagViolation+" or "+TagStopped+" is there, and no rule finds fault; the ledger says whether we put it there, and "+verdict.AnyTagger))))
	}
	return out
}

// isFaulty reports whether a verdict is a violation of the instance.
func (s *subject) isFaulty(v fleet.Verdict) bool {
	return v.Ref.Key() == s.inst.Ref.Key() && v.Outcome != fleet.Passes && v.Outcome != fleet.NotApplicable && v.Outcome != fleet.NotAssessable
}

// family: the operator wants every instance to be of a family that can be trusted.
func family(s *subject) fleet.Verdict {
	c := s.policy.TrustedInstance
	if c.Require != policy.RequireAll {
		return fleet.Verdict{}
	}
	name, _ := s.inst.Listed.V.Generation()
	if c.Trusted(name) {
		return verdict.Passes("family "+name+" can be trusted", verdict.Observed("instance type family", name))
	}
	known := make([]string, len(c.Families))
	for i, f := range c.Families {
		known[i] = f.Name
	}
	return verdict.Violation(fleet.Medium, "family "+name+" is not in the policy's list of families that can be trusted",
		"launch a new instance in one of "+strings.Join(known, ", "), verdict.Observed("instance type family", name))
}

// defaultCategory is the category of a system disk whose launch named none: a trusted
// instance needs an ESSD, so omitting it violates the rule.
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
		return verdict.Undecided("the category of the system disk could not be determined: " + disk.Why)
	case slices.Contains(accepted, disk.V):
		return verdict.Passes("the system disk is "+disk.V, verdict.Evidence("system disk", disk))
	}
	return verdict.Violation(fleet.High,
		fmt.Sprintf("the system disk is %s; a trusted instance needs %s", disk.V, strings.Join(accepted, " or ")),
		"launch a new instance with SystemDisk.Category=cloud_essd", verdict.Evidence("system disk", disk))
}

// claimedDisk is the launch's claim about the system disk. A launch template may have set
// an omitted parameter.
func claimedDisk(c *fleet.Call, why string) fleet.Fact[string] {
	switch {
	case c == nil || c.Launch == nil:
		return fleet.Unknown[string](why)
	case c.Launch.SystemDiskCategory != "":
		return fleet.Claim(c.Launch.SystemDiskCategory)
	case c.Launch.FromTemplate():
		return fleet.Unknown[string](why + "; the launch template may have named it")
	}
	return fleet.Claim(defaultCategory)
}

// vpc: trusted instances live in a VPC.
func vpc(s *subject) fleet.Verdict {
	l := s.inst.Listed.V
	if !l.Classic && l.VPC != "" {
		return verdict.Passes("in a VPC", verdict.Observed("VPC", l.VPC), verdict.Observed("vSwitch", l.VSwitch))
	}
	network := "no VPC"
	if l.Classic {
		network = "the classic network"
	}
	return verdict.Violation(fleet.High, "the instance is in "+network+"; a trusted instance needs a VPC",
		"launch a new instance with VSwitchId, or NetworkInterface.1.VSwitchId for its primary interface", verdict.Observed("network", network))
}

// trustedMode: from the seventh generation on, the launch has to request the trusted
// system. Afterwards only the system tag shows it.
func trustedMode(s *subject) fleet.Verdict {
	l, call := s.inst.Listed.V, s.inst.Ref.Call
	family, _ := l.Generation()
	if generation(family) < 7 {
		return verdict.Passes("family "+family+" needs no trusted mode", verdict.Observed("instance type family", family))
	}
	if _, ok := l.Tags[fleet.TagSupportVTPM]; ok {
		return verdict.Passes("the trusted system is on", verdict.Observed("system tag", fleet.TagSupportVTPM))
	}
	if mode := trustAsked(call); mode != "" {
		if s.age() < settle {
			return verdict.Passes("the launch asked for the trusted system", verdict.Claimed("SecurityOptions", mode))
		}
		v := verdict.Undecided("the launch asked for the trusted system, but the instance does not carry the tag " + fleet.TagSupportVTPM)
		v.Evidence = []fleet.Evidence{verdict.Claimed("SecurityOptions", mode), verdict.Observed("system tag", "")}
		return v
	}
	if call != nil && call.Launch.FromTemplate() && s.age() < settle {
		return fleet.Verdict{Outcome: fleet.Pending, Again: wait(s.inst.Ref.Try.N),
			Reason: "launched from a template, which may have asked for the trusted system; the tag " + fleet.TagSupportVTPM + " is not there yet"}
	}
	remedy := "launch a new instance with RunInstances and SecurityOptions.TrustedSystemMode=vTPM"
	if call != nil && call.Name == "CreateInstance" {
		remedy += "; CreateInstance cannot set it"
	}
	return verdict.Violation(fleet.High, fmt.Sprintf("family %s needs SecurityOptions.TrustedSystemMode=vTPM, and the instance does not carry the tag %s", family, fleet.TagSupportVTPM),
		remedy, verdict.Observed("instance type family", family), verdict.Observed("system tag", ""))
}

// kmsEnabled: without KMS no trusted instance can be created. The verdict is on an account
// and region as a whole, where they have a trusted instance.
func kmsEnabled(w *fleet.World, p *policy.Policy) []fleet.Verdict {
	if !slices.ContainsFunc(w.Instances, func(i fleet.Instance) bool { return WantsKMS(p)(&i) }) {
		return nil
	}
	var v fleet.Verdict
	switch {
	case !w.KMS.Seen():
		v = verdict.Undecided("the state of KMS could not be read: " + w.KMS.Why)
	case w.KMS.V == fleet.NoKMS:
		v = verdict.NotApplicable("KMS is not served in this region")
	case w.KMS.V == "Enabled":
		v = verdict.Passes("KMS is enabled", verdict.Evidence("KMS", w.KMS))
	default:
		v = verdict.Violation(fleet.Medium, "KMS is "+w.KMS.V+"; without it no trusted instance can be created",
			"switch KMS on in the console, or by OpenKmsService", verdict.Evidence("KMS", w.KMS))
	}
	v.Ref, v.Control, v.Rule = fleet.Ref{Scope: w.Scope, Kind: fleet.KindAccount}, policy.ControlTrustedInstance, policy.RuleKMSEnabled
	return []fleet.Verdict{verdict.Waive(p, v, verdict.NoInstance(), w.At)}
}

// WantsKMS selects the instances for which kms-enabled applies.
func WantsKMS(p *policy.Policy) func(*fleet.Instance) bool {
	return func(i *fleet.Instance) bool {
		return i.Listed.Seen() && Candidate(i) && p.Covers(policy.ControlTrustedInstance, policy.RuleKMSEnabled, i.Ref.Scope, i.Listed) != policy.No
	}
}

// WantsImage selects the instances whose image the rules need: those of the rule image, and
// those that hardening-asked can judge.
func WantsImage(p *policy.Policy) func(*fleet.Instance) bool {
	return func(i *fleet.Instance) bool {
		covers := func(rule string) bool {
			return p.Covers(policy.ControlTrustedInstance, rule, i.Ref.Scope, i.Listed) != policy.No
		}
		meant := p.TrustedInstance.Require == policy.RequireAll || Candidate(i)
		return meant && covers(policy.RuleImage) || launchKnown(i) && covers(policy.RuleHardeningAsked)
	}
}

func launchKnown(i *fleet.Instance) bool { return i.Ref.Call != nil && i.Ref.Call.Launch != nil }

// hardeningAsked: a launch from a public image should request the free hardening, that is
// Security Center's agent, whether the instance is meant to be trusted or not. Only the
// request shows it; a policy that denies Deactive does not catch an omitted parameter.
func hardeningAsked(s *subject) fleet.Verdict {
	img := s.inst.Image
	switch {
	case !launchKnown(s.inst):
		return verdict.NotAssessable("only the launch request says whether hardening was asked for, and no API shows it afterwards; the rule agent-online judges the agent itself")
	case !img.Seen():
		return verdict.Undecided("whether the image is a public one, with which hardening can be asked for, could not be read: " + img.Why)
	case img.V.Gone && strings.HasPrefix(s.inst.Listed.V.ImageID, otherMark):
		return ofPublicOnly()
	case img.V.Gone:
		return verdict.Undecided("whether the image " + s.inst.Listed.V.ImageID + " was a public one cannot be read: it is no longer there")
	case img.V.Owner != "system":
		return ofPublicOnly()
	}
	launch := s.inst.Ref.Call.Launch
	asked := launch.SecurityEnhancementStrategy
	switch {
	case asked == "Active":
		return verdict.Passes("the launch asked for hardening", verdict.Claimed("SecurityEnhancementStrategy", asked))
	case asked == "" && launch.FromTemplate():
		return verdict.Undecided("the launch template may have asked for hardening")
	case asked == "":
		return verdict.Violation(fleet.Low, "the launch left SecurityEnhancementStrategy out",
			"launch with SecurityEnhancementStrategy=Active", verdict.Claimed("SecurityEnhancementStrategy", ""))
	}
	return verdict.Violation(fleet.Medium, "the launch refused hardening", "launch with SecurityEnhancementStrategy=Active",
		verdict.Claimed("SecurityEnhancementStrategy", asked))
}

func ofPublicOnly() fleet.Verdict {
	return verdict.NotApplicable("hardening can be asked for with public images only")
}

// leastClients are the oldest clients that support instance metadata by token only.
const leastClients = "Alibaba Cloud CLI 3.0.248; credentials for Go 1.3.10, Java 0.3.10, Node.js 2.3.1, Python 0.3.6, PHP 1.2.0, C# 1.4.2"

// imds: instance metadata should be read by token only.
func imds(s *subject) fleet.Verdict {
	tokens := s.inst.Listed.V.HTTPTokens
	switch tokens {
	case "required":
		return verdict.Passes("instance metadata needs a token", verdict.Observed("HttpTokens", tokens))
	case "":
		return verdict.Undecided("the cloud does not say whether instance metadata needs a token")
	}
	return verdict.Violation(fleet.Medium, "instance metadata can be read without a token",
		"set HttpTokens=required by ModifyInstanceMetadataOptions, once everything on the instance can do without IMDSv1: at least "+leastClients,
		verdict.Observed("HttpTokens", tokens))
}
