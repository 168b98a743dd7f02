package instances

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/verdict"
)

// A RAM role belongs to the account, and may serve many instances. Where a part of control
// instance-role is enforced, a role is changed only if that part has all of its users: the
// instances known to have it, of which none is excluded or exempt.

// enforce marks what is enforced of a verdict.
func (s *subject) enforce(v fleet.Verdict) fleet.Verdict {
	return verdict.Enforce(s.policy, v, s.inst.Listed, func(c fleet.Change) string { return s.shared(v.Rule, c) })
}

// shared is why a change of a role is not made although the instance is enforced.
func (s *subject) shared(rule string, c fleet.Change) string {
	if c.Ref.Kind != fleet.KindRole || !limited(s.policy, s.name, rule, c, s.world.At) {
		return ""
	}
	role, all := "the role "+c.Ref.ID+" is the account's, and ", ""
	if s.policy.CoversAll(s.name, rule, s.world.At) {
		all = "; a selector of the account alone takes them all"
	}
	users := s.world.Users[c.Ref.ID]
	if !users.Seen() {
		return role + "which instances have it could not be read: " + cmp.Or(users.Why, "they were not read") + all
	}
	var out, left, unsure []string
	for _, in := range slices.Concat(users.V, s.having(c.Ref.ID)) {
		switch acts := s.policy.ActsOn(s.name, rule, in.Ref, in.Listed, s.world.At); {
		case acts == policy.Yes:
		case s.policy.Enforces(s.name, in.Ref.Scope, in.Listed) == policy.No:
			out = append(out, in.Ref.ID)
		case acts == policy.No:
			left = append(left, in.Ref.ID)
		default:
			unsure = append(unsure, in.Ref.ID)
		}
	}
	switch {
	case len(out) > 0:
		return role + "enforceFor does not take all instances that have it: not " + first(out) + all
	case len(left) > 0:
		return role + "include, exclude or an exemption leaves out instances that have it: " + first(left)
	case len(unsure) > 0:
		return role + "whether enforceFor takes all instances that have it could not be determined: " + first(unsure) + all
	}
	return ""
}

// limited reports whether the users of a role decide on its change for a rule: a part of the
// control is enforced, and not known to be all of the account.
func limited(p *policy.Policy, control, rule string, c fleet.Change, at time.Time) bool {
	return p.Partly(control) && !(p.EnforcesAll(control, c.Ref.Scope.Account) && p.CoversAll(control, rule, at))
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
				if v.Covered && c.Ref.Kind == fleet.KindRole && limited(p, v.Control, v.Rule, c, w.At) && !slices.Contains(names, c.Ref.ID) {
					names = append(names, c.Ref.ID)
				}
			}
		}
		return names
	}
}
