package sas

import (
	"crypto/sha256"
	"encoding/hex"
)

// State is Security Center in the world's dump.
type State struct {
	Assets []AssetState `json:"assets"`
	Codes  []CodeState  `json:"codes"`
}

// AssetState is an instance and its agent.
type AssetState struct {
	Account         string `json:"account"`
	Region          string `json:"region"`
	ID              string `json:"id"`
	Known           bool   `json:"known"`
	ClientStatus    string `json:"clientStatus"`
	ClientSubStatus string `json:"clientSubStatus"`
}

// CodeState is an install code. The code itself is a secret and does not show.
type CodeState struct {
	Account   string `json:"account"`
	OS        string `json:"os"`
	OnlyImage bool   `json:"onlyImage"`
	Digest    string `json:"digest"`
}

// State is all assets, by account, region and age, and all install codes.
func (s *Service) State() any {
	s.w.Lock()
	defer s.w.Unlock()
	out := State{Assets: []AssetState{}, Codes: []CodeState{}}
	for _, account := range s.w.Accounts {
		for _, region := range s.w.Regions {
			for _, m := range s.servers.Machines(account, region, 0) {
				a := s.assets[m.ID()]
				status, sub := a.status(m)
				out.Assets = append(out.Assets, AssetState{account, region, m.ID(), a.known, status, sub})
			}
		}
		for _, c := range s.codes[account] {
			sum := sha256.Sum256([]byte(c.captcha))
			out.Codes = append(out.Codes, CodeState{account, c.os, c.onlyImage, hex.EncodeToString(sum[:4])})
		}
	}
	return out
}

// Agent is the client status and sub-status of an instance; false if there is
// no such instance, or if it is not known yet.
func (s *Service) Agent(account, id string) (status, sub string, ok bool) {
	s.w.Lock()
	defer s.w.Unlock()
	m, found := s.servers.Machine(account, id)
	a := s.assets[id]
	if !found || !a.known {
		return "", "", false
	}
	status, sub = a.status(m)
	return status, sub, true
}
