package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

const explained = `
accounts: [{id: "1"}, {id: "2"}]
regions: [cn-hangzhou]
selfManaged: [{vpcs: [vpc-own]}]
controls:
  trustedInstance:
    mode: "off"
  instanceRole:
    mode: audit
    include: [{tags: {team: a}}, {vpcs: [vpc-own, vpc-1]}]
    exclude: [{tags: {env: lab}}]
    enforceFor: [{regions: [cn-hangzhou], tags: {rollout: canary}}, {resourceGroups: [rg-1]}]
    skip: [over-broad-role]
  agent: {mode: enforce}
  shareRole: {enforceFor: [{accounts: ["2"]}]}
exemptions:
  - {control: agent, rule: trust-client, instances: [i-1], owner: ops, reason: moving, expires: 2026-12-31}
  - {control: agent, tags: {env: lab}, owner: ops, reason: old, expires: 2026-10-31}
`

func TestAPolicyExplainsWhichKeyDecided(t *testing.T) {
	p := mustLoad(t, with(strings.TrimPrefix(explained, "\n")))
	here := fleet.Scope{Account: "1", Region: "cn-hangzhou"}
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	tags := func(kv ...string) fleet.Fact[fleet.Listing] {
		l := fleet.Listing{Tags: map[string]string{}}
		for i := 0; i < len(kv); i += 2 {
			l.Tags[kv[i]] = kv[i+1]
		}
		return fleet.See(l)
	}
	role, agent := policy.ControlInstanceRole, policy.ControlAgent
	for name, c := range map[string]struct {
		scope   fleet.Scope
		listed  fleet.Fact[fleet.Listing]
		control string
		want    string // result, scope key, enforce key
	}{
		"enforced by its tags":         {here, tags("team", "a", "rollout", "canary"), role, "enforced controls.instanceRole.include[0] controls.instanceRole.enforceFor[0] tags"},
		"enforced by its group":        {here, fleet.See(fleet.Listing{VPC: "vpc-1", ResourceGroup: "rg-1"}), role, "enforced controls.instanceRole.include[1] controls.instanceRole.enforceFor[1]"},
		"audited":                      {here, tags("team", "a"), role, "audited controls.instanceRole.include[0] controls.instanceRole.enforceFor tags"},
		"excluded":                     {here, tags("team", "a", "env", "lab"), role, "not judged controls.instanceRole.exclude[0] controls.instanceRole.enforceFor tags"},
		"not included":                 {here, tags(), role, "not judged controls.instanceRole.include controls.instanceRole.enforceFor tags"},
		"unread":                       {here, fleet.Unknown[fleet.Listing]("denied"), role, "unknown controls.instanceRole.exclude[0] controls.instanceRole.enforceFor[0] selfManaged[0]?"},
		"another account":              {fleet.Scope{Account: "3", Region: "cn-hangzhou"}, tags("team", "a"), role, "not judged accounts controls.instanceRole.enforceFor"},
		"another region":               {fleet.Scope{Account: "1", Region: "cn-beijing"}, tags("team", "a"), role, "not judged regions controls.instanceRole.enforceFor"},
		"self-managed":                 {here, fleet.See(fleet.Listing{VPC: "vpc-own"}), role, "audited controls.instanceRole.include[1] controls.instanceRole.enforceFor tags selfManaged[0]"},
		"everything, exempt":           {here, tags(), agent, "enforced  controls.agent.mode exemptions[0]"},
		"everything, no longer exempt": {here, tags("env", "lab"), agent, "enforced  controls.agent.mode exemptions[0] exemptions[1] ended"},
		"perhaps exempt":               {here, fleet.Unknown[fleet.Listing]("denied"), agent, "enforced  controls.agent.mode exemptions[0] exemptions[1] maybe ended selfManaged[0]?"},
		"of a service":                 {here, tags(fleet.TagAutoScaling, "asg"), agent, "enforced  controls.agent.mode Auto Scaling exemptions[0]"},
		"off":                          {here, tags(), policy.ControlTrustedInstance, "off controls.trustedInstance.mode controls.trustedInstance.mode"},
		"an account":                   {here, tags(), policy.ControlShareRole, "audited  controls.shareRole.enforceFor"},
		"an account that is enforced":  {fleet.Scope{Account: "2", Region: "cn-hangzhou"}, tags(), policy.ControlShareRole, "enforced  controls.shareRole.enforceFor[0]"},
	} {
		all := p.Explain(fleet.Ref{Scope: c.scope, Kind: fleet.KindInstance, ID: "i-1"}, c.listed, at)
		e := all[slices.IndexFunc(all, func(e policy.Explained) bool { return e.Control == c.control })]
		got := []string{string(e.Result), e.ScopeKey, e.EnforceKey}
		if e.ByTags {
			got = append(got, "tags")
		}
		if e.Manager != "" {
			got = append(got, e.Manager)
		}
		for _, x := range e.Exemptions {
			got = append(got, x.Key)
			if x.Applies == policy.Maybe {
				got = append(got, "maybe")
			}
			if x.Ended {
				got = append(got, "ended")
			}
		}
		switch e.SelfManaged {
		case policy.Yes:
			got = append(got, e.SelfManagedKey)
		case policy.Maybe:
			got = append(got, e.SelfManagedKey+"?")
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s: got %q, want %q", name, g, c.want)
		}
	}
}

func TestARuleWithAScopeOfItsOwnIsExplainedByItself(t *testing.T) {
	p := mustLoad(t, with("controls:\n  trustedInstance:\n    exclude: [{vpcs: [vpc-1]}]\n    hardening: {include: [{tags: {a: b}}], exclude: [{vpcs: [vpc-2]}]}\n"))
	for vpc, want := range map[string]string{"vpc-1": "controls.trustedInstance.exclude[0]", "vpc-2": "controls.trustedInstance.hardening.exclude[0]", "vpc-3": "controls.trustedInstance.hardening.include[0]"} {
		listed := fleet.See(fleet.Listing{VPC: vpc, Tags: map[string]string{"a": "b"}})
		for _, e := range p.Explain(fleet.Ref{Scope: fleet.Scope{Account: "1", Region: "cn-hangzhou"}, Kind: fleet.KindInstance, ID: "i-1"}, listed, time.Time{}) {
			if e.Rule == policy.RuleHardeningAsked && (e.ScopeKey != want || (e.Judged == policy.Yes) != (vpc == "vpc-3")) {
				t.Errorf("%s: got %+v", vpc, e)
			}
		}
	}
}

// An explanation says what the gate does, whatever the policy and the facts are.
func TestAnExplanationAgreesWithTheGate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		selectors := func(name string) []policy.Selector {
			return rapid.SliceOfN(rapid.SampledFrom([]policy.Selector{
				{Tags: map[string]string{"a": "b"}}, {VPCs: []string{"vpc-1"}}, {Regions: []fleet.Region{"cn-hangzhou"}}, {Accounts: []fleet.AccountID{"2"}},
			}), 0, 2).Draw(t, name)
		}
		p := policy.Default()
		p.Agent.Mode = rapid.SampledFrom([]policy.Mode{policy.Off, policy.Audit, policy.Enforce}).Draw(t, "mode")
		p.Agent.Include, p.Agent.Exclude = selectors("include"), selectors("exclude")
		if p.Agent.Mode == policy.Audit {
			p.Agent.EnforceFor = selectors("enforceFor")
		}
		l := rapid.SampledFrom([]fleet.Fact[fleet.Listing]{fleet.Unknown[fleet.Listing]("x"), fleet.See(fleet.Listing{VPC: "vpc-1"}), fleet.See(fleet.Listing{Tags: map[string]string{"a": "b"}})}).Draw(t, "listing")
		ref := fleet.Ref{Scope: fleet.Scope{Account: "1", Region: "cn-hangzhou"}, Kind: fleet.KindInstance, ID: "i-1"}
		for _, e := range p.Explain(ref, l, time.Time{}) {
			if e.Control != policy.ControlAgent {
				continue
			}
			judged, enforced := p.Covers(e.Control, "", ref.Scope, l), p.Enforces(e.Control, ref.Scope, l)
			if e.Judged != judged || e.Enforced != enforced || (e.Result == policy.ResultEnforced) != (judged == policy.Yes && enforced == policy.Yes) {
				t.Fatalf("judged %s, enforced %s: got %+v", judged, enforced, e)
			}
		}
	})
}
