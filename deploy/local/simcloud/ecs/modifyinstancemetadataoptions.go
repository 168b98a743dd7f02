package ecs

import (
	"cmp"

	"fleetwarden/deploy/local/simcloud/wire"
)

// ModifyInstanceMetadataOptionsRequest says how an instance's metadata service
// may be asked. HttpEndpoint is required.
type ModifyInstanceMetadataOptionsRequest struct {
	InstanceId, HttpEndpoint, HttpTokens string
	HttpPutResponseHopLimit              int
}

// ModifyInstanceMetadataOptions changes the metadata options. What is left out
// stays as it is (assumed).
func (s *Service) ModifyInstanceMetadataOptions(c *wire.Call, in *ModifyInstanceMetadataOptionsRequest) (*Empty, error) {
	if err := cmp.Or(checkEndpoint(in.HttpEndpoint), checkTokens(in.HttpTokens)); err != nil {
		return nil, err
	}
	p := power{
		check: func(*instance) error { return nil },
		apply: func(_ *space, i *instance) {
			m := *i.meta
			m.endpoint, m.tokens = in.HttpEndpoint, cmp.Or(in.HttpTokens, m.tokens)
			m.hops = cmp.Or(in.HttpPutResponseHopLimit, m.hops)
			i.meta = &m
		},
	}
	return &Empty{}, s.one(c, in.InstanceId, false, p)
}
