package observe

import (
	"context"
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// mostNames is the maximum of names that are read: twice the policies that a role can have.
const mostNames = 20

// names finds the names of Fleetwarden's key policies that other policies occupy, up to the
// first free one. Creating a policy under an occupied name would fail in each pass.
func (o Shares) names(ctx context.Context, w *fleet.ShareWorld) error {
	for i := range w.Sides {
		s := &w.Sides[i]
		if !s.Role.Seen() || !ungranted(s) {
			continue
		}
		var taken []string
		for n := 1; n <= mostNames; n++ {
			name := fleet.KeyPolicyName(s.Ref.Kind, n)
			if slices.ContainsFunc(s.Role.V.Policies, func(p fleet.Policy) bool { return p.Name == name }) {
				continue
			}
			doc, err := o.Roles.Policy(ctx, fleet.Policy{Name: name, Type: fleet.CustomPolicy})
			if err := passing("reading policy "+name, err); err != nil {
				return err
			}
			if _, ours := rampolicy.ParseKeyPolicy(doc); err != nil || ours {
				break // free, or ours to fill; an error recurs when the policy is created
			}
			taken = append(taken, name)
		}
		s.Taken = fleet.See(taken)
	}
	return nil
}

// ungranted reports whether a key in use is missing from all of Fleetwarden's key policies.
func ungranted(s *fleet.ShareSide) bool {
	var granted rampolicy.Keys
	for _, p := range s.Role.V.Policies {
		keys, _ := rampolicy.ParseKeyPolicy(p.Document)
		granted = append(granted, keys...)
	}
	lacks := func(r fleet.SharedResource) bool {
		return slices.ContainsFunc(r.Keys.V, func(k fleet.KMSKey) bool {
			name, ok := rampolicy.KeyResource(k)
			return ok && !k.Service.V && !slices.Contains(granted, name)
		})
	}
	return slices.ContainsFunc(s.Claimed, lacks) ||
		slices.ContainsFunc(s.Regions.V, func(r fleet.ShareRegion) bool { return slices.ContainsFunc(r.Resources, lacks) })
}
