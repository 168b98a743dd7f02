package sharerole

import (
	"context"
	"errors"
	"slices"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// Policies is the part of RAM that key policies need.
type Policies interface {
	// Fresh reads a policy's default version, without a cache.
	Fresh(ctx context.Context, p fleet.Policy) (document string, err error)
	CreatePolicy(ctx context.Context, name, document, description string) error
	// SetPolicy makes a new default version, in place of the oldest.
	SetPolicy(ctx context.Context, name, document string) error
}

// Attacher attaches policies to roles.
type Attacher interface {
	Role(ctx context.Context, name string) (fleet.Role, error)
	AttachPolicy(ctx context.Context, role string, p fleet.Policy) error
	DetachPolicy(ctx context.Context, role string, p fleet.Policy) error
}

const policyText = "The keys of encrypted snapshots or images that are shared. Made by Fleetwarden."

var errForeign = errors.New("another author's policy has this name: it grants something else, and is left unchanged")

// SetKeys makes each change's policy grant what the change wants, for
// [fleet.SetKeyPolicy]: a new policy, or a new default version of the one that was
// decided on.
func SetKeys(p Policies) acts.Act {
	return acts.Each(func(ctx context.Context, c fleet.Change) fleet.Result {
		if c.Before == "" {
			return newKeys(ctx, p, c)
		}
		got, err := p.Fresh(ctx, custom(c.Ref.ID))
		switch {
		case err != nil:
			return fleet.Failure(c, "reading the policy before changing it", err)
		case rampolicy.Same(got, c.Want):
			return fleet.Result{Change: c, State: fleet.Skipped, After: got, Why: "the policy grants that already"}
		case got != c.Before:
			return later(fleet.Failure(c, "changing the policy", errEdited))
		}
		return version(ctx, p, c)
	})
}

// newKeys creates a policy. One of that name may exist, attached to no role: if it has
// Fleetwarden's form, it is reused.
func newKeys(ctx context.Context, p Policies, c fleet.Change) fleet.Result {
	err := p.CreatePolicy(ctx, c.Ref.ID, c.Want, policyText)
	if err != nil && !acts.MaybeDone(err) {
		return fleet.Failure(c, "creating the policy", err)
	}
	got, rerr := p.Fresh(ctx, custom(c.Ref.ID))
	switch {
	case rerr != nil:
		return acts.Unseen(c, "creating the policy", err, rerr)
	case rampolicy.Same(got, c.Want):
		return fleet.Found(c, got, err)
	}
	if _, ours := rampolicy.ParseKeyPolicy(got); !ours {
		return fleet.Failure(c, "creating the policy", errForeign)
	}
	return version(ctx, p, c)
}

func version(ctx context.Context, p Policies, c fleet.Change) fleet.Result {
	err := p.SetPolicy(ctx, c.Ref.ID, c.Want)
	if err != nil && !acts.MaybeDone(err) {
		return fleet.Failure(c, "making a new version of the policy", err)
	}
	got, rerr := p.Fresh(ctx, custom(c.Ref.ID))
	if rerr != nil || !rampolicy.Same(got, c.Want) {
		return acts.Unseen(c, "making a new version of the policy", err, rerr)
	}
	return fleet.Found(c, got, err)
}

// Attach attaches each change's policy to the role that it wants, for
// [fleet.AttachKeyPolicy].
func Attach(a Attacher) acts.Act {
	return acts.Each(func(ctx context.Context, c fleet.Change) fleet.Result {
		err := a.AttachPolicy(ctx, c.Want, acts.PolicyNamed(c.Ref.ID))
		if err != nil && !acts.MaybeDone(err) {
			res := fleet.Failure(c, "attaching the policy", err)
			if fleet.ClassOf(err) == fleet.NotFound {
				return later(res) // just created, and not visible yet
			}
			return res
		}
		return attached(ctx, a, c, c.Want, true, err)
	})
}

// Detach detaches each change's policy from the role Before, for [fleet.DetachKeyPolicy].
func Detach(a Attacher) acts.Act {
	return acts.Each(func(ctx context.Context, c fleet.Change) fleet.Result {
		err := a.DetachPolicy(ctx, c.Before, acts.PolicyNamed(c.Ref.ID))
		if err != nil && !acts.MaybeDone(err) && fleet.ClassOf(err) != fleet.NotFound {
			return fleet.Failure(c, "detaching the policy", err)
		}
		return attached(ctx, a, c, c.Before, false, err)
	})
}

// attached settles a change by the policies that the role shows.
func attached(ctx context.Context, a Attacher, c fleet.Change, name string, want bool, answer error) fleet.Result {
	doing, after := "detaching the policy", ""
	if want {
		doing, after = "attaching the policy", name
	}
	role, err := a.Role(ctx, name)
	has := func(p fleet.Policy) bool { return p.Name == c.Ref.ID }
	if err != nil || slices.ContainsFunc(role.Policies, has) != want {
		return acts.Unseen(c, doing, answer, err)
	}
	return fleet.Found(c, after, answer)
}

func custom(name string) fleet.Policy { return fleet.Policy{Name: name, Type: fleet.CustomPolicy} }
