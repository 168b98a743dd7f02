package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// StopInstancesRequest names up to 100 instances.
type StopInstancesRequest struct {
	InstanceId                     []string
	BatchOptimization, StoppedMode string
	ForceStop, DryRun              bool
}

// StopInstances stops Running instances.
func (s *Service) StopInstances(c *wire.Call, in *StopInstancesRequest) (*PowerResults, error) {
	p, err := s.stopping(in.StoppedMode)
	if err != nil {
		return nil, err
	}
	return s.many(c, batch{in.InstanceId, in.BatchOptimization, in.DryRun}, p)
}
