package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// CreateCommandRequest describes a command.
type CreateCommandRequest struct {
	Name, Description, Type, WorkingDir string
	CommandContent, ContentEncoding     string
	Timeout                             int64
	EnableParameter                     bool
	ClientToken                         string
	Tag                                 []TagParam
}

// CreateCommandResponse is the answer of CreateCommand.
type CreateCommandResponse struct{ CommandId string }

// CreateCommand keeps a command to be invoked later.
func (s *Service) CreateCommand(c *wire.Call, in *CreateCommandRequest) (*CreateCommandResponse, error) {
	sp := s.at(c)
	ts, err := newTags(in.Tag)
	if err != nil {
		return nil, err
	}
	return once(sp, c, in.ClientToken, in, func() (*CreateCommandResponse, error) {
		made, err := s.createCommand(sp, in.spec())
		if err != nil {
			return nil, err
		}
		made.tags = tags{}.set(ts...)
		c.Refer("ACS::ECS::Command", made.id)
		return &CreateCommandResponse{made.id}, nil
	})
}

func (in *CreateCommandRequest) spec() commandSpec {
	return commandSpec{
		Name: in.Name, Description: in.Description, Type: in.Type, WorkingDir: in.WorkingDir,
		Content: in.CommandContent, Encoding: in.ContentEncoding, Usual: base64Encoded, Timeout: in.Timeout, Custom: in.EnableParameter,
	}
}
