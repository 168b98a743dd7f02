package ecs

import "fleetwarden/deploy/local/simcloud"

// InstanceState is an instance with all that its APIs show in different places,
// and what no API shows.
type InstanceState struct {
	Account      string            `json:"account"`
	Region       string            `json:"region"`
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Status       string            `json:"status"`
	StoppedMode  string            `json:"stoppedMode"`
	InstanceType string            `json:"instanceType"`
	Family       string            `json:"family"`
	Image        string            `json:"image"`
	OS           string            `json:"os"`
	Network      string            `json:"network"`
	Role         string            `json:"role"`
	DiskCategory string            `json:"diskCategory"` // of the system disk; empty for none
	HTTPTokens   string            `json:"httpTokens"`
	Hardening    string            `json:"hardening"`
	UserData     string            `json:"userData,omitempty"`
	Assistant    string            `json:"assistant"` // Cloud Assistant: running, silent or absent
	TrustClient  bool              `json:"trustClient,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`
}

// State is all instances, by account, region and age: the world's dump, and, as it
// holds no times, its digest.
func (s *Service) State() any { return s.Instances() }

// Instances is all instances, by account, region and age.
func (s *Service) Instances() []InstanceState {
	return collect(s, func(sp *space) *simcloud.Table[instance] { return &sp.instances }, (*instance).state)
}

// collect is the state of all rows of a table, by account, region and age.
func collect[T, S any](s *Service, table func(*space) *simcloud.Table[T], state func(*T, *space) S) []S {
	s.w.Lock()
	defer s.w.Unlock()
	all := []S{}
	for _, account := range s.w.Accounts {
		for _, region := range s.w.Regions {
			sp := s.spaces[where{account, region}]
			for _, row := range table(sp).After(0) {
				all = append(all, state(row, sp))
			}
		}
	}
	return all
}

// Instance is one instance; false if there is none.
func (s *Service) Instance(account, region, id string) (InstanceState, bool) {
	s.w.Lock()
	defer s.w.Unlock()
	m, ok := s.find(account, []string{region}, id)
	if !ok {
		return InstanceState{}, false
	}
	return m.i.state(m.sp), true
}

func (i *instance) state(sp *space) InstanceState {
	d := i.spec
	out := InstanceState{
		Account: sp.account, Region: sp.region, ID: i.id, Name: i.name, Status: i.status.String(), StoppedMode: i.mode.String(),
		InstanceType: d.kind.id, Family: d.kind.family.name, Image: d.image.id, OS: d.image.os, Network: i.networkType(),
		Role: i.role, HTTPTokens: i.meta.tokens, Hardening: d.hardening, UserData: d.userData,
		Assistant: i.guest.assistant.String(), TrustClient: i.trustClient,
	}
	if i.system != nil {
		out.DiskCategory = i.system.spec.category
	}
	if len(i.tags) > 0 {
		out.Tags = make(map[string]string, len(i.tags))
	}
	for _, t := range i.tags {
		out.Tags[t.key] = t.value
	}
	return out
}
