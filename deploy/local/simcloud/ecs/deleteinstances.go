package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DeleteInstancesRequest names up to 100 instances.
type DeleteInstancesRequest struct {
	InstanceId    []string
	Force, DryRun bool
	ClientToken   string
}

// DeleteInstances releases instances: all of them or, if one is unfit, none. A
// client token changes nothing: what is gone cannot be deleted twice.
func (s *Service) DeleteInstances(c *wire.Call, in *DeleteInstancesRequest) (*Empty, error) {
	_, err := s.many(c, batch{ids: in.InstanceId, dryRun: in.DryRun}, s.deleting(in.Force))
	return &Empty{}, err
}
