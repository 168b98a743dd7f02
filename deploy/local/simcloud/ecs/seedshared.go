package ecs

import (
	"cmp"
	"fmt"
)

// SnapshotSpec is snapshots to seed: finished, of a disk that is gone.
type SnapshotSpec struct {
	// Account and Region are the world's first if empty.
	Account string `json:"account"`
	Region  string `json:"region"`
	Name    string `json:"name"`
	// Key is the id, ARN or alias of a key there, service for ECS's service key,
	// empty for a snapshot that is not encrypted.
	Key string `json:"key"`
	// HideKey leaves the key out of answers, as may happen with service keys.
	HideKey bool `json:"hideKey"`
	// Size is in GiB, default 20.
	Size int `json:"size"`
	// Count is how many, default 1.
	Count int `json:"count"`
	// Data makes snapshots of data disks.
	Data bool `json:"data"`
	// Tags may be system tags.
	Tags map[string]string `json:"tags"`
}

// SeedSnapshots puts snapshots into the world and returns their ids.
func (s *Service) SeedSnapshots(f SnapshotSpec) ([]string, error) {
	return seed(s, f.Account, f.Region, func(sp *space) (ids []string, err error) {
		x, err := s.seedSnapshot(sp, f)
		if err != nil {
			return nil, err
		}
		for range max(f.Count, 1) {
			made := *x
			ids = append(ids, s.keepSnapshot(sp, &made).id)
		}
		return ids, nil
	})
}

// seedSnapshot is a snapshot that is not kept yet. The caller holds the mutex.
func (s *Service) seedSnapshot(sp *space, f SnapshotSpec) (*snapshot, error) {
	x := &snapshot{
		name: f.Name, description: "seeded", disk: s.w.NewID("d-"), system: !f.Data,
		image: publicImages[1].id, size: cmp.Or(f.Size, 20), hideKey: f.HideKey, ready: true,
	}
	for k, v := range f.Tags {
		x.tags = x.tags.set(tag{k, v})
	}
	name := f.Key
	if name == "" {
		return x, nil
	}
	if name == "service" {
		name = serviceAlias
	}
	if x.key, x.service = s.access.KeyID(sp.account, sp.region, name); x.key == "" {
		return nil, fmt.Errorf("seeding a snapshot: no key %q in account %s, region %s", f.Key, sp.account, sp.region)
	}
	return x, nil
}

// keepSnapshot gives a snapshot its id and puts it into a space. The caller holds the
// mutex.
func (s *Service) keepSnapshot(sp *space, x *snapshot) *snapshot {
	x.id, x.owner, x.region, x.created = s.w.NewID("s-"), sp.account, sp.region, s.w.Clock.Now()
	sp.snapshots.Put(x.id, x)
	return x
}

// ImageSpec is an image of an account to seed, with the snapshots it is made of.
type ImageSpec struct {
	// Account and Region are the world's first if empty.
	Account string `json:"account"`
	Region  string `json:"region"`
	Name    string `json:"name"`
	Family  string `json:"family"`
	// Key is as in SnapshotSpec, for all of its disks.
	Key     string `json:"key"`
	HideKey bool   `json:"hideKey"`
	// Disks is how many disks it has, default 1. An encrypted image with more
	// than one cannot be shared.
	Disks int `json:"disks"`
	// Count is how many images, default 1.
	Count int               `json:"count"`
	Tags  map[string]string `json:"tags"`
	// SharedWith are accounts that it is shared with from the start, whatever
	// roles say: an image shared before a role was changed.
	SharedWith []string `json:"sharedWith"`
}

// SeededImage is an image and its snapshots.
type SeededImage struct {
	ID        string   `json:"id"`
	Snapshots []string `json:"snapshots"`
}

// SeedImages puts images into the world. They boot by UEFI and run Linux.
func (s *Service) SeedImages(f ImageSpec) ([]SeededImage, error) {
	for _, a := range f.SharedWith {
		if !isAccount(a) {
			return nil, fmt.Errorf("seeding an image: %q is no account", a)
		}
	}
	return seed(s, f.Account, f.Region, func(sp *space) (out []SeededImage, err error) {
		for range max(f.Count, 1) {
			img, err := s.seedImage(sp, f)
			if err != nil {
				return nil, err
			}
			out = append(out, img)
		}
		return out, nil
	})
}

func (s *Service) seedImage(sp *space, f ImageSpec) (SeededImage, error) {
	var from []*snapshot
	var out SeededImage
	for n := range max(f.Disks, 1) {
		x, err := s.seedSnapshot(sp, SnapshotSpec{Name: f.Name, Key: f.Key, HideKey: f.HideKey, Data: n > 0})
		if err != nil {
			return out, err
		}
		from = append(from, s.keepSnapshot(sp, x))
		out.Snapshots = append(out.Snapshots, x.id)
	}
	img := s.imageOf(from)
	s.keepImage(sp, img)
	img.name, img.family = cmp.Or(f.Name, img.id), f.Family
	for k, v := range f.Tags {
		img.tags = img.tags.set(tag{k, v})
	}
	for _, a := range unique(append([]string{}, f.SharedWith...)) {
		img.shares = append(img.shares, imageShare{a, img.created})
	}
	out.ID = img.id
	return out, nil
}

// imageOf is an image made of snapshots, which is not kept yet. The caller holds the
// mutex.
func (s *Service) imageOf(from []*snapshot) *image {
	like := s.public.Get(from[0].image)
	img := &image{
		os: like.os, osName: like.osName, platform: like.platform, arch: like.arch, boot: like.boot,
	}
	for n, x := range from {
		img.mappings = append(img.mappings, mappingOf(n, x))
		img.size += x.size
	}
	return img
}

// keepImage gives an image its id, and its name if it has none, and puts it into a
// space. The caller holds the mutex.
func (s *Service) keepImage(sp *space, img *image) {
	img.id, img.owner, img.region, img.created = s.w.NewID("m-"), sp.account, sp.region, s.w.Clock.Now()
	img.name = cmp.Or(img.name, img.id)
	sp.images.Put(img.id, img)
}
