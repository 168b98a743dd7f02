package ecs

import (
	"strconv"

	"fleetwarden/deploy/local/simcloud/wire"
)

// CreateInstanceRequest holds the parameters of CreateInstance that matter here.
// It has no SecurityOptions, so it cannot make a trusted instance of the seventh
// generation.
type CreateInstanceRequest struct {
	ImageId, ImageFamily, InstanceType  string
	SecurityGroupId, VSwitchId, ZoneId  string
	InstanceName, HostName, Description string
	KeyPairName, RamRoleName, UserData  string
	HttpEndpoint, HttpTokens            string
	HttpPutResponseHopLimit             int
	InstanceChargeType, ResourceGroupId string
	SecurityEnhancementStrategy         string
	DryRun, DeletionProtection          bool
	ClientToken                         string
	SystemDiskCategory                  string `param:"SystemDisk.Category"`
	SystemDiskSize                      int    `param:"SystemDisk.Size"`
	SystemDiskPerformanceLevel          string `param:"SystemDisk.PerformanceLevel"`
	DataDisk                            []DataDiskParam
	Tag                                 []TagParam
}

// CreateInstanceResponse is the answer of CreateInstance.
type CreateInstanceResponse struct{ InstanceId string }

// CreateInstance makes one instance, which is Pending and then Stopped.
func (s *Service) CreateInstance(c *wire.Call, in *CreateInstanceRequest) (*CreateInstanceResponse, error) {
	l := in.launch()
	sp, err := s.mayLaunch(c, l.Hardening)
	if err != nil {
		return nil, err
	}
	p, err := s.prepare(c, sp, l)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	return once(sp, c, in.ClientToken, in, func() (*CreateInstanceResponse, error) {
		made := s.create(sp, p, 1)
		s.launched(sp, made)
		s.step(sp, made, isCreated, nil)
		refer(c, made)
		return &CreateInstanceResponse{made[0].id}, nil
	})
}

func (in *CreateInstanceRequest) launch() *launch {
	return &launch{
		InstanceType: in.InstanceType, ImageID: in.ImageId, ImageFamily: in.ImageFamily, VSwitch: in.VSwitchId, Zone: in.ZoneId,
		Groups: groups(in.SecurityGroupId, nil), Name: in.InstanceName, HostName: in.HostName,
		Description: in.Description, KeyPair: in.KeyPairName, Role: in.RamRoleName, UserData: in.UserData,
		Hardening: in.SecurityEnhancementStrategy, HTTPEndpoint: in.HttpEndpoint, HTTPTokens: in.HttpTokens,
		HopLimit: in.HttpPutResponseHopLimit, Charge: in.InstanceChargeType, ResourceGroup: in.ResourceGroupId,
		Tags: in.Tag, Data: dataDisks(in.DataDisk), Protected: in.DeletionProtection,
		System: launchDisk{Category: in.SystemDiskCategory, Level: in.SystemDiskPerformanceLevel, Size: in.SystemDiskSize},
	}
}

func groups(one string, more []string) []string {
	if one == "" {
		return more
	}
	return append([]string{one}, more...)
}

func dataDisks(in []DataDiskParam) (out []launchDisk) {
	for _, d := range in {
		out = append(out, launchDisk{
			Category: d.Category, Level: d.PerformanceLevel, Size: d.Size, Encrypted: d.Encrypted, Key: d.KMSKeyId,
			Snapshot: d.SnapshotId, DeleteWithRelease: d.DeleteWithInstance,
		})
	}
	return out
}

// sizeOf reads SystemDisk.Size, which RunInstances takes as a string. What is no
// number counts as left out (assumed).
func sizeOf(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

func ids(ins []*instance) []string {
	out := make([]string, len(ins))
	for i, in := range ins {
		out[i] = in.id
	}
	return out
}

// refer notes what a launch made and used for its trail record.
func refer(c *wire.Call, made []*instance) {
	for _, i := range made {
		c.Refer("ACS::ECS::Instance", i.id)
		for _, d := range i.disks() {
			c.Refer("ACS::ECS::Disk", d.id)
		}
	}
	sp := made[0].spec
	c.Refer("ACS::ECS::Image", sp.image.id)
	c.Refer("ACS::VPC::VSwitch", sp.vswitch)
	c.Refer("ACS::ECS::SecurityGroup", sp.groups...)
}
