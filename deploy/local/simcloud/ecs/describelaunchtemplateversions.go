package ecs

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeLaunchTemplateVersionsRequest names a launch template by id or name,
// and optionally versions of it.
type DescribeLaunchTemplateVersionsRequest struct {
	LaunchTemplateId, LaunchTemplateName string
	LaunchTemplateVersion                []int64
	MinVersion, MaxVersion               int64
	DefaultVersion                       bool
	DetailFlag                           string // default true
	PageNumber, PageSize                 int
}

// DescribeLaunchTemplateVersionsResponse is the answer of
// DescribeLaunchTemplateVersions.
type DescribeLaunchTemplateVersionsResponse struct {
	LaunchTemplateVersionSets struct{ LaunchTemplateVersionSet []TemplateVersion }
	PageOf
}

// TemplateVersion is a version of a launch template.
type TemplateVersion struct {
	LaunchTemplateId, LaunchTemplateName string
	VersionNumber                        int
	DefaultVersion                       bool
	CreateTime, ModifiedTime             string
	LaunchTemplateData                   *TemplateData `json:",omitempty"`
}

// TemplateData is what a version launches. The published response has no
// SecurityOptions: a template's trusted mode cannot be read.
type TemplateData struct {
	ImageId, InstanceType, InstanceName   string
	VSwitchId, VpcId, ZoneId, NetworkType string
	SecurityGroupId                       string
	RamRoleName, UserData, KeyPairName    string
	SecurityEnhancementStrategy           string
	HttpEndpoint, HttpTokens              string
	SystemDisk                            TemplateDisk
	NetworkInterfaces                     struct{ NetworkInterface []TemplateNIC }
}

// TemplateDisk is the system disk of a version.
type TemplateDisk struct {
	Category, PerformanceLevel, Encrypted string
	Size                                  int
}

// TemplateNIC is a network interface of a version.
type TemplateNIC struct{ InstanceType, VSwitchId, SecurityGroupId string }

// DescribeLaunchTemplateVersions lists the versions of one launch template, the
// newest last (assumed).
func (s *Service) DescribeLaunchTemplateVersions(c *wire.Call, in *DescribeLaunchTemplateVersionsRequest) (*DescribeLaunchTemplateVersionsResponse, error) {
	if err := c.Allow("ecs:DescribeLaunchTemplateVersions", arn(c, "launchtemplate", "*")); err != nil {
		return nil, err
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	p := paging{}.byNumber(in.PageNumber, in.PageSize, 10, 50)
	s.w.Lock()
	defer s.w.Unlock()
	t, err := sp.template(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	all := make([]*TemplateVersion, len(t.versions))
	for i := range all {
		all[i] = t.describe(i+1, in.DetailFlag != "false")
	}
	got, err := take(these(all), p, in.match)
	if err != nil {
		return nil, err
	}
	out := &DescribeLaunchTemplateVersionsResponse{PageOf: PageOf{got.total, p.number, p.size}}
	out.LaunchTemplateVersionSets.LaunchTemplateVersionSet = []TemplateVersion{}
	for _, v := range got.rows {
		out.LaunchTemplateVersionSets.LaunchTemplateVersionSet = append(out.LaunchTemplateVersionSets.LaunchTemplateVersionSet, *v)
	}
	return out, nil
}

func (in *DescribeLaunchTemplateVersionsRequest) match(v *TemplateVersion) bool {
	n := int64(v.VersionNumber)
	return (len(in.LaunchTemplateVersion) == 0 || slices.Contains(in.LaunchTemplateVersion, n)) &&
		n >= in.MinVersion && (in.MaxVersion == 0 || n <= in.MaxVersion) && (!in.DefaultVersion || v.DefaultVersion)
}

func (t *template) describe(n int, detail bool) *TemplateVersion {
	v := &TemplateVersion{
		LaunchTemplateId: t.id, LaunchTemplateName: t.name, VersionNumber: n, DefaultVersion: n == t.preferred,
		CreateTime: cloudTime(t.created), ModifiedTime: cloudTime(t.created),
	}
	if !detail {
		return v
	}
	l := t.versions[n-1]
	v.LaunchTemplateData = &TemplateData{
		ImageId: l.ImageID, InstanceType: l.InstanceType, InstanceName: l.Name, VSwitchId: l.VSwitch, ZoneId: l.Zone,
		VpcId: localVPC, NetworkType: "vpc", RamRoleName: l.Role, UserData: l.UserData, KeyPairName: l.KeyPair,
		SecurityEnhancementStrategy: l.Hardening, HttpEndpoint: l.HTTPEndpoint, HttpTokens: l.HTTPTokens,
		SystemDisk: TemplateDisk{l.System.Category, l.System.Level, l.System.Encrypted, l.System.Size},
	}
	if len(l.Groups) > 0 {
		v.LaunchTemplateData.SecurityGroupId = l.Groups[0]
	}
	nics := &v.LaunchTemplateData.NetworkInterfaces
	nics.NetworkInterface = []TemplateNIC{}
	for _, nic := range l.NICs {
		x := TemplateNIC{InstanceType: nic.InstanceType, VSwitchId: nic.VSwitch}
		if len(nic.Groups) > 0 {
			x.SecurityGroupId = nic.Groups[0]
		}
		nics.NetworkInterface = append(nics.NetworkInterface, x)
	}
	return v
}
