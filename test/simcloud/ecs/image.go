package ecs

import (
	"strings"
	"time"
)

// image is a public image, or an account's own.
type image struct {
	id, name, family string
	owner            string // account; empty for a public image
	os               string // linux or windows
	osName, platform string
	arch             string // x86_64 or arm64
	boot             string // BIOS, UEFI or UEFI-Preferred
	size             int    // GiB
	expired          bool
	created          time.Time
	tags             tags
	mappings         []mapping
}

// mapping is a disk that an image makes.
type mapping struct {
	device, kind, snapshot string
	size                   int
	encrypted              bool
}

// secured reports whether it is a trusted image for the sixth security-enhanced
// generation: published ids have "_secured_alibase_".
func (i *image) secured() bool { return strings.Contains(i.id, "_secured_alibase_") }

// alias is ImageOwnerAlias.
func (i *image) alias() string {
	if i.owner == "" {
		return "system"
	}
	return "self"
}

// publicImages follow the published id patterns. That secured images report
// BIOS is assumed, so that nobody takes the boot mode for the trusted mark of
// the sixth generation; the dates are examples.
var publicImages = []image{
	public("aliyun_2_1903_x64_20G_uefi_alibase_20230103.vhd", "Alibaba Cloud Linux  2.1903 LTS 64 bit UEFI", "Aliyun", "UEFI", 20),
	public("aliyun_3_x64_20G_uefi_alibase_20230727.vhd", "Alibaba Cloud Linux  3.2104 LTS 64 bit UEFI", "Aliyun", "UEFI", 20),
	public("aliyun_3_x64_20G_alibase_20240528.vhd", "Alibaba Cloud Linux  3.2104 LTS 64 bit", "Aliyun", "UEFI-Preferred", 20),
	public("aliyun_2_1903_x64_20G_secured_alibase_20210120.vhd", "Alibaba Cloud Linux  2.1903 64 bit trusted", "Aliyun", "BIOS", 20),
	public("centos_7_8_x64_20G_secured_alibase_20210120.vhd", "CentOS  7.8 64 bit trusted", "CentOS", "BIOS", 20),
	public("aliyun_2_1903_x64_20G_alibase_20230103.vhd", "Alibaba Cloud Linux  2.1903 LTS 64 bit", "Aliyun", "BIOS", 20),
	public("centos_7_9_x64_20G_alibase_20230816.vhd", "CentOS  7.9 64 bit", "CentOS", "BIOS", 20),
	public("ubuntu_22_04_x64_20G_alibase_20230907.vhd", "Ubuntu  22.04 64 bit", "Ubuntu", "UEFI-Preferred", 20),
	arm(public("aliyun_3_arm64_20G_alibase_20230731.vhd", "Alibaba Cloud Linux  3.2104 LTS 64 bit ARM", "Aliyun", "UEFI", 20)),
	windows(public("win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "Windows Server  2019 Datacenter 64 bit Chinese", "Windows Server 2019", "BIOS", 40)),
	expired(public("aliyun_2_1903_x64_20G_uefi_alibase_20200529.vhd", "Alibaba Cloud Linux  2.1903 LTS 64 bit UEFI", "Aliyun", "UEFI", 20)),
}

func public(id, osName, platform, boot string, size int) image {
	return image{
		id: id, name: id, os: "linux", osName: osName, platform: platform, arch: "x86_64", boot: boot, size: size,
		family:   "acs:" + strings.ToLower(strings.Join(strings.SplitN(id, "_", 4)[:3], "_")),
		created:  time.Date(2023, 9, 7, 2, 4, 0, 0, time.UTC),
		mappings: []mapping{{device: "/dev/xvda", kind: "system", size: size}},
	}
}

func arm(i image) image     { i.arch = "arm64"; return i }
func windows(i image) image { i.os = "windows"; return i }
func expired(i image) image { i.expired = true; return i }

// image finds an image that the space's account can use: a public one, expired
// or not, or its own. The caller holds the mutex.
func (s *Service) image(sp *space, id string) *image {
	if img := sp.images.Get(id); img != nil {
		return img
	}
	return s.public.Get(id)
}

// newest is the image of a family that was added last, or nil. Expired ones do
// not count. The caller holds the mutex.
func (s *Service) newest(sp *space, family string) (found *image) {
	for _, img := range s.public.After(0) {
		if img.family == family && !img.expired {
			found = img
		}
	}
	for _, img := range sp.images.After(0) {
		if img.family == family {
			found = img
		}
	}
	return found
}
