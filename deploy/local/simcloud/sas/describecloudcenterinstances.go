package sas

import (
	"cmp"
	"fmt"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeCloudCenterInstancesRequest holds the parameters of
// DescribeCloudCenterInstances that matter here. RegionId is deprecated and does
// nothing.
type DescribeCloudCenterInstancesRequest struct {
	Criteria, LogicalExp, MachineTypes string
	PageSize, CurrentPage              int
	UseNextToken                       bool
	NextToken                          string
	ResourceDirectoryAccountId         int64
}

// DescribeCloudCenterInstancesResponse is the answer of
// DescribeCloudCenterInstances. Instances is a plain array.
type DescribeCloudCenterInstancesResponse struct {
	Instances []CloudCenterInstance
	PageInfo  PageInfo
	Success   bool
}

// PageInfo is how an answer counts itself. With NextToken it has no TotalCount
// (documented).
type PageInfo struct {
	Count, PageSize int
	CurrentPage     int    `json:",omitempty"`
	TotalCount      *int   `json:",omitempty"`
	NextToken       string `json:",omitempty"`
}

// CloudCenterInstance is an instance as Security Center shows it. Region may be
// an internal id (documented), and always is one here: use RegionId.
type CloudCenterInstance struct {
	InstanceId, InstanceName, Uuid string
	ClientStatus, ClientSubStatus  string
	Status, Os, OsName             string
	RegionId, Region               string
	IntranetIp, InternetIp, Ip     string
	VpcInstanceId                  string
	Vendor, Flag, AuthVersion      int
	CreatedTime                    int64 // milliseconds
	LastLoginTimestamp             int64 `json:",omitempty"` // milliseconds
}

// Page sizes: 20 by default is documented. A maximum is not; it is assumed to be
// 100, and that more is taken for it.
const (
	usualPage = 20
	mostPage  = 100
)

// DescribeCloudCenterInstances lists the instances of the account, in all
// regions, that Security Center knows: by page, or by token.
func (s *Service) DescribeCloudCenterInstances(c *wire.Call, in *DescribeCloudCenterInstancesRequest) (*DescribeCloudCenterInstancesResponse, error) {
	q, err := newSearch(in.Criteria, in.LogicalExp)
	if err != nil {
		return nil, err
	}
	if in.ResourceDirectoryAccountId != 0 && fmt.Sprint(in.ResourceDirectoryAccountId) != c.Caller.Account {
		return nil, invalid("simcloud: members' assets are not served through another account.")
	}
	out := &DescribeCloudCenterInstancesResponse{Instances: []CloudCenterInstance{}, Success: true}
	out.PageInfo.PageSize = min(max(cmp.Or(in.PageSize, usualPage), 1), mostPage)
	switch {
	case in.MachineTypes != "" && in.MachineTypes != "ecs":
		out.PageInfo.TotalCount = new(int)
	case in.UseNextToken:
		err = s.byToken(out, c.Caller.Account, q, in.NextToken)
	default:
		s.byPage(out, c.Caller.Account, q, in.CurrentPage)
	}
	out.PageInfo.Count = len(out.Instances)
	return out, err
}

func (x item) response(now time.Time) CloudCenterInstance {
	status, sub := x.asset.status(x.Machine)
	return CloudCenterInstance{
		InstanceId: x.ID(), InstanceName: x.Name(), Uuid: uuid(x.ID()), ClientStatus: status, ClientSubStatus: sub,
		Status: x.running(), Os: x.OS(), OsName: x.OSName(), RegionId: x.Region(), Region: x.Region() + "-dg-a01",
		IntranetIp: x.Address(), Ip: x.Address(), VpcInstanceId: x.VPC(), CreatedTime: x.Created().UnixMilli(),
		LastLoginTimestamp: x.asset.lastOnline(x.Machine, now),
	}
}
