package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// CreateSnapshotRequest holds the parameters of CreateSnapshot that matter here.
type CreateSnapshotRequest struct {
	DiskId, SnapshotName, Description string
	ClientToken                       string
	Tag                               []TagParam
}

// CreateSnapshotResponse is the answer of CreateSnapshot and CopySnapshot.
type CreateSnapshotResponse struct{ SnapshotId string }

// CreateSnapshot takes a snapshot of a disk. It is encrypted as the disk is.
func (s *Service) CreateSnapshot(c *wire.Call, in *CreateSnapshotRequest) (*CreateSnapshotResponse, error) {
	if err := c.Allow("ecs:CreateSnapshot", arn(c, "disk", in.DiskId), arn(c, "snapshot", "*")); err != nil {
		return nil, err
	}
	ts, err := newTags(in.Tag)
	if err != nil {
		return nil, err
	}
	s.w.Lock()
	defer s.w.Unlock()
	sp, d := s.diskOf(c, in.DiskId)
	if d == nil {
		// 404 InvalidDiskId.NotFound: error table of CreateSnapshot.
		return nil, wire.Errorf(404, "InvalidDiskId.NotFound", "The specified disk does not exist: %s.", in.DiskId)
	}
	return once(sp, c, in.ClientToken, in, func() (*CreateSnapshotResponse, error) {
		x := s.addSnapshot(sp, s.snapshotOf(sp, d))
		x.name, x.description, x.tags = in.SnapshotName, in.Description, tags{}.set(ts...)
		c.Refer("ACS::ECS::Snapshot", x.id)
		return &CreateSnapshotResponse{x.id}, nil
	})
}

// diskOf finds a disk of the caller; CreateSnapshot has no RegionId. The caller
// holds the mutex.
func (s *Service) diskOf(c *wire.Call, id string) (*space, *disk) {
	for _, r := range s.w.Regions {
		if sp := s.spaces[where{c.Caller.Account, r}]; sp != nil {
			if d := sp.disks.Get(id); d != nil {
				return sp, d
			}
		}
	}
	return nil, nil
}

// snapshotOf is a disk's snapshot that is not kept yet. A disk that is encrypted
// without a key's name has ECS's service key.
func (s *Service) snapshotOf(sp *space, d *disk) *snapshot {
	x := &snapshot{disk: d.id, system: d.spec.system, image: d.spec.imageID, category: d.spec.category, size: d.spec.size}
	if d.holder != nil {
		x.instance = d.holder.id
	}
	if d.spec.encrypted {
		name := d.spec.key
		if name == "" {
			name = serviceAlias
		}
		x.key, x.service = s.access.KeyID(sp.account, sp.region, name)
	}
	return x
}
