package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DescribeInstanceRamRoleRequest names up to 50 instances in one JSON array, or
// a role, or both.
type DescribeInstanceRamRoleRequest struct {
	InstanceIds          []string
	RamRoleName          string
	PageNumber, PageSize int
}

// DescribeInstanceRamRoleResponse is the answer of DescribeInstanceRamRole.
type DescribeInstanceRamRoleResponse struct {
	InstanceRamRoleSets InstanceRoleTable
	RegionId            string
	TotalCount          int
}

// DescribeInstanceRamRole lists instances with their roles: 10 a page by
// default, 50 at most, by page number only. How an instance without a role is
// shown is not documented: here with an empty name, or not at all once
// [Service.HideRoleless] says so. Ids that do not exist are left out (assumed).
func (s *Service) DescribeInstanceRamRole(c *wire.Call, in *DescribeInstanceRamRoleRequest) (*DescribeInstanceRamRoleResponse, error) {
	if in.InstanceIds == nil && in.RamRoleName == "" {
		// 403 InvalidParameter.AllEmpty: error table of this API.
		return nil, wire.Errorf(403, "InvalidParameter.AllEmpty", "InstanceIds and RamRoleName cannot be empty at the same time.")
	}
	if err := allow(c); err != nil {
		return nil, err
	}
	f := instanceFilter{DescribeInstancesRequest: &DescribeInstancesRequest{}}
	if in.InstanceIds != nil {
		var err error
		if f.ids, err = namedInstances(in.InstanceIds); err != nil {
			return nil, err
		}
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	p := paging{}.byNumber(in.PageNumber, in.PageSize, 10, 50)
	found, page, err := list(f.candidates(sp), p, func(i *instance) bool {
		return same(in.RamRoleName, i.role) && !(s.hideRoleless && i.role == "")
	}, func(i *instance) InstanceRole { return InstanceRole{i.id, i.role} })
	return &DescribeInstanceRamRoleResponse{InstanceRoleTable{found}, sp.region, page.TotalCount}, err
}

// HideRoleless chooses how DescribeInstanceRamRole shows instances without a
// role: not at all, or, as at the start, with an empty RamRoleName. Clients have
// to understand both.
func (s *Service) HideRoleless(hide bool) {
	s.w.Lock()
	defer s.w.Unlock()
	s.hideRoleless = hide
}
