package ram

import (
	"cmp"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// Limits per account and role, from the RAM limits page of 2025-12-16.
const (
	maxRoles          = 1000
	maxSystemAttached = 20
	maxCustomAttached = 10
	maxPolicies       = 1500
	maxVersions       = 5
)

// Empty is a response with the request id only.
type Empty struct{}

// RoleInfo is a role as the API shows it.
type RoleInfo struct {
	Arn, RoleId, RoleName    string
	AssumeRolePolicyDocument string
	Description              string
	MaxSessionDuration       int64
	CreateDate, UpdateDate   string
}

// Tag is one tag as it is asked for.
type Tag struct{ Key, Value string }

// RoleResponse is the response of GetRole, CreateRole and UpdateRole.
type RoleResponse struct{ Role RoleInfo }

func (x *role) info(accountID string) RoleInfo {
	return RoleInfo{
		Arn: roleARN(accountID, x.name), RoleId: x.id, RoleName: x.name, AssumeRolePolicyDocument: x.trust,
		Description: x.description, MaxSessionDuration: x.maxSession,
		CreateDate: stamp(x.created), UpdateDate: stamp(x.updated),
	}
}

// named is the role that a call names. The caller holds the mutex.
func (r *RAM) named(c *wire.Call, name string) (*role, error) {
	x := r.role(c.Caller.Account, name)
	if x == nil {
		return nil, noRole(name)
	}
	return x, nil
}

// GetRoleRequest names a role.
type GetRoleRequest struct{ RoleName string }

// GetRole shows a role.
func (r *RAM) GetRole(c *wire.Call, in *GetRoleRequest) (*RoleResponse, error) {
	x, err := r.named(c, in.RoleName)
	if err != nil {
		return nil, err
	}
	return &RoleResponse{x.info(c.Caller.Account)}, nil
}

// CreateRoleRequest are the parameters of CreateRole.
type CreateRoleRequest struct {
	RoleName, AssumeRolePolicyDocument, Description string
	MaxSessionDuration                              *int64
	Tag                                             []Tag
}

// CreateRole makes a role. Other products see it after the propagation delay.
func (r *RAM) CreateRole(c *wire.Call, in *CreateRoleRequest) (*RoleResponse, error) {
	x, err := r.newRole(c, in)
	if err != nil {
		return nil, err
	}
	a := r.accounts[c.Caller.Account]
	key := strings.ToLower(in.RoleName)
	if a.roles[key] != nil {
		return nil, taken("Role", in.RoleName)
	}
	if len(a.roles) >= maxRoles {
		return nil, limit("Role", maxRoles)
	}
	x.id = r.newID()
	a.roles[key] = x
	c.Refer("ACS::RAM::Role", x.name)
	return &RoleResponse{x.info(a.id)}, nil
}

func (r *RAM) newRole(c *wire.Call, in *CreateRoleRequest) (*role, error) {
	x := &role{
		principal: principal{name: in.RoleName}, trust: in.AssumeRolePolicyDocument, description: in.Description,
		maxSession: wire.Given(in.MaxSessionDuration, 3600), created: c.Now, updated: c.Now, seenAt: c.Now.Add(r.delay), tags: map[string]string{},
	}
	if !r.unread(c, "Tag") {
		for _, t := range in.Tag {
			x.tags[t.Key] = t.Value
		}
	}
	var err error
	if x.parsed, err = parseTrust(in.AssumeRolePolicyDocument); err != nil {
		return nil, malformed(err)
	}
	return x, cmp.Or(checkRoleName(in.RoleName), checkSession(x.maxSession), checkDescription(in.Description))
}

// UpdateRoleRequest are the parameters of UpdateRole; absent ones stay as they
// are.
type UpdateRoleRequest struct {
	RoleName                                    string
	NewAssumeRolePolicyDocument, NewDescription *string
	NewMaxSessionDuration                       *int64
}

// UpdateRole replaces the whole trust policy. There is no compare-and-set.
func (r *RAM) UpdateRole(c *wire.Call, in *UpdateRoleRequest) (*RoleResponse, error) {
	x, err := r.named(c, in.RoleName)
	if err != nil {
		return nil, err
	}
	err = cmp.Or(checkDescription(wire.Given(in.NewDescription, "")), checkSession(wire.Given(in.NewMaxSessionDuration, x.maxSession)))
	if err != nil {
		return nil, err
	}
	if in.NewAssumeRolePolicyDocument != nil {
		d, err := parseTrust(*in.NewAssumeRolePolicyDocument)
		if err != nil {
			return nil, malformed(err)
		}
		x.before = r.visibleTrust(c.Caller.Account, in.RoleName)
		x.trust, x.parsed, x.seenAt = *in.NewAssumeRolePolicyDocument, d, c.Now.Add(r.delay)
	}
	x.description = wire.Given(in.NewDescription, x.description)
	x.maxSession = wire.Given(in.NewMaxSessionDuration, x.maxSession)
	x.updated = c.Now
	c.Refer("ACS::RAM::Role", x.name)
	return &RoleResponse{x.info(c.Caller.Account)}, nil
}

// DeleteRole removes a role that no policy is attached to.
func (r *RAM) DeleteRole(c *wire.Call, in *GetRoleRequest) (*Empty, error) {
	x, err := r.named(c, in.RoleName)
	if err != nil {
		return nil, err
	}
	if len(x.attached) > 0 {
		return nil, conflict("Role.Policy", "The role cannot have any policy attached when it is deleted.")
	}
	delete(r.accounts[c.Caller.Account].roles, strings.ToLower(in.RoleName))
	c.Refer("ACS::RAM::Role", x.name)
	return &Empty{}, nil
}
