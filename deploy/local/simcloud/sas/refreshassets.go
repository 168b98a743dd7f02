package sas

import "fleetwarden/deploy/local/simcloud/wire"

// RefreshAssetsRequest names the kind of assets to look for again.
type RefreshAssetsRequest struct {
	AssetType string
	Vendor    int
}

// RefreshAssets makes Security Center ask ECS for the account's instances now:
// those of this moment are known a little later. Other asset types and vendors
// are none of this cloud's.
func (s *Service) RefreshAssets(c *wire.Call, in *RefreshAssetsRequest) (*Empty, error) {
	if in.AssetType != "ecs" || in.Vendor != 0 {
		return &Empty{}, nil
	}
	var found []string
	for _, region := range s.w.Regions {
		for _, m := range s.servers.Machines(c.Caller.Account, region, 0) {
			if !s.assets[m.ID()].known {
				found = append(found, m.ID())
			}
		}
	}
	s.w.After(s.delays.Refresh, func() {
		for _, id := range found {
			s.change(id, func(a *asset) { a.known = true })
		}
	})
	return &Empty{}, nil
}
