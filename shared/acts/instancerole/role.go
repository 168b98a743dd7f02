package instancerole

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/acts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// Roles is the part of RAM that the systrust role needs. Policy returns the text of
// a policy's default version.
type Roles interface {
	Role(ctx context.Context, name string) (fleet.Role, error)
	Policy(ctx context.Context, p fleet.Policy) (document string, err error)
	CreateRole(ctx context.Context, name, trust, description string) error
	CreatePolicy(ctx context.Context, name, document, description string) error
	AttachPolicy(ctx context.Context, role string, p fleet.Policy) error
}

const (
	roleText   = "Lets trusted instances report to Security Center. Made by Fleetwarden."
	policyText = "The four actions of Alibaba Cloud Trusted System. Made by Fleetwarden."
)

// Ensure creates the role of each change, with trust for ECS and the policy that the change
// wants, for [fleet.EnsureRole].
func Ensure(r Roles) acts.Act {
	return acts.Each(func(ctx context.Context, c fleet.Change) fleet.Result {
		err := r.CreateRole(ctx, c.Ref.ID, rampolicy.ECSTrust(), roleText)
		if err != nil && !acts.MaybeDone(err) {
			return fleet.Failure(c, "creating the role", err)
		}
		return grant(ctx, r, c, err)
	})
}

// errStood is the answer of creating a role that exists.
var errStood = fleet.WithClass(fleet.Exists, errors.New("the role existed before"))

// Grant attaches the policy that each change wants to the change's role, for
// [fleet.GrantRole].
func Grant(r Roles) acts.Act {
	return acts.Each(func(ctx context.Context, c fleet.Change) fleet.Result { return grant(ctx, r, c, errStood) })
}

// grant attaches the policy, creating Fleetwarden's own if it is missing, and reads the
// role back. created is the answer of creating the role.
func grant(ctx context.Context, r Roles, c fleet.Change, created error) fleet.Result {
	p := acts.PolicyNamed(c.Want)
	if p.Type == fleet.CustomPolicy {
		if err := ensurePolicy(ctx, r, p); err != nil {
			return notYet(fleet.Failure(c, "ensuring the policy "+p.Name, err))
		}
	}
	err := r.AttachPolicy(ctx, c.Ref.ID, p)
	if err != nil && !acts.MaybeDone(err) {
		return notYet(fleet.Failure(c, "attaching the policy "+p.Name, err))
	}
	if fleet.ClassOf(err) == fleet.Exists {
		err = created
	}
	return readRole(ctx, r, c, err)
}

var errForeign = errors.New("another author's policy has this name: its content differs, and it is not attached")

// ensurePolicy creates Fleetwarden's own policy. Another document of its name would grant
// its rights to a whole fleet.
func ensurePolicy(ctx context.Context, r Roles, p fleet.Policy) error {
	document, err := r.Policy(ctx, p)
	if fleet.ClassOf(err) == fleet.NotFound {
		if err := r.CreatePolicy(ctx, p.Name, rampolicy.SysTrustPolicy(), policyText); err != nil && !acts.MaybeDone(err) {
			return fmt.Errorf("creating it: %w", err)
		}
		document, err = r.Policy(ctx, p)
	}
	if err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	if !rampolicy.Same(document, rampolicy.SysTrustPolicy()) {
		return errForeign
	}
	return nil
}

// notYet defers a failure that reports a resource missing that was just read or created:
// RAM does not show it yet.
func notYet(res fleet.Result) fleet.Result {
	if fleet.ClassOf(res.Err) == fleet.NotFound {
		res.State, res.Again = fleet.Later, acts.Propagation
	}
	return res
}

// readRole checks that RAM shows the role with trust for ECS and the actions granted.
// answer is the answer of the writes: nil if one of them changed the role.
func readRole(ctx context.Context, r Roles, c fleet.Change, answer error) fleet.Result {
	role, err := r.Role(ctx, c.Ref.ID)
	res := fleet.Found(c, "", answer)
	switch {
	case err != nil || !holds(role, c.Want):
		res = acts.Unseen(c, "attaching the policy "+c.Want, answer, err)
	case unfit(role) == "":
	case res.State == fleet.Done:
		// The attachment has to be reported; the next check reports the rest.
		res = acts.Unseen(c, "attaching the policy "+c.Want, nil, errors.New(unfit(role)))
	default:
		res.State, res.Why = fleet.Failed, unfit(role)
	}
	res.After = describe(role)
	return res
}

// holds reports whether the role exists with the policy attached.
func holds(role fleet.Role, policy string) bool {
	return slices.ContainsFunc(role.Policies, func(p fleet.Policy) bool { return p.Name == policy })
}

func unfit(role fleet.Role) string {
	trust, err := rampolicy.ParseTrust(role.Trust)
	if err != nil || trust.TrustsService(rampolicy.ECSService) != rampolicy.Allowed {
		return "the role does not trust " + rampolicy.ECSService + "; repair its trust policy manually"
	}
	var docs []*rampolicy.Document
	for _, p := range role.Policies {
		d, _ := rampolicy.Parse(p.Document) // nil: cannot be read, may hold anything
		docs = append(docs, d)
	}
	if rampolicy.Grants(docs, rampolicy.SysTrustActions(), "*") != rampolicy.Allowed {
		return "the role's policies still do not grant the yundun-systrust actions: one denies them, or cannot be read"
	}
	return ""
}

func describe(role fleet.Role) string {
	var names []string
	for _, p := range role.Policies {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}
