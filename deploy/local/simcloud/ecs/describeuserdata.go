package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DescribeUserDataRequest names exactly one instance.
type DescribeUserDataRequest struct{ InstanceId string }

// DescribeUserDataResponse is the answer of DescribeUserData.
type DescribeUserDataResponse struct {
	InstanceId, RegionId string
	UserData             string // Base64, as it was given
}

// DescribeUserData shows the user data of an instance.
func (s *Service) DescribeUserData(c *wire.Call, in *DescribeUserDataRequest) (*DescribeUserDataResponse, error) {
	if err := allow(c, in.InstanceId); err != nil {
		return nil, err
	}
	sp, i, err := s.instance(c, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return &DescribeUserDataResponse{i.id, sp.region, i.spec.userData}, nil
}
