package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// CopySnapshotRequest holds the parameters of CopySnapshot that matter here.
type CopySnapshotRequest struct {
	SnapshotId, DestinationRegionId                         string
	DestinationSnapshotName, DestinationSnapshotDescription string
	Encrypted, KMSKeyId, ClientToken                        string
	Tag                                                     []TagParam
}

// CopySnapshot copies a snapshot of one's own into a region, also into its own
// one (assumed), with another key if one is asked for. A copy of an encrypted
// snapshot stays encrypted: with its key in the same region, with ECS's service
// key in another (assumed).
func (s *Service) CopySnapshot(c *wire.Call, in *CopySnapshotRequest) (*CreateSnapshotResponse, error) {
	if err := c.Allow("ecs:CopySnapshot", arn(c, "snapshot", in.SnapshotId)); err != nil {
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
	x := from.snapshots.Get(in.SnapshotId)
	if x == nil {
		return nil, noSnapshot(in.SnapshotId)
	}
	if !x.ready {
		// 403 IncorrectSnapshotStatus: assumed.
		return nil, wire.Errorf(403, "IncorrectSnapshotStatus", "The current status of the snapshot does not support this operation.")
	}
	return once(to, c, in.ClientToken, in, func() (*CreateSnapshotResponse, error) {
		made := s.addSnapshot(to, s.copyOf(x, to, e))
		made.name, made.description, made.tags = in.DestinationSnapshotName, in.DestinationSnapshotDescription, tags{}.set(ts...)
		c.Refer("ACS::ECS::Snapshot", x.id, made.id)
		return &CreateSnapshotResponse{made.id}, nil
	})
}

// copyOf is a copy that is not kept yet. The caller holds the mutex.
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
