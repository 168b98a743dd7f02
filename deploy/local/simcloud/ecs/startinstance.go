package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// StartInstanceRequest names one instance.
type StartInstanceRequest struct {
	InstanceId string
	DryRun     bool
}

// Empty is an answer that holds nothing but its request id.
type Empty struct{}

// StartInstance starts a Stopped instance.
func (s *Service) StartInstance(c *wire.Call, in *StartInstanceRequest) (*Empty, error) {
	return &Empty{}, s.one(c, in.InstanceId, in.DryRun, s.starting())
}

func (s *Service) starting() power {
	return power{
		check: func(i *instance) error {
			if i.status != stopped {
				return wrongStatus(i.status)
			}
			return nil
		},
		apply: func(sp *space, i *instance) {
			i.status, i.mode = starting, notApplicable
			s.raise(sp, []*instance{i}, starting)
			s.start(sp, []*instance{i})
		},
	}
}
