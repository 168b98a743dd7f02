package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// scene is a world to decide about, with the facts about its roles that every engine gets.
type scene struct {
	world  *fleet.World
	policy *policy.Policy
	roles  map[string]standing
}

// standing is a role and how it has to be judged.
type standing struct {
	role                  fleet.Fact[fleet.Role]
	answer                string // may it report trust data: allowed, denied, unsure
	missing, trusted      bool
	futile, broad, unread bool
}

func (s standing) facts() map[string]any {
	return map[string]any{"answer": s.answer, "missing": s.missing, "trusted": s.trusted, "futile": s.futile, "broad": s.broad, "unread": s.unread}
}

// standings are roles of every kind.
func standings() map[string]standing {
	const (
		narrow   = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"}]}`
		denying  = `{"Version":"1","Statement":[{"Effect":"Deny","Action":"yundun-systrust:*","Resource":"*"}]}`
		sweeping = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
		fcTrust  = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`
	)
	role := func(trust string, documents ...string) fleet.Fact[fleet.Role] {
		r := fleet.Role{Trust: trust}
		for i, d := range documents {
			r.Policies = append(r.Policies, fleet.Policy{Name: fmt.Sprint("p", i), Type: fleet.CustomPolicy, Document: d})
		}
		return fleet.See(r)
	}
	ecs := rampolicy.ECSTrust()
	return map[string]standing{
		"fit":       {role: role(ecs, narrow, rampolicy.SysTrustPolicy()), answer: "allowed", trusted: true},
		"narrow":    {role: role(ecs, narrow), answer: "denied", trusted: true},
		"denying":   {role: role(ecs, denying), answer: "denied", trusted: true, futile: true},
		"sweeping":  {role: role(ecs, sweeping), answer: "allowed", trusted: true, broad: true},
		"untrusted": {role: role(fcTrust, narrow), answer: "denied"},
		"missing":   {role: fleet.See(fleet.Role{Missing: true}), answer: "denied", missing: true},
		"unread":    {role: fleet.Unknown[fleet.Role]("denied"), answer: "unsure", unread: true},
		"garbled":   {role: role(ecs, `{`), answer: "unsure", trusted: true, unread: true},
	}
}

func newScene(require, conflict string, attachAfter time.Duration, systrust string) scene {
	p := policy.Default().WithHome(account)
	p.SelfManaged = []policy.Selector{{Tags: map[string]string{"trust-service": "self"}}}
	p.InstanceRole.Mode, p.InstanceRole.Conflict, p.InstanceRole.AttachAfter = policy.Enforce, conflict, attachAfter
	p.TrustedInstance.Mode, p.TrustedInstance.Require, p.TrustedInstance.IMDS = policy.Enforce, require, true
	p.TrustedInstance.Skip = []string{"kms-enabled", "denied-launch"} // they are not about an instance
	sc := scene{policy: p, roles: standings(), world: &fleet.World{
		Scope: fleet.Scope{Account: account, Region: region}, At: noon, Roles: map[string]fleet.Fact[fleet.Role]{},
	}}
	sc.roles[policy.SystrustRole] = sc.roles[systrust]
	for name, s := range sc.roles {
		sc.world.Roles[name] = s.role
	}
	return sc
}

// typicalScene is a launch of 100 as it should be, but that each tenth has no role
// yet.
func typicalScene() scene {
	sc := newScene(policy.RequireCandidates, policy.ConflictReport, 0, "fit")
	call := &fleet.Call{Name: "RunInstances", Launch: &fleet.Launch{TrustedSystemMode: "vTPM", SystemDiskCategory: "cloud_essd", SecurityEnhancementStrategy: "Active"}}
	for n := range 100 {
		i := sc.add(n)
		i.Ref.Call = call
		i.Listed = fleet.See(fleet.Listing{Status: "Running", Family: "ecs.g7t", VPC: "vpc-1", VSwitch: "vsw-1", HTTPTokens: "required",
			Created: noon.Add(-time.Minute), Tags: map[string]string{fleet.TagSupportVTPM: "true"}})
		i.RoleName, i.SystemDisk = fleet.See(policy.SystrustRole), fleet.See("cloud_essd")
		if n%10 == 0 {
			i.RoleName = fleet.See("")
		}
		i.Image = fleet.See(fleet.Image{ID: "aliyun_3_x64_20G_uefi_alibase_20230727.vhd", Owner: "system", BootMode: "UEFI"})
	}
	return sc
}

func (sc scene) add(n int) *fleet.Instance {
	sc.world.Instances = append(sc.world.Instances, fleet.Instance{
		Ref: fleet.Ref{Scope: sc.world.Scope, Kind: fleet.KindInstance, ID: fmt.Sprintf("i-%03d", n)}, Gone: fleet.See(false),
	})
	return &sc.world.Instances[n]
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// perhaps is v three times out of four, and else not known.
func perhaps[T any](r *rand.Rand, v T) fleet.Fact[T] {
	if r.IntN(4) == 0 {
		return fleet.Unknown[T]("it was not read")
	}
	return fleet.See(v)
}

// randomScene is one in which everything that a rule asks for occurs.
func randomScene(r *rand.Rand) scene {
	kinds := []string{"fit", "fit", "narrow", "denying", "sweeping", "untrusted", "missing", "unread", "garbled"}
	sc := newScene(pick(r, policy.RequireCandidates, policy.RequireAll),
		pick(r, policy.ConflictReport, policy.ConflictGrant, policy.ConflictReplace), pick(r, 0, 5*time.Minute), pick(r, kinds...))
	for n := range 100 {
		i := sc.add(n)
		if r.IntN(20) == 0 {
			i.Gone = fleet.See(true)
		}
		i.Ref.Try.FirstSeen = pick(r, time.Time{}, noon.Add(-time.Minute), noon.Add(-time.Hour))
		i.Ref.Call = randomCall(r)
		i.Listed = perhaps(r, randomListing(r))
		i.RoleName = perhaps(r, pick(r, append(kinds, "", "", policy.SystrustRole)...))
		i.SystemDisk = perhaps(r, pick(r, "cloud_essd", "cloud_efficiency"))
		i.Image = perhaps(r, fleet.Image{ID: pick(r, "aliyun_2_secured_alibase.vhd", "aliyun_3_x64.vhd"), Owner: pick(r, "system", "self"),
			BootMode: pick(r, "UEFI", "UEFI-Preferred", "BIOS", ""), Gone: r.IntN(10) == 0})
	}
	return sc
}

func randomListing(r *rand.Rand) fleet.Listing {
	l := fleet.Listing{Status: "Running", Family: "ecs." + pick(r, "g6t", "g7t", "c7", "g7", "g8t", "gn5i", "s6"), VPC: pick(r, "vpc-1", "vpc-1", ""), VSwitch: "vsw-1",
		Classic: r.IntN(10) == 0, HTTPTokens: pick(r, "required", "optional", ""),
		Created: noon.Add(-pick(r, time.Minute, 7*time.Minute, time.Hour)), Tags: map[string]string{}}
	for _, tag := range []string{fleet.TagSupportVTPM, fleet.TagAutoScaling, fleet.TagACK, "trust-service"} {
		if r.IntN(4) == 0 {
			l.Tags[tag] = pick(r, "self", "true")
		}
	}
	return l
}

func randomCall(r *rand.Rand) *fleet.Call {
	if r.IntN(3) == 0 {
		return pick(r, nil, &fleet.Call{Name: "RunInstances"})
	}
	return &fleet.Call{Name: "RunInstances", Launch: &fleet.Launch{
		TrustedSystemMode: pick(r, "vTPM", ""), ConfidentialComputingMode: pick(r, "Enclave", "", "TDX"), SystemDiskCategory: pick(r, "cloud_essd", "cloud_ssd", ""),
		SecurityEnhancementStrategy: pick(r, "Active", "Deactive", ""), LaunchTemplateID: pick(r, "lt-1", ""),
	}}
}
