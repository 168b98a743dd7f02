package ecs

import (
	"cmp"

	"fleetwarden/deploy/local/simcloud/wire"
)

// InvokeCommandRequest names a command and up to 100 instances.
type InvokeCommandRequest struct {
	CommandId            string
	InstanceId           []string
	Parameters           string
	Timeout              int64
	RepeatMode           string
	Username, WorkingDir string
	ClientToken          string
	Tag                  []TagParam
}

// InvokeCommandResponse is the answer of InvokeCommand.
type InvokeCommandResponse struct{ InvokeId string }

// InvokeCommand runs a kept command, later, on all of the instances, or, if one
// is unfit, on none.
func (s *Service) InvokeCommand(c *wire.Call, in *InvokeCommandRequest) (*InvokeCommandResponse, error) {
	sp, err := s.enter(c, in.InstanceId, in.CommandId)
	if err != nil {
		return nil, err
	}
	return once(sp, c, in.ClientToken, in, func() (*InvokeCommandResponse, error) {
		cmd := sp.commands.Get(in.CommandId)
		if cmd == nil {
			return nil, wire.Errorf(404, "InvalidCmdId.NotFound", "The specified command ID does not exist.")
		}
		v, err := newInvocation(cmd, in.run(), keptContent)
		if err != nil {
			return nil, err
		}
		ins, err := s.fitFor(sp, in.InstanceId, cmd, 400)
		if err != nil {
			return nil, err
		}
		s.invoke(sp, v, ins)
		c.Refer("ACS::ECS::Instance", ids(ins)...)
		c.Refer("ACS::ECS::Command", cmd.id)
		return &InvokeCommandResponse{v.id}, nil
	})
}

// enter asks for the instances and for the command, the documented resources of
// InvokeCommand and RunCommand, and is the call's space.
func (s *Service) enter(c *wire.Call, instances []string, command string) (*space, error) {
	err := cmp.Or(allow(c, instances...), c.Allow("ecs:"+c.Action, arn(c, "command", command)))
	if err != nil {
		return nil, err
	}
	return s.space(c)
}

// run is what InvokeCommand and RunCommand say about one invocation.
type run struct {
	parameters, repeatMode, username, workingDir string
	timeout                                      int64
	tags                                         []TagParam
}

func (in *InvokeCommandRequest) run() run {
	return run{in.Parameters, in.RepeatMode, in.Username, in.WorkingDir, in.Timeout, in.Tag}
}

// newInvocation checks an invocation. Commands that repeat, wait for a reboot or
// only try are documented but not part of this cloud.
func newInvocation(cmd *command, in run, most int) (*invocation, error) {
	if !oneOf(in.repeatMode, "Once") {
		return nil, wire.Errorf(404, "InvalidRepeatMode.NotFound", "simcloud serves the repeat mode Once only, not %s.", in.repeatMode)
	}
	if len(in.username) > 255 {
		return nil, wire.Errorf(403, "Username.ExceedLimit", "The length of the username exceeds the upper limit.")
	}
	params, err := cmd.params(in.parameters)
	if err == nil {
		err = cmd.fits(in.parameters, most)
	}
	if err != nil {
		return nil, err
	}
	timeout, err := timeoutOf(in.timeout, cmd.timeout)
	if err != nil {
		return nil, err
	}
	ts, err := newTags(in.tags)
	if err != nil {
		return nil, err
	}
	return &invocation{
		command: cmd, parameters: in.parameters, params: params, timeout: timeout,
		username: in.username, workingDir: cmp.Or(in.workingDir, cmd.workingDir), tags: tags{}.set(ts...),
	}, nil
}
