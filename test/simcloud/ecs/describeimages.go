package ecs

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"fleetwarden/test/simcloud/wire"
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
	Images   struct{ Image []ImageItem }
	RegionId string
	PageOf
}

// ImageItem is an image as DescribeImages shows it. It says nothing of vTPM and
// names no key.
type ImageItem struct {
	ImageId, ImageName, ImageFamily, ImageOwnerAlias string
	OSType, OSName, OSNameEn, Platform, Architecture string
	BootMode, Status, Usage, CreationTime            string
	IsSelfShared                                     string
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
	if err := c.Allow("ecs:DescribeImages", arn(c, "image", "*")); err != nil {
		return nil, err
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	p := paging{}.byNumber(in.PageNumber, in.PageSize, 10, 100)
	s.w.Lock()
	defer s.w.Unlock()
	got, err := take(s.images(sp), p, in.match)
	if err != nil {
		return nil, err
	}
	out := &DescribeImagesResponse{RegionId: sp.region, PageOf: PageOf{got.total, p.number, p.size}}
	out.Images.Image = []ImageItem{}
	for _, img := range got.rows {
		out.Images.Image = append(out.Images.Image, img.item())
	}
	return out, nil
}

// images are the public images and then the account's own.
func (s *Service) images(sp *space) rows[image] {
	return func(uint64) iter.Seq2[uint64, *image] {
		return func(yield func(uint64, *image) bool) {
			for _, t := range []rows[image]{s.public.After, sp.images.After} {
				for at, img := range t(0) {
					if !yield(at, img) {
						return
					}
				}
			}
		}
	}
}

func (in *DescribeImagesRequest) match(img *image) bool {
	kind := typeOf(in.InstanceType)
	return (in.ImageId == "" || slices.Contains(strings.Split(in.ImageId, ","), img.id)) &&
		same(in.ImageName, img.name) && same(in.ImageFamily, img.family) && same(in.ImageOwnerAlias, img.alias()) &&
		(in.InstanceType == "" || (kind != nil && kind.family.runs(img))) &&
		same(in.Architecture, img.arch) && same(in.OSType, img.os) && img.tags.match(in.Tag) &&
		(in.SnapshotId == "" || slices.ContainsFunc(img.mappings, func(m mapping) bool { return m.snapshot == in.SnapshotId })) &&
		(in.Status == "" || slices.Contains(strings.Split(in.Status, ","), "Available")) &&
		(in.ShowExpired || !img.expired)
}

func (i *image) item() ImageItem {
	it := ImageItem{
		ImageId: i.id, ImageName: i.name, ImageFamily: i.family, ImageOwnerAlias: i.alias(), OSType: i.os,
		OSName: i.osName, OSNameEn: i.osName, Platform: i.platform, Architecture: i.arch, BootMode: i.boot,
		Status: "Available", Usage: "instance", CreationTime: i.created.UTC().Format("2006-01-02T15:04:05Z"),
		Size: i.size, Progress: "100%", IsPublic: i.owner == "", IsSupportCloudinit: true, IsSupportIoOptimized: true,
		Tags: i.tags.response(),
	}
	it.Features.NvmeSupport, it.Features.ImdsSupport = "supported", "v2"
	it.DiskDeviceMappings.DiskDeviceMapping = []MappingItem{}
	for _, m := range i.mappings {
		it.DiskDeviceMappings.DiskDeviceMapping = append(it.DiskDeviceMappings.DiskDeviceMapping, MappingItem{
			Device: m.device, Type: m.kind, SnapshotId: m.snapshot, Encrypted: fmt.Sprint(m.encrypted), Size: fmt.Sprint(m.size),
		})
	}
	return it
}
