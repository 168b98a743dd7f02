package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// AttachInstanceRamRoleRequest names up to 100 instances in one JSON array.
// Policy narrows the role; what it narrows is not modelled.
type AttachInstanceRamRoleRequest struct {
	InstanceIds         []string
	RamRoleName, Policy string
}

// AttachInstanceRamRoleResponse is the answer of AttachInstanceRamRole. With
// FailCount above 0 it is still HTTP 200: the failures are in the results.
type AttachInstanceRamRoleResponse struct {
	TotalCount, FailCount        int
	RamRoleName                  string
	AttachInstanceRamRoleResults struct{ AttachInstanceRamRoleResult []RoleResult }
}

// RoleResult is what became of one instance. Code is 200 for success, where, as
// in the documented sample, Success is missing.
type RoleResult struct {
	InstanceId, Code, Message string
	Success                   *bool              `json:",omitempty"`
	InstanceRamRoleSets       *InstanceRoleTable `json:",omitempty"`
}

// InstanceRoleTable is which instance has which role.
type InstanceRoleTable struct{ InstanceRamRoleSet []InstanceRole }

// InstanceRole is an instance and its role.
type InstanceRole struct{ InstanceId, RamRoleName string }

// AttachInstanceRamRole attaches a role to instances that have none; it does not
// replace. A role that is missing or not for ECS fails the whole call; that
// everything about one instance fails only that instance is assumed.
func (s *Service) AttachInstanceRamRole(c *wire.Call, in *AttachInstanceRamRoleRequest) (*AttachInstanceRamRoleResponse, error) {
	named, err := namedInstances(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	if err := allow(c, named...); err != nil {
		return nil, err
	}
	if err := s.checkRole(c, in.RamRoleName, 404); err != nil {
		return nil, err
	}
	if len(in.Policy) > 1024 {
		return nil, invalid("InvalidPolicy.Malformed", "Policy must not exceed 1024 characters.")
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	out := &AttachInstanceRamRoleResponse{TotalCount: len(named), RamRoleName: in.RamRoleName}
	for _, id := range named {
		r := result(id, sp.attach(id, in.RamRoleName))
		if r.failed() {
			out.FailCount++
		}
		out.AttachInstanceRamRoleResults.AttachInstanceRamRoleResult = append(out.AttachInstanceRamRoleResults.AttachInstanceRamRoleResult, r)
	}
	c.Refer("ACS::ECS::Instance", named...)
	c.Refer("ACS::RAM::Role", in.RamRoleName)
	return out, nil
}

// attach: 404 InvalidInstanceId.NotFound and 403
// InvalidNetworkType.MismatchRamRole (classic network) are in the error table of
// AttachInstanceRamRole. The code for an instance that has a role already, even
// the same one, is published nowhere: this one is invented, so no client may rely
// on it. No state of the instance is excluded. The caller holds
// the mutex.
func (sp *space) attach(id, role string) error {
	i := sp.instances.Get(id)
	switch {
	case i == nil:
		return noInstance(id)
	case i.spec.classic:
		return wire.Errorf(403, "InvalidNetworkType.MismatchRamRole", "A RAM role cannot be attached to an instance of the classic network.")
	case i.role != "":
		return wire.Errorf(403, "InvalidOperation.RamRoleAlreadyAttached", "The instance already has the RAM role %s.", i.role)
	}
	i.role = role
	return nil
}

func result(id string, err error) RoleResult {
	if err == nil {
		return RoleResult{InstanceId: id, Code: "200", Message: "success"}
	}
	e, no := wire.AsError(err), false
	return RoleResult{InstanceId: id, Code: e.Code, Message: e.Message, Success: &no}
}

func (r *RoleResult) failed() bool { return r.Code != "200" }

// namedInstances is InstanceIds; at least one is needed.
func namedInstances(ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, invalid("InvalidInstanceIds.Malformed", "The specified InstanceIds are empty.")
	}
	return idList(ids, "InvalidInstanceIds.Malformed")
}
