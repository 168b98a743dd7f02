package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DescribeInstanceAttributeRequest names one instance.
type DescribeInstanceAttributeRequest struct{ InstanceId string }

// DescribeInstanceAttributeResponse is the answer of DescribeInstanceAttribute.
type DescribeInstanceAttributeResponse struct {
	InstanceId, InstanceName, HostName, Description string
	RegionId, ZoneId, Status, StoppedMode           string
	InstanceType, ImageId                           string
	InstanceNetworkType, InstanceChargeType         string
	CreationTime                                    string
	IoOptimized                                     string // a string here, a boolean in DescribeInstances
	Cpu, Memory                                     int
	VpcAttributes                                   VpcAttributes
	InnerIpAddress, PublicIpAddress                 IPSet
	SecurityGroupIds                                GroupSet
	OperationLocks                                  struct{ LockReason []struct{} }
}

// DescribeInstanceAttribute shows one instance. Unlike DescribeInstances it
// shows no tags.
func (s *Service) DescribeInstanceAttribute(c *wire.Call, in *DescribeInstanceAttributeRequest) (*DescribeInstanceAttributeResponse, error) {
	if err := allow(c, in.InstanceId); err != nil {
		return nil, err
	}
	s.w.Lock()
	defer s.w.Unlock()
	sp, i, err := s.instance(c, in.InstanceId)
	if err != nil {
		return nil, err
	}
	it := i.item(sp)
	return &DescribeInstanceAttributeResponse{
		InstanceId: it.InstanceId, InstanceName: it.InstanceName, HostName: it.HostName, Description: it.Description,
		RegionId: it.RegionId, ZoneId: it.ZoneId, Status: it.Status, StoppedMode: it.StoppedMode,
		InstanceType: it.InstanceType, ImageId: it.ImageId, InstanceNetworkType: it.InstanceNetworkType,
		InstanceChargeType: it.InstanceChargeType, CreationTime: it.CreationTime, IoOptimized: "optimized",
		Cpu: it.Cpu, Memory: it.Memory, VpcAttributes: it.VpcAttributes, InnerIpAddress: it.InnerIpAddress,
		PublicIpAddress: it.PublicIpAddress, SecurityGroupIds: it.SecurityGroupIds, OperationLocks: it.OperationLocks,
	}, nil
}
