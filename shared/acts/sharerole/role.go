package sharerole

import (
	"context"
	"errors"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// Roles is the part of RAM that share roles need.
type Roles interface {
	// Bare reads a role without its policies.
	Bare(ctx context.Context, name string) (fleet.Role, error)
	RoleTags(ctx context.Context, name string) (map[string]string, error)
	// CreateRole makes a role with our tag.
	CreateRole(ctx context.Context, name, trust, description string) error
	SetTrust(ctx context.Context, name, trust string) error
	TagRole(ctx context.Context, name, key, value string) error
}

const roleText = "Lets the ECS of sharees use encrypted snapshots and images that are shared with them. Made by Fleetwarden."

// errEdited is of a write whose outcome is unknown: the next check decides again.
var errEdited = fleet.WithClass(fleet.Unavailable, errors.New("another caller changed it meanwhile; the next check decides again"))

// Ensure creates the role of each change with the trust that it wants, for
// [fleet.EnsureShareRole]. A role that exists by now is left unchanged.
func Ensure(r Roles) acts.Act {
	return acts.Each(func(ctx context.Context, c fleet.Change) fleet.Result {
		err := r.CreateRole(ctx, c.Ref.ID, c.Want, roleText)
		if err != nil && !acts.MaybeDone(err) {
			return fleet.Failure(c, "creating the role", err)
		}
		role, rerr := r.Bare(ctx, c.Ref.ID)
		if rerr == nil && !role.Missing && rampolicy.SameTrust(role.Trust, c.Want) {
			if err != nil { // perhaps another caller's role: it is not marked
				return fleet.Found(c, role.Trust, err)
			}
			if err := owned(ctx, r, c.Ref.ID); err != nil {
				res := fleet.Failure(c, "marking the role as ours", err)
				res.After = role.Trust
				return res
			}
			return fleet.Found(c, role.Trust, nil)
		}
		if rerr == nil && !role.Missing {
			rerr = errEdited
		}
		res := acts.Unseen(c, "creating the role", err, rerr)
		res.After = role.Trust
		return res
	})
}

var errUnmarked = errors.New("the role exists, and RAM does not show the tag " + fleet.TagManaged + " on it: nothing will be taken back from it")

// owned verifies that a role that Fleetwarden created shows its tag: it was sent with the
// role, and without it the role would permanently count as another author's.
func owned(ctx context.Context, r Roles, name string) error {
	for _, mark := range []bool{false, true} {
		if mark {
			if err := r.TagRole(ctx, name, fleet.TagManaged, fleet.ManagedValue); err != nil && !acts.MaybeDone(err) {
				return err
			}
		}
		tags, err := r.RoleTags(ctx, name)
		if err != nil {
			return err
		}
		if tags[fleet.TagManaged] == fleet.ManagedValue {
			return nil
		}
	}
	return errUnmarked
}

// SetTrust replaces the trust document Before of each change's role by Want, for
// [fleet.SetShareTrust].
func SetTrust(r Roles) acts.Act {
	return acts.Each(func(ctx context.Context, c fleet.Change) fleet.Result {
		role, err := r.Bare(ctx, c.Ref.ID)
		switch {
		case err != nil:
			return fleet.Failure(c, "reading the role before changing its trust", err)
		case role.Missing:
			return fleet.Result{Change: c, State: fleet.Skipped, Why: "the role is gone"}
		case rampolicy.SameTrust(role.Trust, c.Want):
			return fleet.Result{Change: c, State: fleet.Skipped, After: role.Trust, Why: "the role has that trust already"}
		case role.Trust != c.Before:
			res := later(fleet.Failure(c, "changing the role's trust", errEdited))
			res.After = role.Trust
			return res
		}
		if err = r.SetTrust(ctx, c.Ref.ID, c.Want); err != nil && !acts.MaybeDone(err) {
			return fleet.Failure(c, "changing the role's trust", err)
		}
		return trustReadBack(ctx, r, c, err)
	})
}

func trustReadBack(ctx context.Context, r Roles, c fleet.Change, answer error) fleet.Result {
	role, err := r.Bare(ctx, c.Ref.ID)
	if err == nil && rampolicy.SameTrust(role.Trust, c.Want) {
		return fleet.Found(c, role.Trust, answer)
	}
	if err == nil && role.Trust != c.Before {
		err = errEdited
	}
	res := acts.Unseen(c, "changing the role's trust", answer, err)
	res.After = role.Trust
	return res
}

// Mark sets the tag [fleet.TagUnused] on the role of each change, for [fleet.MarkUnused].
func Mark(r Roles) acts.Act {
	return acts.Each(func(ctx context.Context, c fleet.Change) fleet.Result {
		err := r.TagRole(ctx, c.Ref.ID, fleet.TagUnused, c.Want)
		if err != nil && !acts.MaybeDone(err) {
			return fleet.Failure(c, "tagging the role", err)
		}
		return tagged(ctx, r, c, "tagging the role", err)
	})
}

// later defers a change to the next check, whatever the failure.
func later(res fleet.Result) fleet.Result {
	res.State, res.Again = fleet.Later, acts.Propagation
	return res
}
