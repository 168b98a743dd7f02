package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
	"fleetwarden/shared/rules/shares"
)

// broken is a world in which one rule finds fault, and the policy that asks it.
type broken struct {
	instances *fleet.World
	shares    *fleet.ShareWorld
	policy    *policy.Policy
	// global: the rule is about a role of the account, which is in no region.
	global bool
}

func (b broken) decide() []fleet.Verdict {
	if b.shares != nil {
		return shares.Role(b.shares, b.policy)
	}
	return slices.Concat(instances.TrustedInstance(b.instances, b.policy), instances.Role(b.instances, b.policy), instances.Agent(b.instances, b.policy))
}

// control is that of the policy by its id.
func (b broken) control(id string) *policy.Control {
	return map[string]*policy.Control{
		policy.ControlTrustedInstance: &b.policy.TrustedInstance.Control, policy.ControlInstanceRole: &b.policy.InstanceRole.Control,
		policy.ControlAgent: &b.policy.Agent.Control, policy.ControlShareRole: &b.policy.ShareRole.Control,
	}[id]
}

// findsFault has, for each rule of the product, a world in which it finds fault.
func findsFault() map[string]func() broken {
	instance := func(change func(*fleet.Instance)) func() broken {
		return func() broken {
			i := lacking()
			i.Image = fleet.See(fleet.Image{ID: "m-1", Owner: "system", BootMode: "UEFI"})
			change(&i)
			b := broken{instances: world(i), policy: guarding()}
			b.policy.TrustedInstance.IMDS, b.policy.TrustedInstance.Require = true, policy.RequireAll
			b.instances.KMS = fleet.See("NotEnabled")
			return b
		}
	}
	shares := func(w func() *fleet.ShareWorld, global bool, change ...func(*policy.ShareRole)) func() broken {
		return func() broken { return broken{shares: w(), policy: approving(change...), global: global} }
	}
	approved := func() *fleet.ShareWorld { return sharing(missing(), with(string(sharee))) }
	return map[string]func() broken{
		policy.RuleFamily:         instance(func(i *fleet.Instance) { i.Listed.V.Family = "ecs.g5" }),
		policy.RuleImage:          instance(func(i *fleet.Instance) { i.Image.V.BootMode = "BIOS" }),
		policy.RuleSystemDisk:     instance(func(i *fleet.Instance) { i.SystemDisk = fleet.See("cloud_ssd") }),
		policy.RuleVPC:            instance(func(i *fleet.Instance) { i.Listed.V.VPC = "" }),
		policy.RuleTrustedMode:    instance(func(i *fleet.Instance) { i.Listed.V.Tags = nil }),
		policy.RuleKMSEnabled:     instance(func(*fleet.Instance) {}),
		policy.RuleHardeningAsked: instance(func(i *fleet.Instance) { *i = launched(*i, fleet.Launch{SecurityEnhancementStrategy: "Deactive"}) }),
		policy.RuleIMDS:           instance(func(i *fleet.Instance) { i.Listed.V.HTTPTokens = "optional" }),
		policy.RuleDeniedLaunch: func() broken {
			w := world()
			w.Calls = []fleet.Ref{denied("InvalidVSwitchId.Necessary")}
			return broken{instances: w, policy: guarding()}
		},
		policy.RuleSystrustRole: instance(func(i *fleet.Instance) { i.RoleName = fleet.See("") }),
		policy.RuleOverBroadRole: func() broken {
			b := instance(func(i *fleet.Instance) { i.RoleName = fleet.See(theirs) })()
			b.instances.Roles[theirs] = granting(sweeping)
			return b
		},
		policy.RuleAgentOnline: instance(func(*fleet.Instance) {}),
		policy.RuleTrustClient: instance(func(i *fleet.Instance) {
			i.Listed.V.Family, i.Listed.V.Type, i.TrustScript = "ecs.g6t", "ecs.g6t.large", fleet.See("")
		}),

		policy.RuleShareeApproved: shares(func() *fleet.ShareWorld { return sharing(missing(), with(string(stranger))) }, false),
		policy.RuleShareTrust:     shares(approved, false),
		policy.RuleShareKeys:      shares(func() *fleet.ShareWorld { return sharing(trusting(accounts(sharee)), with(string(sharee))) }, false),
		policy.RuleServiceKey: shares(func() *fleet.ShareWorld {
			w := approved()
			key := keyOne
			key.Service = fleet.See(true)
			w.Sides[0].Regions.V[0].Resources[0].Keys = fleet.See([]fleet.KMSKey{key})
			return w
		}, false),
		policy.RuleOpenTrust: shares(func() *fleet.ShareWorld {
			w := approved()
			w.Sides[0].Role = fleet.See(fleet.Role{Name: fleet.SnapshotShareRole, Trust: withStatement(trusting(accounts(sharee)).V.Trust,
				`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["*@ecs.aliyuncs.com"]}}`)})
			return w
		}, true),
		policy.RuleTakeBack: shares(ended, true),
		policy.RuleDiskEncryptRole: shares(func() *fleet.ShareWorld {
			w := approved()
			w.CMKDisk, w.DiskRole = fleet.See("d-1"), missing()
			return w
		}, true),
		policy.RuleFailedShare: shares(func() *fleet.ShareWorld { return failedToShare() }, false),
	}
}

// controlOf is the control that has a rule.
func controlOf(rule string) string {
	for _, c := range policy.Controls() {
		if slices.Contains(policy.Rules(c), rule) {
			return c
		}
	}
	return ""
}

func TestEveryRuleGoesThroughTheOneGate(t *testing.T) {
	faults := findsFault()
	for _, c := range policy.Controls() {
		for _, rule := range policy.Rules(c) {
			if faults[rule] == nil {
				t.Errorf("no world here in which %s finds fault", rule)
			}
		}
	}
	elsewhere := fleet.Region("cn-elsewhere")
	account := policy.Selector{Accounts: []fleet.AccountID{here.Account}}
	region := policy.Selector{Regions: []fleet.Region{here.Region}}
	for rule, fault := range faults {
		control := controlOf(rule)
		t.Run(rule, func(t *testing.T) {
			for name, tc := range map[string]struct {
				change func(broken)
				want   fleet.Outcome // "" for no verdict, or not-applicable
				not    func(broken) bool
			}{
				"asked":            {change: func(broken) {}, want: fleet.Violation},
				"off":              {change: func(b broken) { b.control(control).Mode = policy.Off }},
				"skipped":          {change: func(b broken) { b.control(control).Skip = []string{rule} }},
				"another skipped":  {change: func(b broken) { b.control(control).Skip = []string{"other"} }, want: fleet.Violation},
				"another account":  {change: func(b broken) { b.policy.Accounts = []policy.Account{{ID: "1000000000000007"}} }},
				"another region":   {change: func(b broken) { b.policy.Regions = []fleet.Region{elsewhere} }, not: func(b broken) bool { return b.global }},
				"this region":      {change: func(b broken) { b.policy.Regions = []fleet.Region{elsewhere, here.Region} }, want: fleet.Violation},
				"excluded account": {change: func(b broken) { b.control(control).Exclude = []policy.Selector{account} }},
				"excluded region":  {change: func(b broken) { b.control(control).Exclude = []policy.Selector{region} }, not: func(b broken) bool { return b.shares != nil }},
				"included":         {change: func(b broken) { b.control(control).Include = []policy.Selector{account} }, want: fleet.Violation},
				"not included": {change: func(b broken) {
					b.control(control).Include = []policy.Selector{{Accounts: []fleet.AccountID{"1000000000000007"}}}
				}},
				"exempt":                         {change: func(b broken) { b.policy.Exemptions = exempting(control, rule, account, 1) }, want: fleet.Exempted},
				"exempt with all of the control": {change: func(b broken) { b.policy.Exemptions = exempting(control, "", account, 1) }, want: fleet.Exempted},
				"no longer exempt":               {change: func(b broken) { b.policy.Exemptions = exempting(control, rule, account, -1) }, want: fleet.Violation},
				"audit":                          {change: func(b broken) { b.control(control).Mode = policy.Audit }, want: fleet.Violation},
			} {
				b := fault()
				if tc.not != nil && tc.not(b) {
					continue
				}
				tc.change(b)
				got := fleet.Outcome("")
				for _, v := range b.decide() {
					if v.Control == control && v.Rule == rule && v.Outcome != fleet.NotApplicable && v.Outcome != fleet.Passes {
						got = v.Outcome
						sound(t, v)
					}
				}
				if got == fleet.Conflict {
					got = fleet.Violation
				}
				if got != tc.want {
					t.Errorf("%s: got %q, want %q", name, got, tc.want)
				}
			}
		})
	}
}

func exempting(control, rule string, s policy.Selector, hours int) []policy.Exemption {
	return []policy.Exemption{{Control: control, Rule: rule, Selector: s, Owner: "o", Reason: "r", Expires: noon.Add(time.Duration(hours) * time.Hour)}}
}

// The shares of another region are no reason to open the role, and one to leave it open.
func TestWhatIsSharedWhereThePolicyDoesNotGuardIsNeitherReportedNorTakenBack(t *testing.T) {
	w := sharing(trusting(accounts(sharee, stranger), resOne), with(string(sharee), string(stranger)))
	p := approving(enforced)
	p.Regions = []fleet.Region{"cn-shanghai"}
	for _, v := range shares.Role(w, p) {
		if v.Outcome == fleet.Violation || len(v.Changes) > 0 {
			t.Errorf("got %+v", v)
		}
	}
	w.Sides[0].Regions.V[0].Unread = "denied"
	w.Sides[0].Role = trusting(accounts(sharee, stranger, "1000000000000003"), resOne)
	expect(t, ruled(t, w, p, policy.RuleTakeBack), fleet.Undecided, "denied")
	expect(t, ruled(t, w, p, policy.RuleShareTrust), fleet.NotApplicable, "")
}

// A tag that whoever may tag can set makes nothing pass, and leaves nothing unchanged,
// without a word about it.
func TestNoTagThatAnyoneCanSetIsObeyedSilently(t *testing.T) {
	tags := []string{fleet.TagACK, instances.TagViolation, instances.TagStopped, instances.TagTrustClient, "env", "trust"}
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		lab := policy.Selector{Tags: map[string]string{"env": "*"}}
		p.TrustedInstance.Exclude, p.InstanceRole.Exclude, p.Agent.Exclude = []policy.Selector{lab}, []policy.Selector{lab}, []policy.Selector{lab}
		p.SelfManaged = []policy.Selector{{Tags: map[string]string{"trust": "*"}}}
		p.Agent.Mode, p.Agent.TrustClient = policy.Enforce, true
		p.Exemptions = append(p.Exemptions, exempting(policy.ControlAgent, "", policy.Selector{Tags: map[string]string{"env": "*"}}, 1)...)
		tag := pick(t, "tag", tags...)
		with, without := clone(w), clone(w)
		for i := range w.Instances {
			delete(without.Instances[i].Listed.V.Tags, tag)
			if with.Instances[i].Listed.V.Tags == nil {
				with.Instances[i].Listed.V.Tags = map[string]string{}
			}
			with.Instances[i].Listed.V.Tags[tag] = "x"
		}
		before, after := all(without, p), all(with, p)
		for _, v := range before {
			if v.Outcome != fleet.Violation && v.Outcome != fleet.Conflict {
				continue
			}
			same := slices.ContainsFunc(after, func(a fleet.Verdict) bool {
				return a.Ref.Key() == v.Ref.Key() && a.Control == v.Control && a.Rule == v.Rule && a.Outcome == v.Outcome && len(a.Changes) >= len(v.Changes)
			})
			said := slices.ContainsFunc(after, func(a fleet.Verdict) bool {
				return a.Control == v.Control && (a.Rule == v.Rule || a.Rule == policy.RuleInstance) && strings.Contains(a.Reason, "whoever may tag")
			})
			if !same && !said {
				t.Errorf("with the tag %s, %+v became %+v", tag, v, after)
			}
		}
	})
}

func all(w *fleet.World, p *policy.Policy) []fleet.Verdict {
	return slices.Concat(instances.TrustedInstance(w, p), instances.Role(w, p), instances.Agent(w, p))
}
