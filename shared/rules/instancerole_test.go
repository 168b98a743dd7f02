package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/instances"
)

// Each row is a row of the control's table, or its negative.
func TestSystrustRole(t *testing.T) {
	none := func(w *fleet.World) { w.Instances[0].RoleName = fleet.See("") }
	other := func(w *fleet.World) { w.Instances[0].RoleName = fleet.See(theirs) }
	conflict := func(how string) func(*policy.Policy) {
		return func(p *policy.Policy) { p.InstanceRole.Conflict = how }
	}
	for name, tc := range map[string]struct {
		world   func(*fleet.World)
		policy  func(*policy.Policy)
		want    fleet.Outcome
		changes []fleet.ChangeKind
	}{
		"the right role": {want: fleet.Passes},
		"a role that grants the actions by another name": {world: func(w *fleet.World) {
			other(w)
			w.Roles[theirs] = granting(narrow, rampolicy.SysTrustPolicy())
		}, want: fleet.Passes},
		"a role of the right name without the actions": {world: func(w *fleet.World) { w.Roles[systrust] = granting(narrow) },
			want: fleet.Violation, changes: []fleet.ChangeKind{fleet.GrantRole}},
		"the right role, which ECS may not assume": {world: func(w *fleet.World) { w.Roles[systrust] = untrusting() }, want: fleet.Violation},
		"the right role, which was deleted":        {world: func(w *fleet.World) { w.Roles[systrust] = missing() }, want: fleet.Violation, changes: []fleet.ChangeKind{fleet.EnsureRole}},
		"the right role, whose grant is denied":    {world: func(w *fleet.World) { w.Roles[systrust] = granting(rampolicy.SysTrustPolicy(), denying) }, want: fleet.Violation},
		"the right role, whose policy was edited": {world: func(w *fleet.World) {
			w.Roles[systrust] = fleet.See(fleet.Role{Trust: rampolicy.ECSTrust(), Policies: []fleet.Policy{{Name: policy.PolicyLeast, Type: fleet.CustomPolicy, Document: narrow}}})
		}, want: fleet.Violation},

		"no role, and the systrust role is fit": {world: none, want: fleet.Violation, changes: []fleet.ChangeKind{fleet.AttachRole}},
		"no role, and the systrust role is missing": {world: func(w *fleet.World) { none(w); w.Roles[systrust] = missing() },
			want: fleet.Violation, changes: []fleet.ChangeKind{fleet.EnsureRole, fleet.AttachRole}},
		"no role, and the systrust role lacks the actions": {world: func(w *fleet.World) { none(w); w.Roles[systrust] = granting() },
			want: fleet.Violation, changes: []fleet.ChangeKind{fleet.GrantRole, fleet.AttachRole}},
		"no role, and the systrust role is denied the actions": {world: func(w *fleet.World) { none(w); w.Roles[systrust] = granting(denying) },
			want: fleet.Undecided},
		"no role, and ECS may not assume the systrust role": {world: func(w *fleet.World) { none(w); w.Roles[systrust] = untrusting() }, want: fleet.Undecided},
		"no role, and the systrust role was not read":       {world: func(w *fleet.World) { none(w); delete(w.Roles, systrust) }, want: fleet.Undecided},
		"no role, and the systrust role's policy cannot be read": {world: func(w *fleet.World) { none(w); w.Roles[systrust] = granting("{") },
			want: fleet.Undecided},
		"no role, shortly after the launch": {world: func(w *fleet.World) {
			none(w)
			w.Instances[0].Listed.V.Created = noon.Add(-4 * time.Minute)
		}, want: fleet.Pending},
		// Launched up to a minute later than ECS says.
		"no role, maybe shortly after the launch": {world: func(w *fleet.World) {
			none(w)
			w.Instances[0].Listed.V.Created = noon.Add(-5*time.Minute - 59*time.Second)
		}, want: fleet.Pending},
		"no role, long enough after the launch": {world: func(w *fleet.World) {
			none(w)
			w.Instances[0].Listed.V.Created = noon.Add(-6 * time.Minute)
		}, want: fleet.Violation, changes: []fleet.ChangeKind{fleet.AttachRole}},
		"no role, shortly after the launch, and the policy does not wait": {world: func(w *fleet.World) {
			none(w)
			w.Instances[0].Listed.V.Created = noon
		}, policy: func(p *policy.Policy) { p.InstanceRole.AttachAfter = 0 }, want: fleet.Violation, changes: []fleet.ChangeKind{fleet.AttachRole}},

		"another role, reported": {world: other, want: fleet.Conflict},
		"another role, granted":  {world: other, policy: conflict(policy.ConflictGrant), want: fleet.Conflict, changes: []fleet.ChangeKind{fleet.GrantRole}},
		"another role that is denied the actions, not granted": {world: func(w *fleet.World) { other(w); w.Roles[theirs] = granting(denying) },
			policy: conflict(policy.ConflictGrant), want: fleet.Conflict},
		"another role that ECS may not assume, not granted": {world: func(w *fleet.World) { other(w); w.Roles[theirs] = untrusting() },
			policy: conflict(policy.ConflictGrant), want: fleet.Conflict},
		"another role that was deleted, not granted": {world: func(w *fleet.World) { other(w); w.Roles[theirs] = missing() },
			policy: conflict(policy.ConflictGrant), want: fleet.Conflict},
		"another role, replaced": {world: other, policy: conflict(policy.ConflictReplace), want: fleet.Conflict, changes: []fleet.ChangeKind{fleet.ReplaceRole}},
		"another role, to be replaced once the systrust role is made": {world: func(w *fleet.World) { other(w); w.Roles[systrust] = missing() },
			policy: conflict(policy.ConflictReplace), want: fleet.Conflict, changes: []fleet.ChangeKind{fleet.EnsureRole}},
		"another role, not replaced by one that ECS may not assume": {world: func(w *fleet.World) { other(w); w.Roles[systrust] = untrusting() },
			policy: conflict(policy.ConflictReplace), want: fleet.Conflict},
		"another role that was not read": {world: func(w *fleet.World) { other(w); delete(w.Roles, theirs) },
			policy: conflict(policy.ConflictReplace), want: fleet.Undecided},
		"another role whose trust cannot be read": {world: func(w *fleet.World) {
			other(w)
			w.Roles[theirs] = fleet.See(fleet.Role{Trust: "{"})
		}, policy: conflict(policy.ConflictReplace), want: fleet.Undecided},

		"the instance's role was not read":    {world: func(w *fleet.World) { w.Instances[0].RoleName = fleet.Unknown[string]("denied") }, want: fleet.Undecided},
		"the instance's role is only claimed": {world: func(w *fleet.World) { w.Instances[0].RoleName = fleet.Claim("") }, want: fleet.Undecided},
		"the classic network":                 {world: func(w *fleet.World) { none(w); w.Instances[0].Listed.V.Classic = true }, want: fleet.Violation},
		"an ordinary instance": {world: func(w *fleet.World) {
			none(w)
			w.Instances[0] = listed(w.Instances[0], func(l *fleet.Listing) { l.Type, l.Family, l.Tags = "ecs.g7.large", "ecs.g7", nil })
		}, want: fleet.NotApplicable},
		"an ordinary family with the tag": {world: func(w *fleet.World) {
			none(w)
			w.Instances[0] = listed(w.Instances[0], func(l *fleet.Listing) { l.Type, l.Family = "ecs.g7.large", "ecs.g7" })
		}, want: fleet.Violation, changes: []fleet.ChangeKind{fleet.AttachRole}},
		"a self-managed scope": {world: none, policy: func(p *policy.Policy) {
			p.SelfManaged = []policy.Selector{{VPCs: []string{"vpc-1"}}}
		}, want: fleet.NotApplicable},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := world(trusted()), enforcing()
			if tc.world != nil {
				tc.world(w)
			}
			if tc.policy != nil {
				tc.policy(p)
			}
			v := one(t, instances.Role(w, p), policy.RuleSystrustRole)
			if v.Outcome != tc.want || !slices.Equal(kinds(v), tc.changes) {
				t.Errorf("got %s %v, want %s %v: %s", v.Outcome, kinds(v), tc.want, tc.changes, v.Reason)
			}
		})
	}
}

func TestAMissingInstanceIsAwaitedForTenMinutes(t *testing.T) {
	for name, tc := range map[string]struct {
		try   fleet.Try
		want  fleet.Outcome
		again time.Duration
	}{
		"first look":            {fleet.Try{}, fleet.Pending, 15 * time.Second},
		"third look":            {fleet.Try{N: 2, FirstSeen: noon.Add(-time.Minute)}, fleet.Pending, time.Minute},
		"after nine minutes":    {fleet.Try{N: 20, FirstSeen: noon.Add(-9 * time.Minute)}, fleet.Pending, 5 * time.Minute},
		"after ten minutes":     {fleet.Try{N: 2, FirstSeen: noon.Add(-10 * time.Minute)}, fleet.Fault, 0},
		"a try below the first": {fleet.Try{N: -3}, fleet.Pending, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			i := fleet.Instance{Ref: fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: "i-1", Try: tc.try}, Gone: fleet.See(true)}
			v := one(t, instances.Role(world(i), enforcing()), policy.RuleSystrustRole)
			if v.Outcome != tc.want || v.Again != tc.again || len(v.Changes) != 0 {
				t.Errorf("got %+v", v)
			}
		})
	}
}

func TestWhatOnlyTheLaunchCallsTrustedIsNotChanged(t *testing.T) {
	for age, want := range map[time.Duration]fleet.Outcome{time.Minute: fleet.Pending, long: fleet.Undecided} {
		i := launched(trusted(), fleet.Launch{TrustedSystemMode: "vTPM"})
		i = listed(i, func(l *fleet.Listing) {
			l.Type, l.Family, l.Tags, l.Created = "ecs.g7.large", "ecs.g7", nil, noon.Add(-age)
		})
		i.RoleName = fleet.See("")
		v := one(t, instances.Role(world(i), enforcing()), policy.RuleSystrustRole)
		if v.Outcome != want || len(v.Changes) != 0 {
			t.Errorf("at the age of %v: %+v, want %s", age, v, want)
		}
	}
}

func TestChangesNameTheirNeed(t *testing.T) {
	i := trusted()
	i.RoleName = fleet.See("")
	w := world(i)
	w.Roles[systrust] = missing()
	v := one(t, instances.Role(w, enforcing()), policy.RuleSystrustRole)
	ensure, attach := v.Changes[0], v.Changes[1]
	if attach.Needs != ensure.Ref.Key() || ensure.Needs != (fleet.Key{}) {
		t.Errorf("got %+v", v.Changes)
	}
	if ensure.Ref.Scope != (fleet.Scope{Account: here.Account}) || ensure.Ref.ID != systrust || ensure.Want != policy.PolicyLeast {
		t.Errorf("the role is %+v", ensure)
	}
	if attach.Ref.ID != "i-1" || attach.Want != systrust || attach.Before != "" {
		t.Errorf("the instance is %+v", attach)
	}
}

func TestARoleNameIsComparedAsRAMDoes(t *testing.T) {
	i := trusted()
	i.RoleName = fleet.See(strings.ToLower(systrust))
	w := world(i)
	w.Roles[strings.ToLower(systrust)] = granting(narrow)
	v := one(t, instances.Role(w, enforcing()), policy.RuleSystrustRole)
	if v.Outcome != fleet.Violation || !slices.Equal(kinds(v), []fleet.ChangeKind{fleet.GrantRole}) {
		t.Errorf("got %+v", v)
	}
}

func TestAMissingRoleIsNotCalledNarrow(t *testing.T) {
	i := trusted()
	i.RoleName = fleet.See(theirs)
	w := world(i)
	w.Roles[theirs] = missing()
	for _, v := range instances.Role(w, enforcing()) {
		if v.Rule == policy.RuleOverBroadRole {
			t.Errorf("over-broad-role says %s of a role that does not exist", v.Outcome)
		}
	}
}

func TestOverBroadRole(t *testing.T) {
	for name, tc := range map[string]struct {
		role fleet.Fact[fleet.Role]
		want fleet.Outcome
	}{
		"everything":       {granting(sweeping), fleet.Violation},
		"all of RAM":       {granting(strings.ReplaceAll(sweeping, `"Action":"*"`, `"Action":"ram:*"`)), fleet.Violation},
		"all of KMS":       {granting(strings.ReplaceAll(sweeping, `"Action":"*"`, `"Action":"kms:*"`)), fleet.Violation},
		"all of OSS":       {granting(strings.ReplaceAll(sweeping, `"Action":"*"`, `"Action":"oss:*"`)), fleet.Passes},
		"the four actions": {granting(rampolicy.SysTrustPolicy()), fleet.Passes},
		"not read":         {fleet.Unknown[fleet.Role]("denied"), fleet.Undecided},
		"garbage":          {granting("{"), fleet.Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			i := trusted()
			i.RoleName = fleet.See(theirs)
			w := world(i)
			w.Roles[theirs] = tc.role
			v := one(t, instances.Role(w, enforcing()), policy.RuleOverBroadRole)
			if v.Outcome != tc.want || len(v.Changes) != 0 {
				t.Errorf("got %+v, want %s", v, tc.want)
			}
		})
	}
}

func TestTheUnreadRoleOfAnOrdinaryInstanceIsUnknown(t *testing.T) {
	for name, tc := range map[string]struct {
		in   fleet.Instance
		rule string
	}{
		"ordinary": {listed(trusted(), func(l *fleet.Listing) { l.Family, l.Type, l.Tags = "ecs.g7", "ecs.g7.large", nil }), policy.RuleOverBroadRole},
		"trusted":  {trusted(), policy.RuleSystrustRole}, // reported once
	} {
		tc.in.RoleName = fleet.Unknown[string]("denied")
		reports := 0
		for _, v := range instances.Role(world(tc.in), enforcing()) {
			if v.Outcome == fleet.Undecided {
				reports++
				if v.Rule != tc.rule {
					t.Errorf("%s: %s reports it", name, v.Rule)
				}
			}
		}
		if reports != 1 {
			t.Errorf("%s: reported %d times", name, reports)
		}
	}
}

func TestOverBroadRoleSaysNothingWhereItIsNotAsked(t *testing.T) {
	silent := func(t *testing.T, w *fleet.World, p *policy.Policy) {
		t.Helper()
		for _, v := range instances.Role(w, p) {
			if v.Rule == policy.RuleOverBroadRole {
				t.Errorf("got %+v", v)
			}
		}
	}
	t.Run("switched off", func(t *testing.T) {
		p := enforcing()
		p.InstanceRole.WarnOverBroad = false
		w := world(trusted())
		w.Roles[systrust] = granting(sweeping)
		silent(t, w, p)
	})
	t.Run("no role", func(t *testing.T) {
		i := trusted()
		i.RoleName = fleet.See("")
		silent(t, world(i), enforcing())
	})
}

// Whoever asks only for the roles that are wanted gets the verdicts of one who asks for
// all.
func TestTheRulesNeedNoOtherRolesThanTheyWant(t *testing.T) {
	ordinary := listed(trusted(), func(l *fleet.Listing) { l.Family, l.Type, l.Tags = "ecs.g7", "ecs.g7.large", nil })
	elsewhere := trusted()
	elsewhere.Ref.Scope.Region = "cn-shanghai"
	inScope := func(p *policy.Policy) {
		p.InstanceRole.Include = []policy.Selector{{Regions: []fleet.Region{here.Region}}}
	}
	for name, tc := range map[string]struct {
		inst   fleet.Instance
		change func(*policy.Policy)
		wanted bool
	}{
		"a trusted one":                    {trusted(), func(*policy.Policy) {}, true},
		"an ordinary one":                  {ordinary, func(*policy.Policy) {}, true},
		"a trusted one, no broad ones":     {trusted(), func(p *policy.Policy) { p.InstanceRole.WarnOverBroad = false }, true},
		"an ordinary one, no broad ones":   {ordinary, func(p *policy.Policy) { p.InstanceRole.WarnOverBroad = false }, false},
		"a trusted one in scope":           {trusted(), inScope, true},
		"a trusted one out of scope":       {elsewhere, inScope, false},
		"a trusted one, control is off":    {trusted(), func(p *policy.Policy) { p.InstanceRole.Mode = policy.Off }, false},
		"one that could not be read":       {fleet.Instance{Ref: trusted().Ref, Listed: fleet.Unknown[fleet.Listing]("denied")}, inScope, true},
		"unread, and scopes ask about VPC": {fleet.Instance{Ref: trusted().Ref, Listed: fleet.Unknown[fleet.Listing]("denied")}, func(p *policy.Policy) { p.InstanceRole.Include = []policy.Selector{{VPCs: []string{"vpc-1"}}} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := enforcing()
			tc.change(p)
			tc.inst.RoleName = fleet.See(theirs)
			w := world(tc.inst)
			w.Roles[theirs] = granting(sweeping)
			want := instances.Role(w, p)
			if got := instances.WantsRole(p)(&w.Instances[0]); got != tc.wanted {
				t.Errorf("wanted: %v", got)
			} else if !got {
				w.Instances[0].RoleName = fleet.Fact[string]{}
			}
			if diff := cmp.Diff(want, instances.Role(w, p)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// RAM does not distinguish names by case: a role that was deleted while it was read may be
// missing by one spelling and be there by the other.
func TestTheSystrustRoleInAnotherSpellingIsNeverANil(t *testing.T) {
	w := world(trusted())
	lower := strings.ToLower(systrust)
	w.Instances[0].RoleName = fleet.See(lower)
	w.Roles[lower] = missing()
	for name, role := range map[string]fleet.Fact[fleet.Role]{
		"right": granting(rampolicy.SysTrustPolicy()), "untrusting": untrusting(), "unread": fleet.Unknown[fleet.Role]("denied"), "missing": missing(),
	} {
		w.Roles[systrust] = role
		v := one(t, instances.Role(w, enforcing()), policy.RuleSystrustRole)
		if name == "missing" {
			if v.Outcome != fleet.Violation || len(v.Changes) != 1 || v.Changes[0].Kind != fleet.EnsureRole {
				t.Errorf("%s: %+v", name, v)
			}
		} else if v.Outcome != fleet.Undecided || len(v.Changes) > 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
