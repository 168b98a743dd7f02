package rules_test

import (
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

var (
	here = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	// long is an age at which nothing about an instance is still on its way.
	long = time.Hour
)

const (
	systrust = policy.SystrustRole
	theirs   = "AppRole"
)

// trusted is an instance as the policy wants it: g7t, tagged, in a VPC, on an ESSD.
func trusted() fleet.Instance {
	return fleet.Instance{
		Ref: fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: "i-1"},
		Listed: fleet.See(fleet.Listing{
			Status: "Running", Type: "ecs.g7t.large", Family: "ecs.g7t", VPC: "vpc-1", VSwitch: "vsw-1",
			Created: noon.Add(-long), Tags: map[string]string{fleet.TagSupportVTPM: "true"},
		}),
		Gone: fleet.See(false), RoleName: fleet.See(systrust), SystemDisk: fleet.See("cloud_essd"),
	}
}

// listed returns i with its listing changed.
func listed(i fleet.Instance, change func(*fleet.Listing)) fleet.Instance {
	change(&i.Listed.V)
	return i
}

// launched returns i with what its launch claimed.
func launched(i fleet.Instance, l fleet.Launch) fleet.Instance {
	i.Ref.Call = &fleet.Call{Name: "RunInstances", Launch: &l}
	return i
}

func granting(policies ...string) fleet.Fact[fleet.Role] {
	r := fleet.Role{Trust: rampolicy.ECSTrust()}
	for _, p := range policies {
		r.Policies = append(r.Policies, fleet.Policy{Name: "p", Type: fleet.CustomPolicy, Document: p})
	}
	return fleet.See(r)
}

func missing() fleet.Fact[fleet.Role] { return fleet.See(fleet.Role{Missing: true}) }

// untrusting is a role that only another service may assume.
func untrusting() fleet.Fact[fleet.Role] {
	return fleet.See(fleet.Role{Trust: `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`})
}

const (
	sweeping = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	narrow   = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"}]}`
	denying  = `{"Version":"1","Statement":[{"Effect":"Deny","Action":"yundun-systrust:*","Resource":"*"}]}`
)

// world holds instances beside a systrust role that is fit.
func world(instances ...fleet.Instance) *fleet.World {
	return &fleet.World{Scope: here, At: noon, Instances: instances, Roles: map[string]fleet.Fact[fleet.Role]{
		systrust: granting(rampolicy.SysTrustPolicy()),
		theirs:   granting(narrow),
	}}
}

// enforcing is the default policy with both controls of this package enforced.
func enforcing() *policy.Policy {
	p := policy.Default().WithHome(here.Account)
	p.TrustedInstance.Mode, p.InstanceRole.Mode = policy.Enforce, policy.Enforce
	return p
}

// one returns the verdict of a rule on the only instance, or the one that says why
// no rule was asked.
func one(t *testing.T, vs []fleet.Verdict, id string) fleet.Verdict {
	t.Helper()
	var found []fleet.Verdict
	for _, v := range vs {
		if v.Rule == id || v.Rule == policy.RuleInstance {
			found = append(found, v)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d verdicts of rule %s in %+v", len(found), id, vs)
	}
	sound(t, found[0])
	return found[0]
}

// sound checks what holds for each verdict.
func sound(t testing.TB, v fleet.Verdict) {
	t.Helper()
	faulty := v.Outcome == fleet.Violation || v.Outcome == fleet.Conflict
	waits := v.Patience > 0 && v.Since.IsZero() // for the sweep
	switch {
	case v.Reason == "" || v.Control == "" || v.Rule == "" || v.Ref.Kind == "":
		t.Errorf("a verdict without reason, control, rule or ref: %+v", v)
	case len(v.Changes) > 0 && !faulty:
		t.Errorf("changes although the outcome is %s: %+v", v.Outcome, v)
	case faulty && (v.Remedy == "" || v.Severity == ""):
		t.Errorf("a %s without remedy or severity: %+v", v.Outcome, v)
	case v.Outcome == fleet.Pending && v.Again <= 0 && !waits, v.Again > 0 && v.Outcome != fleet.Pending && !faulty:
		t.Errorf("outcome %s, again after %v", v.Outcome, v.Again)
	}
	for _, e := range v.Evidence {
		if e.Source != "observed" && e.Source != "claimed" {
			t.Errorf("evidence from %q: %+v", e.Source, v)
		}
	}
}

// kinds lists the kinds of a verdict's changes.
func kinds(v fleet.Verdict) []fleet.ChangeKind {
	var out []fleet.ChangeKind
	for _, c := range v.Changes {
		out = append(out, c.Kind)
	}
	return out
}
