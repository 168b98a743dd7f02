package ecs

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// StopInvocationRequest names an invocation and, if not all of them, instances.
type StopInvocationRequest struct {
	InvokeId   string
	InstanceId []string
}

// StopInvocation stops what of an invocation has not ended. That what has ended
// is left alone without an error is assumed.
func (s *Service) StopInvocation(c *wire.Call, in *StopInvocationRequest) (*Empty, error) {
	if err := allow(c, in.InstanceId...); err != nil {
		return nil, err
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	s.w.Lock()
	defer s.w.Unlock()
	v := sp.invocations.Get(in.InvokeId)
	if v == nil {
		// The code is assumed.
		return nil, wire.Errorf(404, "InvalidInvokeId.NotFound", "The specified invoke ID does not exist.")
	}
	for _, t := range v.tasks {
		if len(in.InstanceId) == 0 || slices.Contains(in.InstanceId, t.instance.id) {
			s.halt(sp, t)
		}
	}
	c.Refer("ACS::ECS::Instance", in.InstanceId...)
	return &Empty{}, nil
}
