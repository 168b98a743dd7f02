package observe

import (
	"context"
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// mostNames is how many names are asked for at most: twice the policies that a role takes.
const mostNames = 20

// names finds out which names of our own key policies are taken by policies that say
// something else, up to the first that is free: a name that is taken would be refused at
// each pass, though the next one is free.
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
				break // free, or ours to fill; of an error, making it will say more
			}
			taken = append(taken, name)
		}
		s.Taken = fleet.See(taken)
	}
	return nil
}

// ungranted reports whether a key in use stands in no policy of ours.
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
