package ecs

import (
	"iter"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeInvocationResultsRequest holds the parameters of
// DescribeInvocationResults that matter here.
type DescribeInvocationResultsRequest struct {
	InvokeId, InstanceId, CommandId string
	InvokeRecordStatus              string
	ContentEncoding                 string
	Tag                             []TagParam
	CommandPaging
}

// DescribeInvocationResultsResponse is the answer of DescribeInvocationResults.
// NextToken and TotalCount are inside Invocation.
type DescribeInvocationResultsResponse struct{ Invocation InvocationResults }

// InvocationResults is a page of results.
type InvocationResults struct {
	InvocationResults struct{ InvocationResult []InvocationResult }
	PageOf
	NextToken string
}

// InvocationResult is what became of an invocation on one instance.
// InvokeRecordStatus is over all instances of the invocation.
type InvocationResult struct {
	InstanceId, InvokeId, CommandId        string
	InvocationStatus, InvokeRecordStatus   string
	ExitCode, Repeats, Dropped             int
	ErrorCode, ErrorInfo, Output, Username string
	StartTime, FinishedTime, StopTime      string
	Tags                                   TagSet
}

// DescribeInvocationResults lists results instance by instance; see
// [Service.SetNewestFirst] for their order. Output is Base64 unless PlainText is
// asked for. ExitCode is 0 also before the end (assumed), so nobody may judge by
// it alone.
func (s *Service) DescribeInvocationResults(c *wire.Call, in *DescribeInvocationResultsRequest) (*DescribeInvocationResultsResponse, error) {
	if err := allowRecords(c); err != nil {
		return nil, err
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	p := in.paging()
	s.w.Lock()
	defer s.w.Unlock()
	since := s.w.Clock.Now().Add(-recordsLast)
	got, err := take(ordered(s, sp.tasks), p, func(t *task) bool {
		return !t.of.created.Before(since) && in.match(t)
	})
	if err != nil {
		return nil, err
	}
	out := &DescribeInvocationResultsResponse{InvocationResults{PageOf: PageOf{got.total, p.number, p.size}, NextToken: got.next}}
	list := []InvocationResult{}
	for _, t := range got.rows {
		list = append(list, t.result(in.ContentEncoding))
	}
	out.Invocation.InvocationResults.InvocationResult = list
	return out, nil
}

// tasks yields all tasks behind a place. An invocation has at most 100, so 128
// places are room enough.
func (sp *space) tasks(place uint64) iter.Seq2[uint64, *task] {
	const room = 128
	return func(yield func(uint64, *task) bool) {
		done := place / room
		for at, v := range sp.invocations.After(max(done, 1) - 1) {
			for n, t := range v.tasks {
				here := at*room + uint64(n)
				if here > place && !yield(here, t) {
					return
				}
			}
		}
	}
}

func (in *DescribeInvocationResultsRequest) match(t *task) bool {
	return same(in.InvokeId, t.of.id) && same(in.InstanceId, t.instance.id) && same(in.CommandId, t.of.command.id) &&
		(in.InvokeRecordStatus == "" || in.InvokeRecordStatus == t.of.record()) && t.of.tags.match(in.Tag)
}

func (t *task) result(encoding string) InvocationResult {
	return InvocationResult{
		InstanceId: t.instance.id, InvokeId: t.of.id, CommandId: t.of.command.id,
		InvocationStatus: t.status.String(), InvokeRecordStatus: t.of.record(), ExitCode: t.exit, Repeats: t.repeats,
		ErrorCode: t.code, ErrorInfo: errorInfos[t.code], Output: encoded(t.output, encoding), Username: t.of.username,
		StartTime: exactTime(t.start), FinishedTime: exactTime(t.finish), StopTime: exactTime(t.halted), Tags: t.of.tags.response(),
	}
}
