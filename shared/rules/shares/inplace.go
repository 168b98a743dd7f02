package shares

import (
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/verdict"
)

// InPlace reports whether the effect of a change to a share role, or to a policy of keys, is
// observed.
func InPlace(w *fleet.ShareWorld, c fleet.Change) bool {
	for i := range w.Sides {
		s := &share{world: w, side: &w.Sides[i]}
		ours := c.Ref.ID == s.roleName() || c.Ref.Kind == fleet.KindPolicy && strings.EqualFold(c.Want+c.Before, s.roleName()) || strings.HasPrefix(c.Ref.ID, s.prefix())
		if r := s.side.Role; ours && r.Seen() && !r.V.Missing && s.inPlace(c) {
			return true
		}
	}
	return false
}

func (s *share) inPlace(c fleet.Change) bool {
	r := s.side.Role.V
	switch c.Kind {
	case fleet.EnsureShareRole, fleet.SetShareTrust:
		return rampolicy.SameTrust(r.Trust, c.Want)
	case fleet.MarkUnused:
		return s.side.Tags.Seen() && s.side.Tags.V[fleet.TagUnused] == c.Want
	case fleet.SetKeyPolicy:
		return slices.ContainsFunc(r.Policies, func(p fleet.Policy) bool {
			return strings.EqualFold(p.Name, c.Ref.ID) && rampolicy.Same(p.Document, c.Want)
		})
	case fleet.AttachKeyPolicy:
		return verdict.Attaches(r, c.Ref.ID)
	case fleet.DetachKeyPolicy:
		return !verdict.Attaches(r, c.Ref.ID)
	}
	return false
}
