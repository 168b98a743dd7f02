package ecs

import (
	"regexp"
	"slices"
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

	// The rest is for images of an account.
	region, description string
	pending             bool // being made
	copied, community   bool
	shares              []imageShare
}

// imageShare is an account that an image is shared with by
// ModifyImageSharePermission.
type imageShare struct {
	account string
	at      time.Time
}

// mapping is a disk that an image makes.
type mapping struct {
	device, kind, snapshot string
	size                   int
	key                    string // of the snapshot; empty: not encrypted
	service                bool   // key is a service key
}

// mappingOf is the n-th disk of an image, made of a snapshot.
func mappingOf(n int, x *snapshot) mapping {
	kind := "data"
	if n == 0 {
		kind = "system"
	}
	return mapping{device: "/dev/xvd" + string(rune('a'+n)), kind: kind, snapshot: x.id, size: x.size, key: x.key, service: x.service}
}

// secured reports whether it is a trusted image for the sixth security-enhanced
// generation: published ids have "_secured_alibase_".
func (i *image) secured() bool { return strings.Contains(i.id, "_secured_alibase_") }

// alias is ImageOwnerAlias as an account sees it.
func (i *image) alias(account string) string {
	switch i.owner {
	case "":
		return "system"
	case account:
		return "self"
	}
	return "others"
}

func (i *image) resource() Resource { return Resource{ImageKind, i.owner, i.region, i.id} }

// encrypted is the first encrypted disk of an image, or nil.
func (i *image) encrypted() *mapping {
	for n := range i.mappings {
		if i.mappings[n].key != "" {
			return &i.mappings[n]
		}
	}
	return nil
}

// sharedBy reports whether ModifyImageSharePermission shares it with an account.
func (i *image) sharedBy(account string) bool {
	return slices.ContainsFunc(i.shares, func(s imageShare) bool { return s.account == account })
}

// publicImages follow the published id patterns. That secured images report
// BIOS is assumed, so that no client takes the boot mode for the trusted mark of
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
// or not, its own, or one that another account shares with it or with all. One
// that is still being made cannot be used. The caller holds the mutex.
func (s *Service) image(sp *space, id string) *image {
	if img := s.publicImage(id); img != nil {
		return img
	}
	for _, from := range s.neighbours(sp) {
		if img := from.images.Get(id); img != nil && !img.pending && (from == sp || img.community || s.shared(img, sp.account)) {
			return img
		}
	}
	return nil
}

// edition takes the id of a public image apart: what it is, and of which day.
var edition = regexp.MustCompile(`^(.+_alibase_)(\d{8})\.vhd$`)

// publicImage is a public image: one of the listed, or another edition of one. The
// vendor publishes each image again every few weeks, under an id with another date, and
// ids of all ages stand in launches and templates. An edition older than the one that is
// listed is expired, which is assumed; one of the future does not exist.
func (s *Service) publicImage(id string) *image {
	if img := s.public.Get(id); img != nil {
		return img
	}
	asked := edition.FindStringSubmatch(id)
	if asked == nil {
		return nil
	}
	day, err := time.Parse("20060102", asked[2])
	if err != nil || day.After(s.w.Clock.Now()) {
		return nil
	}
	for _, img := range s.public.After(0) {
		listed := edition.FindStringSubmatch(img.id)
		if img.expired || listed == nil || listed[1] != asked[1] {
			continue
		}
		other := *img
		other.id, other.name, other.created, other.expired = id, id, day, asked[2] < listed[2]
		return &other
	}
	return nil
}

// shared reports whether an image is shared with an account, in either way.
func (s *Service) shared(img *image, account string) bool {
	return img.sharedBy(account) || s.access.Shared(img.resource(), account)
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
		if img.family == family && !img.pending {
			found = img
		}
	}
	return found
}
