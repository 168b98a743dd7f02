package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DeleteCommandRequest names a command.
type DeleteCommandRequest struct{ CommandId string }

// DeleteCommand forgets a command. Invocations of it continue.
func (s *Service) DeleteCommand(c *wire.Call, in *DeleteCommandRequest) (*struct{}, error) {
	if !s.at(c).commands.Delete(in.CommandId) {
		return nil, wire.Errorf(404, "InvalidCmdId.NotFound", "The specified command ID does not exist.")
	}
	c.Refer("ACS::ECS::Command", in.CommandId)
	return &struct{}{}, nil
}
