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

// A RAM role belongs to the account, and may serve many instances. Where a part of control
// instance-role is enforced, a role is changed only if that part has all of its users: the
// instances known to have it.

// enforce marks what is enforced of a verdict.
func (s *subject) enforce(v fleet.Verdict) fleet.Verdict {
	return verdict.Enforce(s.policy, v, s.inst.Listed, s.shared)
}

// shared is why a change of a role is not made although the instance is enforced.
func (s *subject) shared(c fleet.Change) string {
	if c.Ref.Kind != fleet.KindRole || !limited(s.policy, s.name, c) {
		return ""
	}
	const all = "; a selector of the account alone takes them all"
	users, role := s.world.Users[c.Ref.ID], "the role "+c.Ref.ID+" is the account's, and "
	if !users.Seen() {
		return role + "which instances have it could not be read: " + cmp.Or(users.Why, "they were not read") + all
	}
	var out, unsure []string
	for _, in := range slices.Concat(users.V, s.having(c.Ref.ID)) {
		switch s.policy.Enforces(s.name, in.Ref.Scope, in.Listed) {
		case policy.No:
			out = append(out, in.Ref.ID)
		case policy.Maybe:
			unsure = append(unsure, in.Ref.ID)
		}
	}
	switch {
	case len(out) > 0:
		return role + "enforceFor does not take all instances that have it: not " + first(out) + all
	case len(unsure) > 0:
		return role + "whether enforceFor takes all instances that have it could not be determined: " + first(unsure) + all
	}
	return ""
}

// limited reports whether the users of a role decide on its change: a part of the control is
// enforced, and not known to be all of the account.
func limited(p *policy.Policy, control string, c fleet.Change) bool {
	return p.Partly(control) && !p.EnforcesAll(control, c.Ref.Scope.Account)
}

// having are the instances of the world that have a role.
func (s *subject) having(role string) (out []fleet.Instance) {
	for _, in := range s.world.Instances {
		if in.RoleName.Seen() && strings.EqualFold(in.RoleName.V, role) {
			out = append(out, in)
		}
	}
	return out
}

// first names the first of some instances, each once, and how many there are.
func first(ids []string) string {
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) > 1 {
		return fmt.Sprintf("%s and %d more", ids[0], len(ids)-1)
	}
	return ids[0]
}

// SharedRoles returns the roles that decide would change in a world without their users, if
// the users decide on that.
func SharedRoles(decide func(*fleet.World, *policy.Policy) []fleet.Verdict, p *policy.Policy) func(*fleet.World) []string {
	return func(w *fleet.World) (names []string) {
		if !p.Partly(policy.ControlInstanceRole) {
			return nil
		}
		for _, v := range decide(w, p) {
			for _, c := range v.Changes {
				if v.Covered && c.Ref.Kind == fleet.KindRole && limited(p, v.Control, c) && !slices.Contains(names, c.Ref.ID) {
					names = append(names, c.Ref.ID)
				}
			}
		}
		return names
	}
}
