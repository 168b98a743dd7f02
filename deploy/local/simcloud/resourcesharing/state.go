package resourcesharing

import (
	"cmp"
	"slices"
)

// ShareState is a share as the world's dump shows it, without times.
type ShareState struct {
	Account   string   `json:"account"`
	Region    string   `json:"region"`
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Status    string   `json:"status"`
	External  bool     `json:"external,omitempty"`
	Resources []string `json:"resources,omitempty"` // type, id and status, sorted
	Targets   []string `json:"targets,omitempty"`   // id and status, sorted
}

// State is all shares, by account, region and id.
func (s *Service) State() any {
	s.w.Lock()
	defer s.w.Unlock()
	all := []ShareState{}
	for _, x := range s.shares.After(0) {
		all = append(all, x.state())
	}
	slices.SortFunc(all, func(a, b ShareState) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (x *share) state() ShareState {
	out := ShareState{Account: x.owner, Region: x.region, ID: x.id, Name: x.name, Status: x.status, External: x.external}
	for _, a := range x.parts {
		if a.target {
			out.Targets = append(out.Targets, a.id+" "+a.status)
		} else {
			out.Resources = append(out.Resources, a.kind+" "+a.id+" "+a.status)
		}
	}
	slices.Sort(out.Resources)
	slices.Sort(out.Targets)
	return out
}
