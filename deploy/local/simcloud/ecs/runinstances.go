package ecs

import (
	"cmp"

	"fleetwarden/deploy/local/simcloud/wire"
)

// RunInstancesRequest holds the parameters of RunInstances that matter here.
type RunInstancesRequest struct {
	ImageId, ImageFamily, InstanceType   string
	SecurityGroupId, VSwitchId, ZoneId   string
	SecurityGroupIds                     []string
	InstanceName, HostName, Description  string
	KeyPairName, RamRoleName, UserData   string
	HttpEndpoint, HttpTokens             string
	HttpPutResponseHopLimit              int
	InstanceChargeType, ResourceGroupId  string
	SecurityEnhancementStrategy          string
	LaunchTemplateId, LaunchTemplateName string
	LaunchTemplateVersion                int64
	Amount, MinAmount                    int
	UniqueSuffix, DeletionProtection     bool
	DryRun                               bool
	ClientToken                          string
	TrustedSystemMode                    string `param:"SecurityOptions.TrustedSystemMode"`
	ConfidentialComputingMode            string `param:"SecurityOptions.ConfidentialComputingMode"`
	SystemDiskCategory                   string `param:"SystemDisk.Category"`
	SystemDiskSize                       string `param:"SystemDisk.Size"`
	SystemDiskPerformanceLevel           string `param:"SystemDisk.PerformanceLevel"`
	SystemDiskEncrypted                  string `param:"SystemDisk.Encrypted"`
	SystemDiskKMSKeyId                   string `param:"SystemDisk.KMSKeyId"`
	DataDisk                             []DataDiskParam
	NetworkInterface                     []NetworkInterfaceParam
	Tag                                  []TagParam
}

// DataDiskParam is DataDisk.N of a request.
type DataDiskParam struct {
	Category, PerformanceLevel string
	Size                       int
	Encrypted, KMSKeyId        string
	SnapshotId                 string
	DeleteWithInstance         string
}

// NetworkInterfaceParam is NetworkInterface.N of a request.
type NetworkInterfaceParam struct {
	InstanceType, VSwitchId, SecurityGroupId string
	SecurityGroupIds                         []string
}

// RunInstancesResponse is the answer of RunInstances.
type RunInstancesResponse struct {
	InstanceIdSets struct{ InstanceIdSet []string }
}

// RunInstances launches 1 to 100 instances and starts them. With DryRun a pass
// is reported as the error DryRunOperation.
func (s *Service) RunInstances(c *wire.Call, in *RunInstancesRequest) (*RunInstancesResponse, error) {
	l := in.launch()
	sp, err := s.mayLaunch(c, l.Hardening)
	if err != nil {
		return nil, err
	}
	if err := s.fillFrom(sp, l, in); err != nil {
		return nil, err
	}
	amount, err := amountOf(in)
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
	return once(sp, c, in.ClientToken, in, func() (*RunInstancesResponse, error) {
		made := s.create(sp, p, amount)
		s.boot(sp, made)
		refer(c, made)
		out := &RunInstancesResponse{}
		out.InstanceIdSets.InstanceIdSet = ids(made)
		return out, nil
	})
}

// mayLaunch is the call's space, after it has asked for a launch with the condition key that guards of hardening
// use. A request that omits the strategy has no such key, so a Deny on Deactive
// does not catch it; nor does it catch a launch template (assumed).
func (s *Service) mayLaunch(c *wire.Call, hardening string) (*space, error) {
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	conditions := map[string]string{}
	if hardening != "" {
		conditions["ecs:SecurityEnhancementStrategy"] = hardening
	}
	return sp, c.Authorize("ecs:"+c.Action, arn(c, "instance", "*"), conditions)
}

// amountOf: 1 to 100 (documented; the code is assumed).
func amountOf(in *RunInstancesRequest) (int, error) {
	amount := cmp.Or(in.Amount, max(in.MinAmount, 1))
	if amount < 1 || amount > 100 || in.MinAmount < 0 || in.MinAmount > amount {
		return 0, invalid("InvalidParameter.Amount", "The specified Amount is not valid: it must be 1 to 100 and not less than MinAmount.")
	}
	return amount, nil
}

func (in *RunInstancesRequest) launch() *launch {
	l := &launch{
		InstanceType: in.InstanceType, ImageID: in.ImageId, ImageFamily: in.ImageFamily, VSwitch: in.VSwitchId, Zone: in.ZoneId,
		Groups: groups(in.SecurityGroupId, in.SecurityGroupIds), Name: in.InstanceName, HostName: in.HostName,
		Description: in.Description, KeyPair: in.KeyPairName, Role: in.RamRoleName, UserData: in.UserData,
		TrustedMode: in.TrustedSystemMode, Confidential: in.ConfidentialComputingMode, Hardening: in.SecurityEnhancementStrategy,
		HTTPEndpoint: in.HttpEndpoint, HTTPTokens: in.HttpTokens, HopLimit: in.HttpPutResponseHopLimit,
		Charge: in.InstanceChargeType, ResourceGroup: in.ResourceGroupId, Tags: in.Tag,
		Data: dataDisks(in.DataDisk), Protected: in.DeletionProtection, Unique: in.UniqueSuffix,
		System: launchDisk{
			Category: in.SystemDiskCategory, Level: in.SystemDiskPerformanceLevel, Size: sizeOf(in.SystemDiskSize),
			Encrypted: in.SystemDiskEncrypted, Key: in.SystemDiskKMSKeyId,
		},
	}
	for _, n := range in.NetworkInterface {
		l.NICs = append(l.NICs, launchNIC{n.InstanceType, n.VSwitchId, groups(n.SecurityGroupId, n.SecurityGroupIds)})
	}
	return l
}
