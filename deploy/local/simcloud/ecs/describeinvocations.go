package ecs

import (
	"cmp"
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// CommandPaging is how Cloud Assistant's lists are paged: MaxResults 1 to 50
// with NextToken, or PageNumber and PageSize up to 50, 10 by default.
type CommandPaging struct {
	NextToken            string
	MaxResults           int
	PageNumber, PageSize int
}

func (in *CommandPaging) paging() paging {
	return byToken(in.NextToken, in.MaxResults, 1, 50).byNumber(in.PageNumber, in.PageSize, 10, 50)
}

// DescribeInvocationsRequest holds the parameters of DescribeInvocations that
// matter here.
type DescribeInvocationsRequest struct {
	InvokeId, CommandId, CommandName, CommandType string
	InstanceId, InvokeStatus, RepeatMode          string
	ContentEncoding                               string
	IncludeOutput                                 bool
	Tag                                           []TagParam
	CommandPaging
}

// DescribeInvocationsResponse is the answer of DescribeInvocations.
type DescribeInvocationsResponse struct {
	Invocations invocationSet
	Listed
}

type invocationSet struct{ Invocation []InvocationItem }

// InvocationItem is an invocation in a response. InvocationStatus and
// InvokeStatus are over all of its instances.
type InvocationItem struct {
	InvokeId, CommandId, CommandName, CommandType, CommandDescription string
	CommandContent, Parameters                                        string
	CreationTime, RepeatMode, Username, WorkingDir                    string
	Timeout                                                           int64
	Timed                                                             bool
	InvocationStatus, InvokeStatus                                    string
	InvokeInstances                                                   struct{ InvokeInstance []InvokeInstanceItem }
	Tags                                                              TagSet
}

// InvokeInstanceItem is an invocation on one instance. ExitCode is 0 also before the end
// (assumed), so it is no result by itself.
type InvokeInstanceItem struct {
	InstanceId, InvocationStatus, InstanceInvokeStatus        string
	ExitCode, Repeats, Dropped                                int
	ErrorCode, ErrorInfo, Output                              string
	CreationTime, StartTime, FinishTime, StopTime, UpdateTime string
	Timed                                                     bool
}

// DescribeInvocations lists invocations of the last 30 days, in the order in which they
// began, which is assumed.
func (s *Service) DescribeInvocations(c *wire.Call, in *DescribeInvocationsRequest) (*DescribeInvocationsResponse, error) {
	since := s.w.Clock.Now().Add(-recordsLast)
	found, page, err := list(s.at(c).invocations.After, in.paging(), func(v *invocation) bool {
		return !v.created.Before(since) && in.match(v)
	}, in.item)
	return &DescribeInvocationsResponse{invocationSet{found}, page}, err
}

func (in *DescribeInvocationsRequest) match(v *invocation) bool {
	return same(in.InvokeId, v.id) && same(in.CommandId, v.command.id) && same(in.CommandName, v.command.name) &&
		same(in.CommandType, v.command.kind) && same(in.RepeatMode, "Once") && v.tags.match(in.Tag) &&
		(in.InstanceId == "" || slices.ContainsFunc(v.tasks, func(t *task) bool { return t.instance.id == in.InstanceId })) &&
		(in.InvokeStatus == "" || in.InvokeStatus == v.record())
}

func (in *DescribeInvocationsRequest) item(v *invocation) InvocationItem {
	cmd := v.command
	out := InvocationItem{
		InvokeId: v.id, CommandId: cmd.id, CommandName: cmd.name, CommandType: cmd.kind, CommandDescription: cmd.description,
		CommandContent: encoded(cmd.content, in.ContentEncoding), Parameters: cmp.Or(v.parameters, "{}"),
		CreationTime: exactTime(v.created), RepeatMode: "Once", Username: v.username, WorkingDir: v.workingDir,
		Timeout: int64(v.timeout.Seconds()), InvocationStatus: v.status(), InvokeStatus: v.record(), Tags: v.tags.response(),
	}
	for _, t := range v.tasks {
		x := InvokeInstanceItem{
			InstanceId: t.instance.id, InvocationStatus: t.status.String(), InstanceInvokeStatus: t.older(),
			ExitCode: t.exit, Repeats: t.repeats, ErrorCode: t.code, ErrorInfo: errorInfos[t.code],
			CreationTime: exactTime(v.created), StartTime: exactTime(t.start), FinishTime: exactTime(t.finish),
			UpdateTime: exactTime(t.changed()),
		}
		if in.IncludeOutput {
			x.Output = encoded(t.output, in.ContentEncoding)
		}
		out.InvokeInstances.InvokeInstance = append(out.InvokeInstances.InvokeInstance, x)
	}
	return out
}
