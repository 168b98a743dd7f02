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
	if !oneOf(in.HttpEndpoint, "enabled", "disabled") {
		return nil, invalid("InvalidHttpEndpoint.ValueNotSupported", "The specified HttpEndpoint is not valid: %s.", in.HttpEndpoint)
	}
	if !oneOf(in.HttpTokens, "optional", "required") {
		return nil, invalid("InvalidHttpTokens.ValueNotSupported", "The specified HttpTokens is not valid: %s.", in.HttpTokens)
	}
	p := power{
		check: func(*instance) error { return nil },
		apply: func(_ *space, i *instance) {
			m := *i.meta
			m.endpoint = in.HttpEndpoint
			if in.HttpTokens != "" {
				m.tokens = in.HttpTokens
			}
			m.hops = cmp.Or(in.HttpPutResponseHopLimit, m.hops)
			i.meta = &m
		},
	}
	return &Empty{}, s.one(c, in.InstanceId, false, p)
}
