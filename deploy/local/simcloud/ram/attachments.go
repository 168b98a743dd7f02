package ram

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// AttachmentRequest names a policy and a role. The resource group is taken and
// ignored: here, everything is in the account as a whole.
type AttachmentRequest struct{ PolicyType, PolicyName, RoleName, ResourceGroupId string }

// attachable checks and finds role and policy. The caller holds the mutex.
func (r *RAM) attachable(c *wire.Call, in *AttachmentRequest) (*role, *policy, error) {
	if err := checkKind(in.PolicyType); err != nil {
		return nil, nil, err
	}
	x, err := r.named(c, in.RoleName)
	if err != nil {
		return nil, nil, err
	}
	p, err := r.policy(c, in.PolicyType, in.PolicyName)
	return x, p, err
}

func (x *role) find(p *policy) int {
	return slices.IndexFunc(x.attached, func(a attachment) bool { return a.policy == p })
}

// AttachPolicyToRole attaches a policy. It works at once: no delay of rights is
// modelled.
func (r *RAM) AttachPolicyToRole(c *wire.Call, in *AttachmentRequest) (*Empty, error) {
	x, p, err := r.attachable(c, in)
	if err != nil {
		return nil, err
	}
	if x.find(p) >= 0 {
		return nil, taken("Role.Policy", p.name)
	}
	most := maxCustomAttached
	if p.kind == "System" {
		most = maxSystemAttached
	}
	if x.count(p.kind) >= most {
		return nil, limit("Role.Policy", most)
	}
	x.attached = append(x.attached, attachment{p, c.Now})
	p.attachments++
	c.Refer("ACS::RAM::Role", x.name)
	c.Refer("ACS::RAM::Policy", p.name)
	return &Empty{}, nil
}

func (x *role) count(kind string) (n int) {
	for _, a := range x.attached {
		if a.policy.kind == kind {
			n++
		}
	}
	return n
}

// DetachPolicyFromRole takes a policy off a role.
func (r *RAM) DetachPolicyFromRole(c *wire.Call, in *AttachmentRequest) (*Empty, error) {
	x, p, err := r.attachable(c, in)
	if err != nil {
		return nil, err
	}
	i := x.find(p)
	if i < 0 {
		return nil, wire.Errorf(404, "EntityNotExist.Role.Policy", "The policy %s is not attached to the role.", p.name)
	}
	x.attached = slices.Delete(x.attached, i, i+1)
	p.attachments--
	c.Refer("ACS::RAM::Role", x.name)
	c.Refer("ACS::RAM::Policy", p.name)
	return &Empty{}, nil
}

// AttachedPolicy is a policy in the list of a role.
type AttachedPolicy struct{ PolicyName, PolicyType, DefaultVersion, AttachDate, Description string }

// ListPoliciesForRoleResponse is all policies of a role; there is no paging.
type ListPoliciesForRoleResponse struct {
	Policies struct{ Policy []AttachedPolicy }
}

// ListPoliciesForRole lists what is attached to a role.
func (r *RAM) ListPoliciesForRole(c *wire.Call, in *GetRoleRequest) (*ListPoliciesForRoleResponse, error) {
	x, err := r.named(c, in.RoleName)
	if err != nil {
		return nil, err
	}
	out := &ListPoliciesForRoleResponse{}
	out.Policies.Policy = []AttachedPolicy{}
	for _, a := range x.attached {
		p := a.policy
		out.Policies.Policy = append(out.Policies.Policy,
			AttachedPolicy{p.name, p.kind, p.current().id, stamp(a.at), p.description})
	}
	return out, nil
}
