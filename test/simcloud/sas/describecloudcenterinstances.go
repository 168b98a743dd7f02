package sas

import (
	"encoding/base64"
	"fmt"
	"iter"

	"fleetwarden/test/simcloud/wire"
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
	if err := allow(c); err != nil {
		return nil, err
	}
	q, err := newSearch(in.Criteria, in.LogicalExp)
	if err != nil {
		return nil, err
	}
	if in.ResourceDirectoryAccountId != 0 && fmt.Sprint(in.ResourceDirectoryAccountId) != c.Caller.Account {
		return nil, invalid("simcloud: members' assets are not served through another account.")
	}
	s.w.Lock()
	defer s.w.Unlock()
	out := &DescribeCloudCenterInstancesResponse{Instances: []CloudCenterInstance{}, Success: true}
	out.PageInfo.PageSize = min(max(orElse(in.PageSize, usualPage), 1), mostPage)
	switch {
	case in.MachineTypes != "" && in.MachineTypes != "ecs":
		out.PageInfo.TotalCount = new(int)
	case in.UseNextToken:
		err = s.byToken(out, c.Caller.Account, q, in.NextToken)
	default:
		s.byPage(out, c.Caller.Account, q, max(in.CurrentPage, 1))
	}
	out.PageInfo.Count = len(out.Instances)
	return out, err
}

func orElse(n, usual int) int {
	if n == 0 {
		return usual
	}
	return n
}

// place is where a listing goes on: behind a place of the instances of a region.
type place struct {
	region int
	after  uint64
}

// items yields what Security Center knows of an account and matches, region by
// region, behind a place. The caller holds the mutex.
func (s *Service) items(account string, q search, from place) iter.Seq2[place, item] {
	return func(yield func(place, item) bool) {
		for r := from.region; r < len(s.w.Regions); r++ {
			for at, m := range s.servers.Machines(account, s.w.Regions[r], from.after) {
				x := item{m, s.assets[m.ID()]}
				if x.asset.known && q.match(x) && !yield(place{r, at}, x) {
					return
				}
			}
			from.after = 0
		}
	}
}

func (s *Service) byPage(out *DescribeCloudCenterInstancesResponse, account string, q search, page int) {
	total, size := 0, out.PageInfo.PageSize
	for _, x := range s.items(account, q, place{}) {
		if total >= (page-1)*size && len(out.Instances) < size {
			out.Instances = append(out.Instances, x.response())
		}
		total++
	}
	out.PageInfo.CurrentPage, out.PageInfo.TotalCount = page, &total
}

// byToken gives a next token only if another instance matches.
func (s *Service) byToken(out *DescribeCloudCenterInstancesResponse, account string, q search, token string) error {
	from, err := parseToken(token)
	if err != nil {
		return err
	}
	for at, x := range s.items(account, q, from) {
		if len(out.Instances) == out.PageInfo.PageSize {
			out.PageInfo.NextToken = from.token()
			break
		}
		out.Instances = append(out.Instances, x.response())
		from = at
	}
	return nil
}

func (p place) token() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "sas:%d:%d", p.region, p.after))
}

func parseToken(token string) (place, error) {
	p := place{}
	if token == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		_, err = fmt.Sscanf(string(raw), "sas:%d:%d", &p.region, &p.after)
	}
	if err != nil || p.region < 0 {
		return place{}, invalid("The specified NextToken is not valid.")
	}
	return p, nil
}

func (x item) response() CloudCenterInstance {
	status, sub := x.asset.status(x.Machine)
	return CloudCenterInstance{
		InstanceId: x.ID(), InstanceName: x.Name(), Uuid: uuid(x.ID()), ClientStatus: status, ClientSubStatus: sub,
		Status: x.running(), Os: x.OS(), OsName: x.OSName(), RegionId: x.Region(), Region: x.Region() + "-dg-a01",
		IntranetIp: x.Address(), Ip: x.Address(), VpcInstanceId: x.VPC(), CreatedTime: x.Created().UnixMilli(),
	}
}
