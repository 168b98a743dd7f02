package ecs

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// DescribeImagesRequest holds the parameters of DescribeImages that matter here.
type DescribeImagesRequest struct {
	ImageId              string // comma-separated, not JSON
	ImageName            string
	ImageFamily          string
	ImageOwnerAlias      string
	InstanceType         string
	Architecture, OSType string
	SnapshotId, Status   string
	ShowExpired          bool
	DryRun               bool
	Tag                  []TagParam
	PageNumber, PageSize int
}

// DescribeImagesResponse is the answer of DescribeImages.
type DescribeImagesResponse struct {
	Images   imageSet
	RegionId string
	PageOf
}

type imageSet struct{ Image []ImageItem }

// ImageItem is an image as DescribeImages shows it. It says nothing of vTPM and
// names no key.
type ImageItem struct {
	ImageId, ImageName, ImageFamily, ImageOwnerAlias string
	OSType, OSName, OSNameEn, Platform, Architecture string
	BootMode, Status, Usage, CreationTime            string
	IsSelfShared, Description                        string
	Size                                             int
	Progress                                         string
	IsPublic, IsSubscribed, IsCopied                 bool
	IsSupportCloudinit, IsSupportIoOptimized         bool
	Features                                         struct{ NvmeSupport, ImdsSupport string }
	DiskDeviceMappings                               struct{ DiskDeviceMapping []MappingItem }
	Tags                                             TagSet
}

// MappingItem is a disk of an image. Encrypted and Size are strings.
type MappingItem struct {
	Device, Type, SnapshotId, Encrypted, Size, Format, Progress string
}

// DescribeImages lists the public images and the account's own, up to 100 a
// page. Expired public images are shown only with ShowExpired.
func (s *Service) DescribeImages(c *wire.Call, in *DescribeImagesRequest) (*DescribeImagesResponse, error) {
	if in.DryRun {
		return nil, dryRun()
	}
	p := paging{}.byNumber(in.PageNumber, in.PageSize, 10, 100)
	sp := s.at(c)
	found, page, err := list(s.images(sp, strings.Split(in.ImageId, ",")), p, func(img *image) bool { return in.match(img, sp.account) },
		func(img *image) ImageItem { return s.imageItem(img, sp.account) })
	return &DescribeImagesResponse{imageSet{found}, sp.region, page.PageOf}, err
}

// images are the public images, other editions of them that are named, the account's own
// images, and those shared with it. Community images of others are left out.
func (s *Service) images(sp *space, named []string) rows[image] {
	return func(uint64) iter.Seq2[uint64, *image] {
		return func(yield func(uint64, *image) bool) {
			for at, img := range s.public.After(0) {
				if !yield(at, img) {
					return
				}
			}
			for _, id := range unique(named) {
				if img := s.publicImage(id); img != nil && s.public.Get(id) == nil && !yield(0, img) {
					return
				}
			}
			for _, from := range s.neighbours(sp) {
				for at, img := range from.images.After(0) {
					if (from == sp || s.shared(img, sp.account)) && !yield(at, img) {
						return
					}
				}
			}
		}
	}
}

func (in *DescribeImagesRequest) match(img *image, account string) bool {
	kind := typeOf(in.InstanceType)
	return (in.ImageId == "" || slices.Contains(strings.Split(in.ImageId, ","), img.id)) &&
		alike(in.ImageName, img.name) && same(in.ImageFamily, img.family) && same(in.ImageOwnerAlias, img.alias(account)) &&
		(in.InstanceType == "" || (kind != nil && kind.family.runs(img))) &&
		same(in.Architecture, img.arch) && same(in.OSType, img.os) && img.tags.match(in.Tag) &&
		(in.SnapshotId == "" || slices.ContainsFunc(img.mappings, func(m mapping) bool { return m.snapshot == in.SnapshotId })) &&
		slices.Contains(strings.Split(cmp.Or(in.Status, "Available"), ","), img.status()) &&
		(in.ShowExpired || !img.expired)
}

func (i *image) status() string {
	if i.pending {
		return "Creating"
	}
	return "Available"
}

// imageItem is an image as an account sees it. The caller holds the mutex.
func (s *Service) imageItem(i *image, account string) ImageItem {
	it := ImageItem{
		ImageId: i.id, ImageName: i.name, ImageFamily: i.family, ImageOwnerAlias: i.alias(account), OSType: i.os,
		OSName: i.osName, OSNameEn: i.osName, Platform: i.platform, Architecture: i.arch, BootMode: i.boot,
		Description: i.description, Status: i.status(), Usage: "instance", CreationTime: i.created.UTC().Format("2006-01-02T15:04:05Z"),
		Size: i.size, Progress: "100%", IsPublic: i.owner == "" || i.community, IsCopied: i.copied, IsSupportCloudinit: true, IsSupportIoOptimized: true,
		Tags: i.tags.response(),
	}
	if i.owner == account {
		it.IsSelfShared = fmt.Sprint(len(i.shares) > 0 || s.access.SharedAtAll(i.resource()))
	}
	it.Features.NvmeSupport, it.Features.ImdsSupport = "supported", "v2"
	it.DiskDeviceMappings.DiskDeviceMapping = []MappingItem{}
	for _, m := range i.mappings {
		it.DiskDeviceMappings.DiskDeviceMapping = append(it.DiskDeviceMappings.DiskDeviceMapping, MappingItem{
			Device: m.device, Type: m.kind, SnapshotId: m.snapshot, Encrypted: fmt.Sprint(m.key != ""), Size: fmt.Sprint(m.size),
		})
	}
	return it
}
