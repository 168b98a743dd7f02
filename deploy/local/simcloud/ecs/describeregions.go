package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DescribeRegionsRequest is empty: what the API takes changes nothing here.
type DescribeRegionsRequest struct{}

// DescribeRegionsResponse is the answer of DescribeRegions.
type DescribeRegionsResponse struct {
	Regions struct{ Region []RegionItem }
}

// RegionItem is a region.
type RegionItem struct{ RegionId, LocalName, RegionEndpoint, Status string }

// DescribeRegions lists the world's regions. Its resource in RAM is * (assumed).
func (s *Service) DescribeRegions(c *wire.Call, _ *DescribeRegionsRequest) (*DescribeRegionsResponse, error) {
	if err := c.Allow("ecs:DescribeRegions", "*"); err != nil {
		return nil, err
	}
	out := &DescribeRegionsResponse{}
	for _, r := range s.w.Regions {
		if !s.w.Lists("ecs", r) {
			continue
		}
		out.Regions.Region = append(out.Regions.Region, RegionItem{r, r, "ecs." + r + ".aliyuncs.com", "available"})
	}
	return out, nil
}
