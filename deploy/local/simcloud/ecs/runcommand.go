package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// RunCommandRequest holds a command and up to 100 instances.
type RunCommandRequest struct {
	Name, Description, Type, WorkingDir string
	CommandContent, ContentEncoding     string
	InstanceId                          []string
	EnableParameter, KeepCommand        bool
	Parameters                          string
	Timeout                             int64
	RepeatMode, Username                string
	ClientToken                         string
	Tag                                 []TagParam
}

// RunCommandResponse is the answer of RunCommand.
type RunCommandResponse struct{ CommandId, InvokeId string }

// RunCommand makes a command and runs it as InvokeCommand does. Unless
// KeepCommand is true the command cannot be invoked again.
func (s *Service) RunCommand(c *wire.Call, in *RunCommandRequest) (*RunCommandResponse, error) {
	sp, err := s.enter(c, in.InstanceId, "*")
	if err != nil {
		return nil, err
	}
	return once(sp, c, in.ClientToken, in, func() (*RunCommandResponse, error) {
		cmd, err := s.newCommand(in.spec())
		if err != nil {
			return nil, err
		}
		v, err := newInvocation(cmd, in.run(), in.limit())
		if err != nil {
			return nil, err
		}
		ins, err := s.fitFor(sp, in.InstanceId, cmd, 403)
		if err == nil && in.KeepCommand {
			err = s.keep(sp, cmd)
		}
		if err != nil {
			return nil, err
		}
		s.invoke(sp, v, ins)
		c.Refer("ACS::ECS::Instance", ids(ins)...)
		c.Refer("ACS::ECS::Command", cmd.id)
		return &RunCommandResponse{cmd.id, v.id}, nil
	})
}

func (in *RunCommandRequest) limit() int {
	if in.KeepCommand {
		return keptContent
	}
	return mostContent
}

func (in *RunCommandRequest) spec() commandSpec {
	return commandSpec{
		Name: in.Name, Description: in.Description, Type: in.Type, WorkingDir: in.WorkingDir,
		Content: in.CommandContent, Encoding: in.ContentEncoding, Timeout: in.Timeout, Custom: in.EnableParameter,
	}
}

func (in *RunCommandRequest) run() run {
	return run{in.Parameters, in.RepeatMode, in.Username, in.WorkingDir, in.Timeout, in.Tag}
}
