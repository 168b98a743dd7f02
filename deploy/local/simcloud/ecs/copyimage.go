package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// CopyImageRequest holds the parameters of CopyImage that matter here.
type CopyImageRequest struct {
	ImageId, DestinationRegionId                 string
	DestinationImageName, DestinationDescription string
	Encrypted, KMSKeyId, ClientToken             string
	DryRun                                       bool
	Tag                                          []TagParam
}

// CopyImage copies an image of one's own, or one that is shared with the caller,
// into a region, with another key if one is asked for; its snapshots are copied
// with it. An encrypted image of another account needs the right to use its key,
// and Encrypted (assumed to hold here as it does for launches).
func (s *Service) CopyImage(c *wire.Call, in *CopyImageRequest) (*CreateImageResponse, error) {
	if err := c.Allow("ecs:CopyImage", arn(c, "image", "*")); err != nil {
		return nil, err
	}
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
	s.w.Lock()
	defer s.w.Unlock()
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
	return once(to, c, in.ClientToken, in, func() (*CreateImageResponse, error) {
		made := s.copyImage(img, to, e)
		made.name, made.description, made.tags = in.DestinationImageName, in.DestinationDescription, tags{}.set(ts...)
		s.addImage(to, made)
		c.Refer("ACS::ECS::Image", img.id, made.id)
		return &CreateImageResponse{made.id}, nil
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

// noImage is 404 InvalidImageId.NotFound: error tables of all APIs that take an
// image id.
func noImage(id string) error {
	return wire.Errorf(404, "InvalidImageId.NotFound", "The specified ImageId does not exist: %s.", id)
}
