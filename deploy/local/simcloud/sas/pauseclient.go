package sas

import "fleetwarden/deploy/local/simcloud/wire"

// PauseClientRequest names instances by their uuids, separated by commas. Value 0
// pauses their agents, 1 lets them go on.
type PauseClientRequest struct{ Uuids, Value string }

// PauseClient pauses agents that are online, or lets paused ones go on. Others
// stay as they are (assumed).
func (s *Service) PauseClient(c *wire.Call, in *PauseClientRequest) (*Empty, error) {
	from, to := paused, online
	switch in.Value {
	case "0":
		from, to = online, paused
	case "1":
	default:
		return nil, invalid("The specified Value is not valid: %s.", in.Value)
	}
	for _, m := range s.byUUID(c.Caller.Account, in.Uuids) {
		if a := s.assets[m.ID()]; a.client == from {
			a.client = to
			s.assets[m.ID()] = a
		}
	}
	return &Empty{}, nil
}
