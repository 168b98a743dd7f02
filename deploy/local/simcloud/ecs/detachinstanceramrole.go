package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DetachInstanceRamRoleRequest names up to 100 instances in one JSON array.
type DetachInstanceRamRoleRequest struct {
	InstanceIds []string
	RamRoleName string
}

// DetachInstanceRamRoleResponse is the answer of DetachInstanceRamRole.
type DetachInstanceRamRoleResponse struct {
	TotalCount, FailCount        int
	RamRoleName                  string
	DetachInstanceRamRoleResults struct{ DetachInstanceRamRoleResult []RoleResult }
}

// DetachInstanceRamRole takes the role off instances; with RamRoleName only that
// role. What the result's InstanceRamRoleSets hold is assumed: what was
// detached.
func (s *Service) DetachInstanceRamRole(c *wire.Call, in *DetachInstanceRamRoleRequest) (*DetachInstanceRamRoleResponse, error) {
	named, err := namedInstances(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	if err := allow(c, named...); err != nil {
		return nil, err
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	out := &DetachInstanceRamRoleResponse{TotalCount: len(named), RamRoleName: in.RamRoleName}
	for _, id := range named {
		r := sp.detach(id, in.RamRoleName)
		if r.failed() {
			out.FailCount++
		}
		out.DetachInstanceRamRoleResults.DetachInstanceRamRoleResult = append(out.DetachInstanceRamRoleResults.DetachInstanceRamRoleResult, r)
	}
	c.Refer("ACS::ECS::Instance", named...)
	return out, nil
}

// detach: that taking off a role which is not there fails, and with which code,
// is assumed. The caller holds the mutex.
func (sp *space) detach(id, role string) RoleResult {
	i := sp.instances.Get(id)
	if i == nil {
		return result(id, noInstance(id))
	}
	if i.role == "" || (role != "" && role != i.role) {
		return result(id, wire.Errorf(404, "InvalidRamRole.NotFound", "The instance does not have the RAM role %s.", role))
	}
	r := result(id, nil)
	r.InstanceRamRoleSets = &InstanceRoleTable{[]InstanceRole{{id, i.role}}}
	i.role = ""
	return r
}
