package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// StopInstanceRequest names one instance.
type StopInstanceRequest struct {
	InstanceId, StoppedMode string
	ForceStop, DryRun       bool
}

// StopInstance stops a Running instance.
func (s *Service) StopInstance(c *wire.Call, in *StopInstanceRequest) (*Empty, error) {
	p, err := s.stopping(in.StoppedMode)
	if err != nil {
		return nil, err
	}
	return &Empty{}, s.one(c, in.InstanceId, in.DryRun, p)
}

// stopping stops Running instances. Without a mode it is KeepCharging, as documented
// for accounts without economical mode; no account has that here.
// That ForceStop makes it no faster is assumed.
func (s *Service) stopping(mode string) (power, error) {
	if !oneOf(mode, keepCharging.String(), stopCharging.String()) {
		return power{}, invalid("InvalidParameter.StoppedMode", "The specified StoppedMode is not valid: %s.", mode)
	}
	return power{
		check: func(i *instance) error {
			if i.status != running {
				return wrongStatus(i.status)
			}
			return nil
		},
		apply: func(sp *space, i *instance) {
			i.rest(s.w.Clock.Now())
			i.up, i.status, i.mode = false, stopping, keepCharging
			if mode == stopCharging.String() {
				i.mode = stopCharging
			}
			s.raise(sp, []*instance{i}, stopping)
			s.step(sp, []*instance{i}, shutsDown, nil)
		},
	}, nil
}
