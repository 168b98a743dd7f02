package ecs

import (
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// CreateImageRequest holds the parameters of CreateImage that matter here.
type CreateImageRequest struct {
	InstanceId, SnapshotId              string
	ImageName, ImageFamily, Description string
	BootMode, ClientToken               string
	DryRun                              bool
	DiskDeviceMapping                   []ImageDiskParam
	Tag                                 []TagParam
}

// ImageDiskParam is DiskDeviceMapping.N of CreateImage.
type ImageDiskParam struct {
	Device, DiskType, SnapshotId string
	Size                         int
}

// CreateImageResponse is the answer of CreateImage and CopyImage.
type CreateImageResponse struct{ ImageId string }

// toImage is how long an image or a copy takes; assumed.
const toImage = 30 * time.Second

// CreateImage makes an image of an instance, whose disks it takes snapshots of,
// of a system disk's snapshot, or of several disks' snapshots. Its disks are
// encrypted as the snapshots are.
func (s *Service) CreateImage(c *wire.Call, in *CreateImageRequest) (*CreateImageResponse, error) {
	if err := c.Allow("ecs:CreateImage", in.resources(c)...); err != nil {
		return nil, err
	}
	sp, err := s.space(c)
	if err != nil {
		return nil, err
	}
	ts, err := newTags(in.Tag)
	if err != nil {
		return nil, err
	}
	s.w.Lock()
	defer s.w.Unlock()
	from, err := s.imageSource(sp, in)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	return once(sp, c, in.ClientToken, in, func() (*CreateImageResponse, error) {
		img := s.imageOf(sp, from)
		img.name, img.family, img.description, img.tags = in.ImageName, in.ImageFamily, in.Description, tags{}.set(ts...)
		if in.BootMode != "" {
			img.boot = in.BootMode
		}
		s.addImage(sp, img)
		c.Refer("ACS::ECS::Image", img.id)
		return &CreateImageResponse{img.id}, nil
	})
}

// resources: image/* and, where named, the instance and the snapshots
// (documented).
func (in *CreateImageRequest) resources(c *wire.Call) []string {
	out := []string{arn(c, "image", "*")}
	if in.InstanceId != "" {
		out = append(out, arn(c, "instance", in.InstanceId))
	}
	for _, id := range in.snapshots() {
		out = append(out, arn(c, "snapshot", id))
	}
	return out
}

// snapshots are the named snapshots, in order.
func (in *CreateImageRequest) snapshots() (ids []string) {
	if in.SnapshotId != "" {
		ids = append(ids, in.SnapshotId)
	}
	for _, d := range in.DiskDeviceMapping {
		if d.SnapshotId != "" {
			ids = append(ids, d.SnapshotId)
		}
	}
	return ids
}

// imageSource are the disks and snapshots that an image is made of, system disk
// first.
type imageSource struct {
	disks     []*disk
	snapshots []*snapshot
}

// imageSource finds what a call names. The caller holds the mutex.
func (s *Service) imageSource(sp *space, in *CreateImageRequest) (from imageSource, err error) {
	if in.InstanceId != "" {
		i := sp.instances.Get(in.InstanceId)
		if i == nil {
			return from, noInstance(in.InstanceId)
		}
		return imageSource{disks: i.disks()}, nil
	}
	for _, id := range in.snapshots() {
		x := sp.snapshots.Get(id)
		if x == nil {
			return from, noSnapshot(id)
		}
		from.snapshots = append(from.snapshots, x)
	}
	if len(from.snapshots) == 0 {
		return from, missing("InstanceId")
	}
	if x := from.snapshots[0]; !x.system {
		// 403 InvalidSnapshot.NotSystemDisk follows the error table's wording: assumed.
		return from, wire.Errorf(403, "InvalidSnapshotType.NotSupported", "The specified snapshot is not one of a system disk: %s.", x.id)
	}
	return from, nil
}

// imageOf is an image that is not kept yet. The caller holds the mutex.
func (s *Service) imageOf(sp *space, from imageSource) *image {
	for _, d := range from.disks {
		from.snapshots = append(from.snapshots, s.addSnapshot(sp, s.snapshotOf(sp, d)))
	}
	like := s.public.Get(publicImages[0].id)
	if len(from.snapshots) > 0 {
		if img := s.image(sp, from.snapshots[0].image); img != nil {
			like = img
		}
	}
	img := &image{
		os: like.os, osName: like.osName, platform: like.platform, arch: like.arch, boot: like.boot,
	}
	for n, x := range from.snapshots {
		img.mappings = append(img.mappings, mappingOf(n, x))
		img.size += x.size
	}
	return img
}

// mappingOf is the n-th disk of an image, made of a snapshot.
func mappingOf(n int, x *snapshot) mapping {
	kind := "data"
	if n == 0 {
		kind = "system"
	}
	return mapping{device: "/dev/xvd" + string(rune('a'+n)), kind: kind, snapshot: x.id, size: x.size, key: x.key, service: x.service}
}

// addImage puts an image into a space; it is available after a while. The caller
// holds the mutex.
func (s *Service) addImage(sp *space, img *image) {
	img.id, img.owner, img.region, img.created, img.pending = s.w.NewID("m-"), sp.account, sp.region, s.w.Clock.Now(), true
	if img.name == "" {
		img.name = img.id
	}
	sp.images.Put(img.id, img)
	s.w.Clock.After(toImage, func() {
		s.w.Lock()
		defer s.w.Unlock()
		img.pending = false
	})
}
