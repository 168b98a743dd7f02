package ram

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// policyResource names a policy; the vendor's own belong to "system".
func policyResource(accountID, kind, name string) string {
	if kind == "System" {
		accountID = "system"
	}
	return resource(accountID, "policy", name)
}

// AttachmentRequest names a policy and a role. The resource group is taken and
// ignored: here, everything is in the account as a whole.
type AttachmentRequest struct{ PolicyType, PolicyName, RoleName, ResourceGroupId string }

// attachable checks and finds role and policy. The caller holds the mutex.
func (r *RAM) attachable(accountID string, in *AttachmentRequest) (*role, *policy, error) {
	if err := checkKind(in.PolicyType); err != nil {
		return nil, nil, err
	}
	x := r.role(accountID, in.RoleName)
	if x == nil {
		return nil, nil, noRole(in.RoleName)
	}
	p := r.accounts[accountID].policies[policyKey(in.PolicyType, in.PolicyName)]
	if p == nil {
		return nil, nil, noPolicy(in.PolicyName)
	}
	return x, p, nil
}

func (x *role) find(p *policy) int {
	return slices.IndexFunc(x.attached, func(a attachment) bool { return a.policy == p })
}

// AttachPolicyToRole attaches a policy. It works at once: no delay of rights is
// modelled.
func (r *RAM) AttachPolicyToRole(c *wire.Call, in *AttachmentRequest) (*Empty, error) {
	account := c.Caller.Account
	err := c.Allow("ram:AttachPolicyToRole", resource(account, "role", in.RoleName), policyResource(account, in.PolicyType, in.PolicyName))
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	x, p, err := r.attachable(account, in)
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
	account := c.Caller.Account
	err := c.Allow("ram:DetachPolicyFromRole", resource(account, "role", in.RoleName), policyResource(account, in.PolicyType, in.PolicyName))
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	x, p, err := r.attachable(account, in)
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
	if err := c.Allow("ram:ListPoliciesForRole", resource(c.Caller.Account, "role", in.RoleName)); err != nil {
		return nil, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	x := r.role(c.Caller.Account, in.RoleName)
	if x == nil {
		return nil, noRole(in.RoleName)
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
