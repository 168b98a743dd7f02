package ram

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// CreatePolicyVersionRequest are the parameters of CreatePolicyVersion.
// SetAsDefault is false by default, so a new version changes nothing by itself.
type CreatePolicyVersionRequest struct {
	PolicyName, PolicyDocument string
	SetAsDefault               bool
	RotateStrategy             string
}

// VersionResponse is one version.
type VersionResponse struct{ PolicyVersion VersionInfo }

const deleteOldest = "DeleteOldestNonDefaultVersionWhenLimitExceeded"

// CreatePolicyVersion adds a version. The sixth is refused, or with the rotate
// strategy takes the place of the oldest that is not the default.
func (r *RAM) CreatePolicyVersion(c *wire.Call, in *CreatePolicyVersionRequest) (*VersionResponse, error) {
	p, err := r.policy(c, "Custom", in.PolicyName)
	if err != nil {
		return nil, err
	}
	d, err := parsePolicy(in.PolicyDocument)
	if err != nil {
		return nil, malformed(err)
	}
	switch in.RotateStrategy {
	case "", "None", deleteOldest:
	default:
		// Code assumed.
		return nil, wire.Errorf(400, "InvalidParameter.RotateStrategy", "The rotate strategy is not valid.")
	}
	if len(p.versions) >= maxVersions {
		if in.RotateStrategy != deleteOldest {
			return nil, limit("Policy.Version", maxVersions)
		}
		i := slices.IndexFunc(p.versions, func(v *version) bool { return !v.isDefault })
		p.versions = slices.Delete(p.versions, i, i+1)
	}
	v := &version{id: p.newVersionID(), text: in.PolicyDocument, parsed: d, created: c.Now}
	p.versions = append(p.versions, v)
	if in.SetAsDefault {
		p.setDefault(v)
	}
	p.updated = c.Now
	c.Refer("ACS::RAM::Policy", p.name)
	return &VersionResponse{v.info()}, nil
}

func (p *policy) setDefault(v *version) {
	for _, o := range p.versions {
		o.isDefault = o == v
	}
}

// ListPolicyVersionsResponse is all versions of a policy.
type ListPolicyVersionsResponse struct {
	PolicyVersions struct{ PolicyVersion []VersionInfo }
}

// ListPolicyVersions lists the versions of a policy, oldest first, with their
// documents.
func (r *RAM) ListPolicyVersions(c *wire.Call, in *PolicyRequest) (*ListPolicyVersionsResponse, error) {
	p, err := r.policy(c, in.PolicyType, in.PolicyName)
	if err != nil {
		return nil, err
	}
	out := &ListPolicyVersionsResponse{}
	for _, v := range p.versions {
		out.PolicyVersions.PolicyVersion = append(out.PolicyVersions.PolicyVersion, v.info())
	}
	return out, nil
}

// CustomVersionRequest names a version of a custom policy.
type CustomVersionRequest struct{ PolicyName, VersionId string }

// DeletePolicyVersion removes a version that is not the default.
func (r *RAM) DeletePolicyVersion(c *wire.Call, in *CustomVersionRequest) (*Empty, error) {
	p, err := r.policy(c, "Custom", in.PolicyName)
	if err != nil {
		return nil, err
	}
	v, err := p.version(in.VersionId)
	if err != nil {
		return nil, err
	}
	if v.isDefault {
		return nil, conflict("Policy.Version.Default", "The default version cannot be deleted.")
	}
	p.versions = slices.DeleteFunc(p.versions, func(o *version) bool { return o == v })
	p.updated = c.Now
	c.Refer("ACS::RAM::Policy", p.name)
	return &Empty{}, nil
}
