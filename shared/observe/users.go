package observe

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"fleetwarden/shared/fleet"
)

// Users reads which instances of a region have a RAM role, and the regions that an account can
// use. An error says also that there are too many to read.
type Users interface {
	Regions(ctx context.Context, home fleet.Region) ([]fleet.Region, error)
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
	if len(regions) == 0 { // a role serves instances anywhere, and one region does not know of the others
		if regions, err = o.Users.Regions(ctx, at.Region); err != nil {
			return nil, fmt.Errorf("the regions of the account: %w", err)
		}
		if !slices.Contains(regions, at.Region) {
			return nil, fmt.Errorf("the regions of the account are listed without %s, which has instances", at.Region)
		}
	}
	for _, r := range regions {
		found, err := o.Users.RoleUsers(ctx, r, role)
		if err != nil {
			return nil, fmt.Errorf("those of %s: %w", r, err)
		}
		for _, id := range slices.Sorted(maps.Keys(found)) {
			ref := fleet.Ref{Scope: fleet.Scope{Account: at.Account, Region: r}, Kind: fleet.KindInstance, ID: id}
			out = append(out, fleet.Instance{Ref: ref, Listed: fleet.See(found[id])})
		}
	}
	return out, nil
}
