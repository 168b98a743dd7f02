package ecs

import (
	"encoding/base64"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeCommandsRequest holds the parameters of DescribeCommands that matter
// here.
type DescribeCommandsRequest struct {
	CommandId, Name, Type, Provider string
	ContentEncoding                 string
	Tag                             []TagParam
	CommandPaging
}

// DescribeCommandsResponse is the answer of DescribeCommands.
type DescribeCommandsResponse struct {
	Commands struct{ Command []CommandItem }
	PageOf
	NextToken string
}

// CommandItem is a command in a response.
type CommandItem struct {
	CommandId, Name, Type, Description, WorkingDir string
	CommandContent                                 string // Base64, unless PlainText is asked for
	CreationTime, Provider                         string
	Timeout                                        int64
	EnableParameter                                bool
	InvokeTimes                                    int
	ParameterNames                                 struct{ ParameterName []string }
	Tags                                           TagSet
}

// DescribeCommands lists the account's own commands; there are no public ones
// here.
func (s *Service) DescribeCommands(c *wire.Call, in *DescribeCommandsRequest) (*DescribeCommandsResponse, error) {
	sp, err := s.enter(c, c.Allow("ecs:"+c.Action, arn(c, "command", "*")))
	if err != nil {
		return nil, err
	}
	p := in.paging()
	s.w.Lock()
	defer s.w.Unlock()
	got, err := take(sp.commands.After, p, func(x *command) bool {
		return same(in.CommandId, x.id) && same(in.Name, x.name) && same(in.Type, x.kind) &&
			same(in.Provider, "User") && x.tags.match(in.Tag)
	})
	if err != nil {
		return nil, err
	}
	out := &DescribeCommandsResponse{PageOf: PageOf{got.total, p.number, p.size}, NextToken: got.next}
	out.Commands.Command = []CommandItem{}
	for _, x := range got.rows {
		out.Commands.Command = append(out.Commands.Command, x.item(in.ContentEncoding))
	}
	return out, nil
}

func (c *command) item(encoding string) CommandItem {
	out := CommandItem{
		CommandId: c.id, Name: c.name, Type: c.kind, Description: c.description, WorkingDir: c.workingDir,
		CommandContent: encoded(c.content, encoding), CreationTime: exactTime(c.created), Provider: "User",
		Timeout: int64(c.timeout.Seconds()), EnableParameter: c.custom, InvokeTimes: c.invoked, Tags: c.tags.response(),
	}
	out.ParameterNames.ParameterName = append([]string{}, c.names()...)
	return out
}

// encoded is text as it is answered: Base64 by default, which is documented.
func encoded(text, encoding string) string {
	if encoding == "PlainText" {
		return text
	}
	return base64.StdEncoding.EncodeToString([]byte(text))
}
