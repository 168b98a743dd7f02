package ecs

import (
	"slices"

	"fleetwarden/deploy/local/simcloud"
)

// SnapshotState is a snapshot as the world's dump shows it.
type SnapshotState struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	ID      string `json:"id"`
	Key     string `json:"key,omitempty"`
	Service bool   `json:"service,omitempty"` // Key is a service key
	Ready   bool   `json:"ready"`
}

// ImageState is an image of an account as the world's dump shows it.
type ImageState struct {
	Account    string   `json:"account"`
	Region     string   `json:"region"`
	ID         string   `json:"id"`
	Snapshots  []string `json:"snapshots"`
	Encrypted  bool     `json:"encrypted"`
	Available  bool     `json:"available"`
	Community  bool     `json:"community,omitempty"`
	SharedWith []string `json:"sharedWith,omitempty"` // by ModifyImageSharePermission, sorted
}

// Snapshots is all snapshots, by account, region and age, without times.
func (s *Service) Snapshots() any {
	return collect(s, func(sp *space) *simcloud.Table[snapshot] { return &sp.snapshots }, func(x *snapshot, _ *space) SnapshotState {
		return SnapshotState{x.owner, x.region, x.id, x.key, x.service, x.ready}
	})
}

// Images is all accounts' own images, by account, region and age, without times.
func (s *Service) Images() any {
	return collect(s, func(sp *space) *simcloud.Table[image] { return &sp.images }, (*image).state)
}

func (i *image) state(*space) ImageState {
	out := ImageState{
		Account: i.owner, Region: i.region, ID: i.id, Encrypted: i.encrypted() != nil, Available: !i.pending, Community: i.community,
	}
	for _, m := range i.mappings {
		out.Snapshots = append(out.Snapshots, m.snapshot)
	}
	for _, x := range i.shares {
		out.SharedWith = append(out.SharedWith, x.account)
	}
	slices.Sort(out.SharedWith)
	return out
}

// Found is an image or a snapshot, and what guards it.
type Found struct {
	Resource
	Key string // empty: not encrypted
	// Accounts are those that an image is shared with by
	// ModifyImageSharePermission; Community: with all.
	Accounts  []string
	Community bool
}

// Find finds an image or snapshot of any account in a region. The caller holds
// the world's mutex.
func (s *Service) Find(region, id string) (Found, bool) {
	for _, a := range s.w.Accounts {
		sp := s.spaces[where{a, region}]
		if sp == nil {
			continue
		}
		if x := sp.snapshots.Get(id); x != nil {
			return Found{Resource: x.resource(), Key: x.key}, true
		}
		if i := sp.images.Get(id); i != nil {
			return i.found(), true
		}
	}
	return Found{}, false
}

func (i *image) found() Found {
	out := Found{Resource: i.resource(), Community: i.community}
	if m := i.encrypted(); m != nil {
		out.Key = m.key
	}
	for _, x := range i.shares {
		out.Accounts = append(out.Accounts, x.account)
	}
	return out
}
