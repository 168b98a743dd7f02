package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// DeleteInstanceRequest names one instance.
type DeleteInstanceRequest struct {
	InstanceId    string
	Force, DryRun bool
}

// DeleteInstance releases an instance: a Stopped one, or any with Force.
func (s *Service) DeleteInstance(c *wire.Call, in *DeleteInstanceRequest) (*Empty, error) {
	return &Empty{}, s.one(c, in.InstanceId, in.DryRun, s.deleting(in.Force))
}

// deleting: 403 IncorrectInstanceStatus and 403
// InvalidOperation.DeletionProtection are in the error tables of DeleteInstance.
// That Force releases an instance in any other status is assumed.
func (s *Service) deleting(force bool) power {
	return power{
		check: func(i *instance) error {
			if i.spec.protected {
				return wire.Errorf(403, "InvalidOperation.DeletionProtection", "The operation is not allowed due to deletion protection.")
			}
			if i.status != stopped && !force {
				return wrongStatus(i.status)
			}
			return nil
		},
		apply: s.release,
	}
}

// release takes an instance out of the world at once, with those disks that go
// with it. The caller holds the mutex.
func (s *Service) release(sp *space, i *instance) {
	sp.instances.Delete(i.id)
	s.security.Released(Machine{sp, i})
	for _, d := range i.disks() {
		if d.spec.stays {
			d.holder = nil
		} else {
			sp.disks.Delete(d.id)
		}
	}
	s.raise(sp, []*instance{i}, deleted)
}
