package ram

import (
	"cmp"
	"slices"
	"strconv"

	"fleetwarden/deploy/local/simcloud/wire"
)

// PolicyRequest names a policy.
type PolicyRequest struct{ PolicyName, PolicyType string }

// PolicyInfo is a policy as the API shows it. PolicyDocument is deprecated and
// always empty; the text is in DefaultPolicyVersion.
type PolicyInfo struct {
	PolicyName, PolicyType, DefaultVersion, Description, CreateDate, UpdateDate string
	AttachmentCount                                                             int
}

// VersionInfo is a version as the API shows it.
type VersionInfo struct {
	VersionId        string
	IsDefaultVersion bool
	PolicyDocument   string `json:",omitempty"`
	CreateDate       string
}

func (p *policy) info() PolicyInfo {
	return PolicyInfo{
		PolicyName: p.name, PolicyType: p.kind, DefaultVersion: p.current().id, Description: p.description,
		CreateDate: stamp(p.created), UpdateDate: stamp(p.updated), AttachmentCount: p.attachments,
	}
}

func (v *version) info() VersionInfo {
	return VersionInfo{v.id, v.isDefault, v.text, stamp(v.created)}
}

// policy finds a policy of the caller's account. The caller holds the mutex.
func (r *RAM) policy(c *wire.Call, kind, name string) (*policy, error) {
	if err := checkKind(kind); err != nil {
		return nil, err
	}
	p := r.accounts[c.Caller.Account].policies[policyKey(kind, name)]
	if p == nil {
		return nil, noPolicy(name)
	}
	return p, nil
}

// GetPolicyResponse is a policy with its default version.
type GetPolicyResponse struct {
	Policy               PolicyInfo
	DefaultPolicyVersion VersionInfo
}

// GetPolicy shows a policy.
func (r *RAM) GetPolicy(c *wire.Call, in *PolicyRequest) (*GetPolicyResponse, error) {
	p, err := r.policy(c, in.PolicyType, in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &GetPolicyResponse{p.info(), p.current().info()}, nil
}

// CreatePolicyRequest are the parameters of CreatePolicy.
type CreatePolicyRequest struct {
	PolicyName, PolicyDocument, Description string
	Tag                                     []Tag
}

// CreatePolicyResponse is the new policy.
type CreatePolicyResponse struct{ Policy PolicyInfo }

// CreatePolicy makes a custom policy with its version v1.
func (r *RAM) CreatePolicy(c *wire.Call, in *CreatePolicyRequest) (*CreatePolicyResponse, error) {
	if err := cmp.Or(checkPolicyName(in.PolicyName), checkDescription(in.Description)); err != nil {
		return nil, err
	}
	d, err := parsePolicy(in.PolicyDocument)
	if err != nil {
		return nil, malformed(err)
	}
	a := r.accounts[c.Caller.Account]
	key := policyKey("Custom", in.PolicyName)
	if a.policies[key] != nil {
		return nil, taken("Policy", in.PolicyName)
	}
	if len(a.policies)-len(systemPolicies) >= maxPolicies {
		return nil, limit("Policy", maxPolicies)
	}
	p := &policy{name: in.PolicyName, kind: "Custom", description: in.Description, next: 2, created: c.Now, updated: c.Now, tags: map[string]string{}}
	for _, t := range in.Tag {
		p.tags[t.Key] = t.Value
	}
	p.versions = []*version{{id: "v1", text: in.PolicyDocument, parsed: d, isDefault: true, created: c.Now}}
	a.policies[key] = p
	c.Refer("ACS::RAM::Policy", p.name)
	return &CreatePolicyResponse{p.info()}, nil
}

// DeletePolicyRequest are the parameters of DeletePolicy.
type DeletePolicyRequest struct {
	PolicyName      string
	CascadingDelete bool
}

// DeletePolicy removes a custom policy that is attached to nothing and has only
// its default version. CascadingDelete, which Terraform's provider sends, removes
// attachments and versions first.
func (r *RAM) DeletePolicy(c *wire.Call, in *DeletePolicyRequest) (*Empty, error) {
	p, err := r.policy(c, "Custom", in.PolicyName)
	if err != nil {
		return nil, err
	}
	a := r.accounts[c.Caller.Account]
	switch {
	case in.CascadingDelete:
		a.detachAll(p)
	case p.attachments > 0:
		// Code assumed, by the pattern of DeleteConflict.Role.Policy.
		return nil, conflict("Policy.Role", "The policy is attached to roles.")
	case len(p.versions) > 1:
		return nil, conflict("Policy.Version", "The policy has versions other than the default one.")
	}
	delete(a.policies, policyKey("Custom", in.PolicyName))
	c.Refer("ACS::RAM::Policy", p.name)
	return &Empty{}, nil
}

func (a *account) detachAll(p *policy) {
	gone := func(x attachment) bool { return x.policy == p }
	for _, x := range a.roles {
		x.attached = slices.DeleteFunc(x.attached, gone)
	}
	for _, u := range a.users {
		u.attached = slices.DeleteFunc(u.attached, gone)
	}
}

func (p *policy) version(id string) (*version, error) {
	for _, v := range p.versions {
		if v.id == id {
			return v, nil
		}
	}
	return nil, noVersion(id)
}

func (p *policy) newVersionID() string {
	id := "v" + strconv.Itoa(p.next)
	p.next++
	return id
}
