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
	Commands commandSet
	Listed
}

type commandSet struct{ Command []CommandItem }

// CommandItem is a command in a response.
type CommandItem struct {
	CommandId, Name, Type, Description, WorkingDir string
	CommandContent                                 string // Base64, unless PlainText is asked for
	CreationTime, Provider                         string
	Timeout                                        int64
	EnableParameter                                bool
	InvokeTimes                                    int
	ParameterNames                                 parameterNames
	Tags                                           TagSet
}

type parameterNames struct{ ParameterName []string }

// DescribeCommands lists the account's own commands; there are no public ones
// here.
func (s *Service) DescribeCommands(c *wire.Call, in *DescribeCommandsRequest) (*DescribeCommandsResponse, error) {
	found, page, err := list(s.at(c).commands.After, in.paging(), func(x *command) bool {
		return same(in.CommandId, x.id) && same(in.Name, x.name) && same(in.Type, x.kind) &&
			same(in.Provider, "User") && x.tags.match(in.Tag)
	}, func(x *command) CommandItem { return x.item(in.ContentEncoding) })
	return &DescribeCommandsResponse{commandSet{found}, page}, err
}

func (c *command) item(encoding string) CommandItem {
	return CommandItem{
		CommandId: c.id, Name: c.name, Type: c.kind, Description: c.description, WorkingDir: c.workingDir,
		CommandContent: encoded(c.content, encoding), CreationTime: exactTime(c.created), Provider: "User",
		Timeout: int64(c.timeout.Seconds()), EnableParameter: c.custom, InvokeTimes: c.invoked, Tags: c.tags.response(),
		ParameterNames: parameterNames{append([]string{}, c.names()...)},
	}
}

// encoded is text as it is answered: Base64 by default, which is documented.
func encoded(text, encoding string) string {
	if encoding == "PlainText" {
		return text
	}
	return base64.StdEncoding.EncodeToString([]byte(text))
}
