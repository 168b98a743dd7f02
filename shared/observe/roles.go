package observe

import (
	"context"
	"slices"

	"fleetwarden/shared/fleet"
)

// RoleNames reads the RAM roles of instances; "" means none.
type RoleNames interface {
	RoleNames(ctx context.Context, region fleet.Region, ids []string) (map[string]string, error)
}

// Roles reads a RAM role with its policies.
type Roles interface {
	Role(ctx context.Context, name string) (fleet.Role, error)
}

// roleNames fills RoleName of the instances whose role the rules need.
func (o World) roleNames(ctx context.Context, w *fleet.World, there []*fleet.Instance) error {
	there = those(o.WantsRole, there)
	if o.RoleNames == nil || len(there) == 0 {
		return nil
	}
	got, err := o.RoleNames.RoleNames(ctx, w.Scope.Region, ids(there))
	if err := passing("reading the roles of instances", err); err != nil {
		return err
	}
	for _, in := range there {
		in.RoleName = factAt(got, in.Ref.ID, err, "the answer does not contain this instance")
	}
	return nil
}

// roles reads each distinct role once. RAM is global: any region serves.
func (o World) roles(ctx context.Context, w *fleet.World, there []*fleet.Instance) error {
	if o.Roles == nil {
		return nil
	}
	var names []string
	if len(o.candidates(there)) > 0 {
		names = slices.Clone(o.Needed)
	}
	for _, in := range there {
		if in.RoleName.Seen() && in.RoleName.V != "" {
			names = append(names, in.RoleName.V)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		role, err := o.Roles.Role(ctx, name)
		if err := passing("reading role "+name, err); err != nil {
			return err
		}
		w.Roles[name] = fleet.FactOf(role, err)
	}
	return nil
}
