package ecs

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeInstanceTypesRequest holds the parameters of DescribeInstanceTypes
// that matter here.
type DescribeInstanceTypesRequest struct {
	InstanceTypes      []string // up to 10
	InstanceTypeFamily string
	CpuArchitecture    string
	NextToken          string
	MaxResults         int
}

// DescribeInstanceTypesResponse is the answer of DescribeInstanceTypes.
type DescribeInstanceTypesResponse struct {
	InstanceTypes struct{ InstanceType []InstanceTypeItem }
	NextToken     string
}

// InstanceTypeItem is an instance type. No field says whether it can be trusted.
type InstanceTypeItem struct {
	InstanceTypeId, InstanceTypeFamily, CpuArchitecture, NvmeSupport string
	CpuCoreCount                                                     int
	MemorySize                                                       float64 // GiB
	SupportedBootModes                                               struct{ SupportedBootMode []string }
}

// DescribeInstanceTypes lists instance types, up to 100 a page; without a
// NextToken it is the first page only.
func (s *Service) DescribeInstanceTypes(c *wire.Call, in *DescribeInstanceTypesRequest) (*DescribeInstanceTypesResponse, error) {
	if err := c.Allow("ecs:DescribeInstanceTypes", "*"); err != nil {
		return nil, err
	}
	if len(in.InstanceTypes) > 10 {
		return nil, tooMany("InstanceTypes", 10)
	}
	from := these(instanceTypes)
	got, err := take(from, byToken(in.NextToken, firstOf(in.MaxResults, 100), 100), in.match)
	if err != nil {
		return nil, err
	}
	out := &DescribeInstanceTypesResponse{NextToken: got.next}
	out.InstanceTypes.InstanceType = make([]InstanceTypeItem, len(got.rows))
	for i, t := range got.rows {
		it := &out.InstanceTypes.InstanceType[i]
		*it = InstanceTypeItem{
			InstanceTypeId: t.id, InstanceTypeFamily: t.family.name, CpuArchitecture: t.family.arch,
			NvmeSupport: "unsupported", CpuCoreCount: t.cpus, MemorySize: t.memory,
		}
		it.SupportedBootModes.SupportedBootMode = t.family.boot
	}
	return out, nil
}

func (in *DescribeInstanceTypesRequest) match(t *instanceType) bool {
	return (len(in.InstanceTypes) == 0 || slices.Contains(in.InstanceTypes, t.id)) &&
		same(in.InstanceTypeFamily, t.family.name) && same(in.CpuArchitecture, t.family.arch)
}
