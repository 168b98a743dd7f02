package resourcesharing

import "fleetwarden/deploy/local/simcloud/wire"

// DeleteResourceShareRequest names a share.
type DeleteResourceShareRequest struct{ ResourceShareId string }

// Empty is a response with the request id only.
type Empty struct{}

// DeleteResourceShare ends a share and all that it shares. It is shown as Deleted
// for a while.
func (s *Service) DeleteResourceShare(c *wire.Call, in *DeleteResourceShareRequest) (*Empty, error) {
	x, err := s.own(c, in.ResourceShareId)
	if err != nil {
		return nil, err
	}
	var parts []*association
	for _, a := range x.parts {
		switch {
		case a.status == disassociating, a.status == associating && !s.invited(a):
			return nil, wire.Errorf(409, "DeleteResourceShareConflict", "You cannot delete a resource share while there are unfinished tasks.")
		case a.status == associated, a.status == associating:
			parts = append(parts, a)
		}
	}
	s.end(parts)
	s.mark(x, deleting)
	s.w.After(toSettle, func() { s.mark(x, deleted) })
	s.w.Background(keepEnded+toSettle, func() { s.remove(x) })
	return &Empty{}, nil
}

func (s *Service) mark(x *share, status string) {
	x.status, x.updated = status, s.w.Clock.Now()
}

// remove forgets a share with all of its associations.
func (s *Service) remove(x *share) {
	for len(x.parts) > 0 {
		s.forget(x.parts[0])
	}
	s.shares.Delete(x.id)
}
