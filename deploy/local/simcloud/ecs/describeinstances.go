package ecs

import (
	"iter"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeInstancesRequest holds the parameters of DescribeInstances that matter
// here.
type DescribeInstancesRequest struct {
	InstanceIds                           []string
	InstanceName                          string
	VpcId, VSwitchId, ZoneId, Status      string
	InstanceType, InstanceTypeFamily      string
	ImageId, SecurityGroupId, KeyPairName string
	ResourceGroupId, InstanceNetworkType  string
	HttpEndpoint, HttpTokens              string
	DryRun                                bool
	Tag                                   []TagParam
	NextToken                             string
	MaxResults, PageNumber, PageSize      int
	Filter1Key                            string `param:"Filter.1.Key"`
	Filter1Value                          string `param:"Filter.1.Value"`
	Filter2Key                            string `param:"Filter.2.Key"`
	Filter2Value                          string `param:"Filter.2.Value"`
}

// DescribeInstancesResponse is the answer of DescribeInstances.
type DescribeInstancesResponse struct {
	Instances instanceSet
	Listed
}

type instanceSet struct{ Instance []InstanceItem }

// limitedMatches is how many resources a list shows at most when it is filtered
// by tags or by resource group: documented for DescribeInstances. That the rest
// is left out without a word is assumed.
const limitedMatches = 1000

// DescribeInstances lists instances, 10 to 100 a page. It shows neither roles nor
// trusted modes nor disks. Ids that do not exist are left out of the answer.
func (s *Service) DescribeInstances(c *wire.Call, in *DescribeInstancesRequest) (*DescribeInstancesResponse, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	p := byToken(in.NextToken, in.MaxResults, 10, 100).byNumber(in.PageNumber, in.PageSize, 10, 100)
	sp := s.at(c)
	found, page, err := list(f.candidates(sp), p, f.match, func(i *instance) InstanceItem { return i.item(sp) })
	return &DescribeInstancesResponse{instanceSet{found}, page}, err
}

// instanceFilter is a checked DescribeInstancesRequest.
type instanceFilter struct {
	*DescribeInstancesRequest
	ids    []string // nil: any
	since  time.Time
	status status
}

func (in *DescribeInstancesRequest) filter() (*instanceFilter, error) {
	ids, err := idList(in.InstanceIds, "InvalidInstanceIds.Malformed")
	if err != nil {
		return nil, err
	}
	f := &instanceFilter{DescribeInstancesRequest: in, ids: ids}
	if in.Status != "" {
		var ok bool
		if f.status, ok = parseStatus(in.Status); !ok {
			return nil, invalid("InvalidStatus.ValueNotSupported", "The specified Status is not valid: %s.", in.Status)
		}
	}
	return f, f.readFilters()
}

// readFilters: Filter.1 is CreationStartTime as yyyy-MM-ddTHH:mmZ (documented).
// That others are ignored is assumed.
func (f *instanceFilter) readFilters() error {
	for _, kv := range [][2]string{{f.Filter1Key, f.Filter1Value}, {f.Filter2Key, f.Filter2Value}} {
		if kv[0] != "CreationStartTime" {
			continue
		}
		at, err := time.Parse("2006-01-02T15:04Z", kv[1])
		if err != nil {
			return invalid("InvalidFilterValue", "The specified filter value is not valid: %s.", kv[1])
		}
		f.since = at
	}
	return nil
}

// candidates are the rows to look at: with ids just those, in the table's order
// otherwise. The order of the cloud is not documented; a listing by tags or by
// resource group ends after limitedMatches.
func (f *instanceFilter) candidates(sp *space) rows[instance] {
	switch {
	case f.ids != nil:
		return named(f.ids, sp.instances.Get)
	case len(f.Tag) > 0 || f.ResourceGroupId != "":
		return f.limited(sp)
	default:
		return sp.instances.After
	}
}

// limited are the first of the table that match by tags or by resource group.
func (f *instanceFilter) limited(sp *space) rows[instance] {
	return func(place uint64) iter.Seq2[uint64, *instance] {
		return func(yield func(uint64, *instance) bool) {
			left := limitedMatches
			for at, i := range sp.instances.After(0) {
				if left == 0 {
					return
				}
				if !i.tags.match(f.Tag) || !same(f.ResourceGroupId, i.spec.resourceGroup) {
					continue
				}
				if left--; at > place && !yield(at, i) {
					return
				}
			}
		}
	}
}

func (f *instanceFilter) match(i *instance) bool {
	d := i.spec
	return same(f.VpcId, d.vpc) && same(f.VSwitchId, d.vswitch) && same(f.ZoneId, d.zone) &&
		(f.Status == "" || f.status == i.status) && same(f.InstanceType, d.kind.id) &&
		same(f.InstanceTypeFamily, d.kind.family.name) && same(f.ImageId, d.image.id) &&
		(f.SecurityGroupId == "" || slices.Contains(d.groups, f.SecurityGroupId)) &&
		same(f.KeyPairName, d.keyPair) && same(f.ResourceGroupId, d.resourceGroup) &&
		same(f.InstanceNetworkType, i.networkType()) && alike(f.InstanceName, i.name) &&
		same(f.HttpEndpoint, i.meta.endpoint) && same(f.HttpTokens, i.meta.tokens) &&
		i.tags.match(f.Tag) && !i.created.Before(f.since)
}

// same reports whether a filter is empty or equal.
func same(want, got string) bool { return want == "" || want == got }

// alike reports whether a name fits a pattern, in which * stands for any text. The API
// reference calls it a fuzzy search.
func alike(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return same(pattern, name)
	}
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(name, parts[0])
	for _, part := range parts[1:last] {
		if ok {
			_, rest, ok = strings.Cut(rest, part)
		}
	}
	return ok && strings.HasSuffix(rest, parts[last])
}
