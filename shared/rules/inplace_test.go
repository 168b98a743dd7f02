package rules_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/instances"
	"fleetwarden/shared/rules/shares"
)

// A pass may die right after a write. Whatever kind of change that was, the next look finds
// it in place; the look before it does not.
func TestEachChangeIsInPlaceOnceItWasMade(t *testing.T) {
	seen := map[fleet.ChangeKind]bool{}
	check := func(t interface{ Errorf(string, ...any) }, c fleet.Change, before, after bool) {
		seen[c.Kind] = true
		if before || !after {
			t.Errorf("%+v is in place before: %t, and after: %t", c, before, after)
		}
	}
	settles := func(t interface{ Errorf(string, ...any) }, w *fleet.World, p *policy.Policy) {
		vs, after := decide(w, p), clone(w)
		apply(after, vs)
		for _, c := range asked(vs) {
			check(t, c, instances.InPlace(w, c), instances.InPlace(after, c))
		}
	}
	shares := func(t interface{ Errorf(string, ...any) }, w *fleet.ShareWorld, p *policy.Policy) {
		vs, after := shares.Role(w, p), cloneShares(w)
		applyShares(after, vs)
		for _, c := range asked(vs) {
			check(t, c, shares.InPlace(w, c), shares.InPlace(after, c))
		}
	}
	rapid.Check(t, func(t *rapid.T) { settles(t, anyWorld(t), anyPolicy(t)) })
	rapid.Check(t, func(t *rapid.T) { shares(t, anyShareWorld(t), anySharePolicy(t)) })

	// Not each run has each kind of change in those worlds, and none has an agent.
	another, bareRole := trusted(), trusted()
	another.RoleName, bareRole.RoleName = fleet.See(theirs), fleet.See("")
	for _, conflict := range []string{policy.ConflictReplace, policy.ConflictGrant} {
		p := enforcing()
		p.InstanceRole.Conflict = conflict
		settles(t, world(another), p)
	}
	without := world(bareRole)
	without.Roles[systrust] = missing()
	settles(t, without, enforcing())
	slow := trusted()
	slow.SystemDisk = fleet.See("cloud_efficiency")
	for _, consequence := range []string{policy.ConsequenceTag, policy.ConsequenceStop} {
		p := enforcing()
		p.TrustedInstance.Consequence, p.TrustedInstance.Grace = consequence, 0
		settles(t, world(slow), p)
	}
	for _, role := range []fleet.Fact[fleet.Role]{missing(), trusting(accounts(stranger), resTwo)} {
		shares(t, sharing(role, with(string(sharee))), approving(enforced))
	}
	taking, idle := approving(enforced), sharing(trusting(accounts(sharee), resOne))
	idle.Sides[0].Tags.V[fleet.TagUnused] = ruled(t, idle, taking, policy.RuleTakeBack).Changes[0].Want
	idle.At = noon.Add(taking.ShareRole.TakeBackAfter)
	shares(t, idle, taking)

	bare := listed(lacking(), func(l *fleet.Listing) { l.Type, l.Family, l.Tags = "ecs.g6t.large", "ecs.g6t", map[string]string{} })
	bare.TrustScript = fleet.See("")
	unknown, installed, run := bare, bare, bare
	unknown.Agent, unknown.TrustScript = fleet.See(fleet.Agent{}), fleet.See("published")
	installed.Agent = fleet.See(fleet.Agent{Known: true, Status: "online", Sub: "online"})
	installed.Invocations = fleet.See(pushed(fleet.CommandTrustClient, "Success", time.Hour))
	run.Invocations = fleet.See(slices.Concat(pushed(fleet.CommandAgentLinux, "Running", time.Second), pushed(fleet.CommandTrustClient, "Running", time.Second)))
	tagged := listed(installed, func(l *fleet.Listing) {
		l.Tags = map[string]string{instances.TagTrustClient: instances.TrustClientVersion}
	})
	for _, x := range []struct{ before, after fleet.Instance }{{unknown, bare}, {bare, run}, {bare, installed}, {installed, tagged}} {
		for _, c := range asked(instances.Agent(world(x.before), guarding())) {
			check(t, c, instances.InPlace(world(x.before), c), instances.InPlace(world(x.after), c))
		}
	}
	// Undoing makes kinds of its own.
	undone := listed(trusted(), func(l *fleet.Listing) { l.Status, l.Tags = "Running", map[string]string{} })
	done := listed(undone, func(l *fleet.Listing) { l.Status, l.Tags = "Stopped", map[string]string{instances.TagViolation: "x"} })
	undone.RoleName = fleet.See("")
	role := fleet.Ref{Scope: fleet.Scope{Account: here.Account}, Kind: fleet.KindRole, ID: theirs}
	granted, revoked := world(done), world(undone)
	granted.Roles[theirs] = fleet.See(fleet.Role{Trust: rampolicy.ECSTrust(), Policies: []fleet.Policy{{Name: policy.PolicyLeast, Type: fleet.CustomPolicy}}})
	for _, c := range []fleet.Change{
		{Kind: fleet.DetachRole, Ref: done.Ref, Before: done.RoleName.V}, {Kind: fleet.UntagInstance, Ref: done.Ref, Before: instances.TagViolation + "=x"},
		{Kind: fleet.StartInstance, Ref: done.Ref, Before: instances.TagStopped + "=x", Want: "Running"}, {Kind: fleet.RevokeRole, Ref: role, Before: policy.PolicyLeast},
	} {
		check(t, c, instances.InPlace(granted, c), instances.InPlace(revoked, c))
	}
	for _, f := range fleet.Functions() {
		for _, kind := range f.Changes {
			if !seen[kind] {
				t.Errorf("no world asked %s for %s", f.Name, kind)
			}
		}
	}
}

func asked(vs []fleet.Verdict) (out []fleet.Change) {
	for _, v := range vs {
		out = append(out, v.Changes...)
	}
	return out
}
