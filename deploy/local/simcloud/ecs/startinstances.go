package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// StartInstancesRequest names up to 100 instances.
type StartInstancesRequest struct {
	InstanceId        []string
	BatchOptimization string
	DryRun            bool
}

// StartInstances starts Stopped instances.
func (s *Service) StartInstances(c *wire.Call, in *StartInstancesRequest) (*PowerResults, error) {
	return s.many(c, batch{in.InstanceId, in.BatchOptimization, in.DryRun}, s.starting())
}
