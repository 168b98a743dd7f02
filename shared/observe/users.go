package observe

import (
	"context"
	"maps"
	"slices"

	"fleetwarden/shared/fleet"
)

// Users reads which instances of a region have a RAM role. An error says also that there are
// too many to read.
type Users interface {
	RoleUsers(ctx context.Context, region fleet.Region, role string) (map[string]fleet.Listing, error)
}

// users fills Users of the roles whose change depends on who else has them.
func (o World) users(ctx context.Context, w *fleet.World) error {
	if o.Users == nil {
		return nil
	}
	for _, role := range o.WantsUsers(w) {
		found, err := o.usersOf(ctx, w.Scope, role)
		if err := passing("reading which instances have the role "+role, err); err != nil {
			return err
		}
		if w.Users == nil {
			w.Users = map[string]fleet.Fact[[]fleet.Instance]{}
		}
		w.Users[role] = fleet.FactOf(found, err)
	}
	return nil
}

func (o World) usersOf(ctx context.Context, at fleet.Scope, role string) (out []fleet.Instance, err error) {
	regions := o.UsersIn
	if len(regions) == 0 {
		regions = []fleet.Region{at.Region}
	}
	for _, r := range regions {
		found, err := o.Users.RoleUsers(ctx, r, role)
		if err != nil {
			return nil, err
		}
		for _, id := range slices.Sorted(maps.Keys(found)) {
			ref := fleet.Ref{Scope: fleet.Scope{Account: at.Account, Region: r}, Kind: fleet.KindInstance, ID: id}
			out = append(out, fleet.Instance{Ref: ref, Listed: fleet.See(found[id])})
		}
	}
	return out, nil
}
