package ecs

// InstanceItem is an instance as DescribeInstances shows it.
type InstanceItem struct {
	InstanceId, InstanceName, HostName, Description string
	RegionId, ZoneId, Status, StoppedMode           string
	InstanceType, InstanceTypeFamily, ImageId       string
	OSType, OSName, OSNameEn                        string
	InstanceNetworkType, InstanceChargeType         string
	KeyPairName, ResourceGroupId                    string
	CreationTime, StartTime                         string
	Cpu, Memory                                     int // Memory in MiB
	IoOptimized, DeviceAvailable                    bool
	DeletionProtection                              bool
	Tags                                            TagSet
	VpcAttributes                                   VpcAttributes
	InnerIpAddress, PublicIpAddress                 IPSet
	SecurityGroupIds                                GroupSet
	OperationLocks                                  struct{ LockReason []struct{} }
	MetadataOptions                                 MetadataOptions
}

// VpcAttributes is where an instance is in its VPC; empty on the classic network.
type VpcAttributes struct {
	VpcId, VSwitchId, NatIpAddress string
	PrivateIpAddress               IPSet
}

// IPSet is a list of addresses.
type IPSet struct{ IpAddress []string }

// GroupSet is a list of security groups.
type GroupSet struct{ SecurityGroupId []string }

// MetadataOptions is how the metadata service may be asked.
type MetadataOptions struct {
	HttpEndpoint, HttpTokens string
	HttpPutResponseHopLimit  int
}

func (i *instance) item(sp *space) InstanceItem {
	d := i.spec
	item := InstanceItem{
		InstanceId: i.id, InstanceName: i.name, HostName: d.hostName, Description: d.description,
		RegionId: sp.region, ZoneId: d.zone, Status: i.status.String(), StoppedMode: i.mode.String(),
		InstanceType: d.kind.id, InstanceTypeFamily: d.kind.family.name, ImageId: d.image.id,
		OSType: d.image.os, OSName: d.image.osName, OSNameEn: d.image.osName,
		InstanceNetworkType: i.networkType(), InstanceChargeType: d.charge, KeyPairName: d.keyPair,
		ResourceGroupId: d.resourceGroup, CreationTime: cloudTime(i.created), StartTime: cloudTime(i.startTime()),
		Cpu: d.kind.cpus, Memory: int(d.kind.memory * 1024), IoOptimized: true, DeviceAvailable: true,
		DeletionProtection: d.protected, Tags: i.tags.response(), VpcAttributes: i.vpc(), SecurityGroupIds: GroupSet{d.groups},
		InnerIpAddress: IPSet{[]string{}}, PublicIpAddress: IPSet{[]string{}},
		MetadataOptions: MetadataOptions{i.meta.endpoint, i.meta.tokens, i.meta.hops},
	}
	if d.classic {
		item.InnerIpAddress.IpAddress = []string{i.address()}
	}
	item.OperationLocks.LockReason = []struct{}{}
	return item
}

func (i *instance) vpc() VpcAttributes {
	if i.spec.classic {
		return VpcAttributes{PrivateIpAddress: IPSet{[]string{}}}
	}
	return VpcAttributes{VpcId: i.spec.vpc, VSwitchId: i.spec.vswitch, PrivateIpAddress: IPSet{[]string{i.address()}}}
}
