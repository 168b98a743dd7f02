package sas

import "fleetwarden/deploy/local/simcloud/wire"

// DescribeVersionConfigRequest has no parameters that matter here.
type DescribeVersionConfigRequest struct{ ResourceDirectoryAccountId int64 }

// VersionConfig is the edition that an account has: 1 is Basic, which is free.
type VersionConfig struct {
	Version     int
	InstanceId  string
	IsPaidUser  bool
	ReleaseTime int64
}

// edition is the edition that every account has in this cloud: Enterprise, as the SDK's field
// Version numbers it. Agents are installed whatever the edition.
const edition = 3

// DescribeVersionConfig shows the edition.
func (s *Service) DescribeVersionConfig(_ *wire.Call, _ *DescribeVersionConfigRequest) (*VersionConfig, error) {
	return &VersionConfig{Version: edition, InstanceId: "sas-local", IsPaidUser: true}, nil
}
