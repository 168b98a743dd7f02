package resourcesharing

import (
	"fleetwarden/deploy/local/simcloud/meta"
	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeRegionsRequest is empty: the language of names changes nothing here.
type DescribeRegionsRequest struct{}

// DescribeRegionsResponse is the answer of DescribeRegions.
type DescribeRegionsResponse struct{ Regions []RegionItem }

// RegionItem is a region where Resource Sharing is served.
type RegionItem struct{ RegionId, LocalName, RegionEndpoint string }

// DescribeRegions lists the world's regions where Resource Sharing is served. Its page
// names no action for RAM; that it asks for resourcesharing:DescribeRegions is assumed.
func (s *Service) DescribeRegions(c *wire.Call, _ *DescribeRegionsRequest) (*DescribeRegionsResponse, error) {
	out := &DescribeRegionsResponse{Regions: []RegionItem{}}
	for _, r := range s.w.Regions {
		if !meta.Absent("resourcesharing", r) && s.w.Lists("resourcesharing", r) {
			out.Regions = append(out.Regions, RegionItem{r, r, "resourcesharing." + r + ".aliyuncs.com"})
		}
	}
	return out, nil
}
