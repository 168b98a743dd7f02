package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DescribeInstanceStatusRequest names up to 100 instances, or none for all.
type DescribeInstanceStatusRequest struct {
	InstanceId           []string
	ZoneId               string
	PageNumber, PageSize int
}

// DescribeInstanceStatusResponse is the answer of DescribeInstanceStatus.
type DescribeInstanceStatusResponse struct {
	InstanceStatuses struct{ InstanceStatus []InstanceStatusItem }
	PageOf
}

// InstanceStatusItem is an instance's status.
type InstanceStatusItem struct{ InstanceId, Status string }

// DescribeInstanceStatus lists statuses, up to 50 a page.
func (s *Service) DescribeInstanceStatus(c *wire.Call, in *DescribeInstanceStatusRequest) (*DescribeInstanceStatusResponse, error) {
	if err := allow(c); err != nil {
		return nil, err
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	if len(in.InstanceId) > 100 {
		return nil, tooMany("InstanceId", 100)
	}
	p := paging{}.byNumber(in.PageNumber, in.PageSize, 10, 50)
	s.w.Lock()
	defer s.w.Unlock()
	f := instanceFilter{DescribeInstancesRequest: &DescribeInstancesRequest{ZoneId: in.ZoneId}, ids: in.InstanceId}
	got, err := take(f.candidates(sp), p, f.match)
	if err != nil {
		return nil, err
	}
	out := &DescribeInstanceStatusResponse{PageOf: PageOf{got.total, p.number, p.size}}
	out.InstanceStatuses.InstanceStatus = []InstanceStatusItem{}
	for _, i := range got.rows {
		out.InstanceStatuses.InstanceStatus = append(out.InstanceStatuses.InstanceStatus, InstanceStatusItem{i.id, i.status.String()})
	}
	return out, nil
}
