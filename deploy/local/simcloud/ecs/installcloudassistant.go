package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// InstallCloudAssistantRequest names up to 50 instances.
type InstallCloudAssistantRequest struct{ InstanceId []string }

// InstallCloudAssistant installs Cloud Assistant where it is missing. It takes
// effect when the instance is restarted, here by StopInstance and StartInstance:
// documented. One instance that does not exist fails the call (assumed).
func (s *Service) InstallCloudAssistant(c *wire.Call, in *InstallCloudAssistantRequest) (*Empty, error) {
	if err := allow(c, in.InstanceId...); err != nil {
		return nil, err
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	s.w.Lock()
	defer s.w.Unlock()
	var ins []*instance
	for _, id := range unique(in.InstanceId) {
		i := sp.instances.Get(id)
		if i == nil {
			return nil, noInstance(id)
		}
		ins = append(ins, i)
	}
	for _, i := range ins {
		if i.guest.assistant == absent {
			g := *i.guest
			g.assistant = waiting
			i.guest = &g
		}
	}
	c.Refer("ACS::ECS::Instance", ids(ins)...)
	return &Empty{}, nil
}
