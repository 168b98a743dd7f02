package ecs

import (
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// CopyImageRequest holds the parameters of CopyImage that matter here.
type CopyImageRequest struct {
	ImageId, DestinationRegionId                 string
	DestinationImageName, DestinationDescription string
	Encrypted, KMSKeyId, ClientToken             string
	DryRun                                       bool
	Tag                                          []TagParam
}

// CopyImageResponse is the answer of CopyImage.
type CopyImageResponse struct{ ImageId string }

// toImage is how long a copy takes; assumed.
const toImage = 30 * time.Second

// CopyImage copies an image of one's own, or one that is shared with the caller,
// into a region, with another key if one is asked for; its snapshots are copied
// with it. An encrypted image of another account needs the right to use its key,
// and Encrypted (assumed to hold here as it does for launches).
func (s *Service) CopyImage(c *wire.Call, in *CopyImageRequest) (*CopyImageResponse, error) {
	ts, err := newTags(in.Tag)
	if err != nil {
		return nil, err
	}
	from, to, err := s.fromTo(c, in.DestinationRegionId)
	if err != nil {
		return nil, err
	}
	e, err := s.encrypt(to, in.Encrypted, in.KMSKeyId)
	if err != nil {
		return nil, err
	}
	img := s.image(from, in.ImageId)
	if img == nil || img.owner == "" {
		return nil, noImage(in.ImageId)
	}
	if err := s.unlock(from, img, in.Encrypted); err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRun()
	}
	return once(to, c, in.ClientToken, in, func() (*CopyImageResponse, error) {
		made := s.copyImage(img, to, e)
		made.name, made.description, made.tags = in.DestinationImageName, in.DestinationDescription, tags{}.set(ts...)
		s.addImage(to, made)
		c.Refer("ACS::ECS::Image", img.id, made.id)
		return &CopyImageResponse{made.id}, nil
	})
}

// copyImage is a copy that is not kept yet, with copies of its snapshots. The
// caller holds the mutex.
func (s *Service) copyImage(img *image, to *space, e encryption) *image {
	made := *img
	made.copied, made.community, made.shares, made.mappings = true, false, nil, nil
	owner := s.spaces[where{img.owner, img.region}]
	for n, m := range img.mappings {
		if x := owner.snapshots.Get(m.snapshot); x != nil {
			made.mappings = append(made.mappings, mappingOf(n, s.addSnapshot(to, s.copyOf(x, to, e))))
		}
	}
	return &made
}

// copyOf is a copy of a snapshot that is not kept yet. A copy of an encrypted snapshot
// stays encrypted: with its key in the same region, with ECS's service key in another
// (assumed). The caller holds the mutex.
func (s *Service) copyOf(x *snapshot, to *space, e encryption) *snapshot {
	made := *x
	made.source, made.sourceRegion, made.ready = x.id, x.region, false
	switch {
	case e.key != "":
		made.key, made.service = e.key, e.service
	case x.key != "" && (to.region != x.region || to.account != x.owner):
		made.key, made.service = s.access.KeyID(to.account, to.region, serviceAlias)
	}
	return &made
}

// fromTo is the call's space and that of the caller in another region; an empty
// region is the call's.
func (s *Service) fromTo(c *wire.Call, region string) (from, to *space, err error) {
	if from, err = s.space(c); err != nil || region == "" {
		return from, from, err
	}
	if to = s.spaces[where{c.Caller.Account, region}]; to == nil {
		return nil, nil, wire.Errorf(404, "InvalidDestinationRegionId.NotFound", "The specified DestinationRegionId does not exist: %s.", region)
	}
	return from, to, nil
}

// addImage puts a copy into a space; it is available after a while. The caller
// holds the mutex.
func (s *Service) addImage(sp *space, img *image) {
	img.pending = true
	s.keepImage(sp, img)
	s.w.After(toImage, func() { img.pending = false })
}

// noImage is 404 InvalidImageId.NotFound: error tables of all APIs that take an
// image id.
func noImage(id string) error {
	return wire.Errorf(404, "InvalidImageId.NotFound", "The specified ImageId does not exist: %s.", id)
}
