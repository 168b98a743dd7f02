package rules_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/instances"
)

// decide runs both controls of this package.
func decide(w *fleet.World, p *policy.Policy) []fleet.Verdict {
	return slices.Concat(instances.TrustedInstance(w, p), instances.Role(w, p))
}

func pick[T any](t *rapid.T, name string, from ...T) T { return rapid.SampledFrom(from).Draw(t, name) }

// anyPolicy enforces, with all choices that bring changes about. Its exemption is
// for i-0, its exclusion for vpc-out, its self-managed scope vpc-self.
func anyPolicy(t *rapid.T) *policy.Policy {
	p := enforcing()
	p.InstanceRole.Conflict = pick(t, "conflict", policy.ConflictReport, policy.ConflictGrant, policy.ConflictReplace)
	p.InstanceRole.AttachAfter = pick(t, "attach after", 0, 5*time.Minute)
	p.TrustedInstance.Require = pick(t, "require", policy.RequireCandidates, policy.RequireAll)
	p.TrustedInstance.Consequence = pick(t, "consequence", policy.ConsequenceNone, policy.ConsequenceTag, policy.ConsequenceStop)
	p.TrustedInstance.Grace = pick(t, "grace", 0, time.Hour)
	p.TrustedInstance.IMDS = rapid.Bool().Draw(t, "imds")
	out := []policy.Selector{{VPCs: []string{"vpc-out"}}}
	p.InstanceRole.Exclude, p.TrustedInstance.Exclude = out, out
	if rapid.Bool().Draw(t, "names Auto Scaling") {
		named := []policy.Selector{{Managed: []string{policy.ManagedAutoScaling, policy.ManagedNone}}}
		p.InstanceRole.Include, p.TrustedInstance.Include = named, named
	}
	p.SelfManaged = []policy.Selector{{VPCs: []string{"vpc-self"}}}
	for _, control := range []string{policy.ControlInstanceRole, policy.ControlTrustedInstance} {
		p.Exemptions = append(p.Exemptions, policy.Exemption{Control: control, Instances: []string{"i-0"}, Owner: "o", Reason: "r", Expires: noon.Add(time.Hour)})
	}
	return p
}

func anyWorld(t *rapid.T) *fleet.World {
	w := &fleet.World{Scope: here, At: noon, Roles: map[string]fleet.Fact[fleet.Role]{}, KMS: pick(t, "KMS", fleet.See("Enabled"), fleet.See("Disabled"), fleet.Unknown[string]("denied"))}
	for n := range rapid.IntRange(1, 4).Draw(t, "instances") {
		w.Instances = append(w.Instances, anyInstance(t, fmt.Sprint("i-", n)))
	}
	for _, name := range []string{systrust, theirs} {
		w.Roles[name] = anyRole(t)
	}
	return w
}

func anyRole(t *rapid.T) fleet.Fact[fleet.Role] {
	r := fleet.Role{Trust: rampolicy.ECSTrust()}
	switch pick(t, "role", "there", "there", "there", "missing", "untrusting", "unread", "garbage") {
	case "missing":
		return missing()
	case "untrusting":
		return untrusting()
	case "unread":
		return fleet.Unknown[fleet.Role]("denied")
	case "garbage":
		r.Trust = "{"
	}
	documents := []string{rampolicy.SysTrustPolicy(), narrow, denying, sweeping, "{", "",
		`{"Version":"1","Statement":[{"Effect":"Deny","Action":"yundun-systrust:*","Resource":"*","Condition":{"Bool":{"acs:SecureTransport":"false"}}}]}`}
	for n, doc := range rapid.SliceOfN(rapid.SampledFrom(documents), 0, 3).Draw(t, "documents") {
		name := pick(t, "policy", fmt.Sprint("p-", n), policy.PolicyLeast)
		if !slices.ContainsFunc(r.Policies, func(p fleet.Policy) bool { return p.Name == name }) {
			r.Policies = append(r.Policies, fleet.Policy{Name: name, Type: fleet.CustomPolicy, Document: doc})
		}
	}
	return fleet.See(r)
}

// anyInstance is one whose launch, if it is known, claimed nothing about the disk
// that reading it would contradict.
func anyInstance(t *rapid.T, id string) fleet.Instance {
	i := fleet.Instance{Ref: fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: id}}
	if rapid.Bool().Draw(t, "seen before") {
		i.Ref.Try = fleet.Try{N: rapid.IntRange(0, 9).Draw(t, "tries"), FirstSeen: noon.Add(-pick(t, "since", time.Minute, 2*time.Hour))}
	}
	disk := pick(t, "disk", "cloud_essd", "cloud_ssd", "cloud_efficiency")
	if rapid.Bool().Draw(t, "launch known") {
		i.Ref.Call = &fleet.Call{Name: pick(t, "call", "RunInstances", "CreateInstance"), Launch: anyLaunch(t, disk)}
	}
	switch pick(t, "listing", "read", "read", "read", "read", "gone", "unread") {
	case "gone":
		i.Gone = fleet.See(true)
		return i
	case "unread":
		return i
	}
	i.Listed, i.Gone = fleet.See(anyListing(t)), fleet.See(false)
	i.Found = anyFound(t)
	i.RoleName = pick(t, "role name", fleet.See(""), fleet.See(systrust), fleet.See(theirs), fleet.See(strings.ToLower(systrust)), fleet.Unknown[string]("denied"))
	i.SystemDisk = pick(t, "disk read", fleet.See(disk), fleet.Unknown[string]("denied"))
	i.Image = pick(t, "image", fleet.See(fleet.Image{ID: "m", Owner: "system", BootMode: "BIOS"}), fleet.See(fleet.Image{ID: "m", Owner: "self", BootMode: "UEFI"}), fleet.Unknown[fleet.Image]("denied"))
	return i
}

// anyFound is what a sweep remembers of an instance, for all rules or none.
func anyFound(t *rapid.T) fleet.Fact[map[string]time.Time] {
	switch ago := pick(t, "found", 0, time.Minute, 2*time.Hour, -1); ago {
	case -1:
		return fleet.Unknown[map[string]time.Time]("cut")
	case 0:
		return fleet.See(map[string]time.Time{})
	default:
		out := map[string]time.Time{}
		for _, rule := range []string{policy.RuleFamily, policy.RuleImage, policy.RuleSystemDisk, policy.RuleVPC, policy.RuleTrustedMode, policy.RuleIMDS} {
			out[rule] = noon.Add(-ago)
		}
		return fleet.See(out)
	}
}

func anyLaunch(t *rapid.T, disk string) *fleet.Launch {
	l := &fleet.Launch{
		TrustedSystemMode:           pick(t, "mode", "", "vTPM"),
		SecurityEnhancementStrategy: pick(t, "hardening", "", "Active", "Deactive"),
		SystemDiskCategory:          disk,
	}
	if disk == "cloud_efficiency" && rapid.Bool().Draw(t, "left out") {
		l.SystemDiskCategory = ""
	} else if rapid.Bool().Draw(t, "from a template") {
		l.SystemDiskCategory, l.LaunchTemplateID = "", "lt-1"
	}
	return l
}

func anyListing(t *rapid.T) fleet.Listing {
	family := pick(t, "family", "ecs.g7t", "ecs.g6t", "ecs.g7", "ecs.g5")
	l := fleet.Listing{
		Status: pick(t, "status", "Running", "Stopped"), Family: family, Type: family + ".large", ImageID: "m",
		VPC: pick(t, "VPC", "vpc-1", "vpc-1", "vpc-out", "vpc-self", ""), Classic: rapid.IntRange(0, 9).Draw(t, "classic") == 0,
		HTTPTokens: pick(t, "tokens", "", "required", "optional"),
		Created:    noon.Add(-pick(t, "age", 0, time.Minute, 7*time.Minute, 48*time.Hour)), Tags: map[string]string{},
	}
	for _, tag := range rapid.SliceOf(rapid.SampledFrom([]string{fleet.TagSupportVTPM, fleet.TagAutoScaling, fleet.TagACK, instances.TagViolation})).Draw(t, "tags") {
		l.Tags[tag] = "x"
	}
	return l
}

// clone copies as much of a world as tests change.
func clone(w *fleet.World) *fleet.World {
	c := *w
	c.Instances, c.Roles = slices.Clone(w.Instances), maps.Clone(w.Roles)
	for i := range c.Instances {
		c.Instances[i].Listed.V.Tags = maps.Clone(c.Instances[i].Listed.V.Tags)
	}
	for name, f := range c.Roles {
		f.V.Policies = slices.Clone(f.V.Policies)
		c.Roles[name] = f
	}
	return &c
}

// apply does to the world what the changes ask for.
func apply(w *fleet.World, vs []fleet.Verdict) {
	for _, v := range vs {
		for _, c := range v.Changes {
			switch c.Kind {
			case fleet.EnsureRole, fleet.GrantRole:
				applyToRole(w, c)
			default:
				at := slices.IndexFunc(w.Instances, func(i fleet.Instance) bool { return i.Ref.ID == c.Ref.ID })
				applyToInstance(&w.Instances[at], c)
			}
		}
	}
}

func applyToRole(w *fleet.World, c fleet.Change) {
	for name, f := range w.Roles {
		if !strings.EqualFold(name, c.Ref.ID) {
			continue
		}
		if c.Kind == fleet.EnsureRole {
			f = fleet.See(fleet.Role{Trust: rampolicy.ECSTrust()})
		}
		if !slices.ContainsFunc(f.V.Policies, func(p fleet.Policy) bool { return p.Name == c.Want }) {
			f.V.Policies = append(f.V.Policies, fleet.Policy{Name: c.Want, Type: fleet.CustomPolicy, Document: rampolicy.SysTrustPolicy()})
		}
		w.Roles[name] = f
	}
}

func applyToInstance(i *fleet.Instance, c fleet.Change) {
	key, value, _ := strings.Cut(c.Want, "=")
	switch c.Kind {
	case fleet.AttachRole:
		if i.RoleName.V == "" {
			i.RoleName.V = c.Want
		}
	case fleet.ReplaceRole:
		if i.RoleName.V == c.Before {
			i.RoleName.V = c.Want
		}
	case fleet.TagInstance:
		i.Listed.V.Tags[key] = value
	case fleet.StopInstance:
		i.Listed.V.Tags[key], i.Listed.V.Status = value, "Stopped"
	}
}
