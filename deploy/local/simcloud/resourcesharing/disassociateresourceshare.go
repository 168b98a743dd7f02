package resourcesharing

import (
	"slices"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// DisassociateResourceShareRequest are the parameters of
// DisassociateResourceShare.
type DisassociateResourceShareRequest struct {
	ResourceShareId, ResourceOwner string
	Entities
}

// DisassociateResourceShare takes resources or targets out of a share of one's
// own; or, with ResourceOwner=OtherAccounts, the caller out of a share from
// outside its directory. What is taken out ends at once (assumed).
func (s *Service) DisassociateResourceShare(c *wire.Call, in *DisassociateResourceShareRequest) (*AssociationsResponse, error) {
	if err := allow(c); err != nil {
		return nil, err
	}
	s.w.Lock()
	defer s.w.Unlock()
	parts, err := s.partsOf(c, in)
	if err != nil {
		return nil, err
	}
	for _, a := range parts {
		switch {
		case a.status == associating && !s.invited(a):
			return nil, wire.Errorf(409, "DisassociateConflict", "You cannot perform the operation while association is already in progress.")
		case a.status != associated && a.status != associating:
			return nil, notAssociated()
		}
	}
	s.end(parts)
	return answer(parts), nil
}

func notAssociated() error {
	return wire.Errorf(400, "DisassociateInvalid", "You can not disassociate unassociated resource or target.")
}

// partsOf finds the associations that a call names. The caller holds the mutex.
func (s *Service) partsOf(c *wire.Call, in *DisassociateResourceShareRequest) ([]*association, error) {
	if in.ResourceOwner == "OtherAccounts" {
		return s.leave(c, in)
	}
	if in.ResourceOwner != "" && in.ResourceOwner != "Self" {
		return nil, bad("ResourceOwner")
	}
	x, err := s.own(c, in.ResourceShareId)
	if err != nil {
		return nil, err
	}
	resources, err := in.resources(c)
	if err != nil {
		return nil, err
	}
	if hasTwice(in.Targets) {
		return nil, duplicate("Targets")
	}
	var parts []*association
	for _, r := range resources {
		parts = append(parts, x.find(false, r.Kind, r.ID))
	}
	for _, t := range in.Targets {
		parts = append(parts, x.find(true, "", t))
	}
	if len(parts) == 0 {
		return nil, nothingNamed()
	}
	if slices.Contains(parts, nil) {
		return nil, notAssociated()
	}
	return parts, nil
}

// leave finds the caller's own association with a share of another account.
func (s *Service) leave(c *wire.Call, in *DisassociateResourceShareRequest) ([]*association, error) {
	x := s.shares.Get(in.ResourceShareId)
	if x == nil || x.region != c.Region || !s.reaches(x, c.Caller.Account) {
		return nil, noShare()
	}
	a := x.find(true, "", c.Caller.Account)
	if a == nil || !a.external {
		return nil, wire.Errorf(409, "LeavingFailed.Account", "The account was added to the resource share automatically by resoucre directory.")
	}
	return []*association{a}, nil
}

// end takes associations out of their share, and says so when it is done. The
// caller holds the mutex.
func (s *Service) end(parts []*association) {
	type pair struct{ a, b *association }
	var pairs []pair
	for _, a := range parts {
		if a.status == associated {
			for _, o := range a.share.with(!a.target, associated) {
				pairs = append(pairs, pair{a, o})
			}
		}
		s.cancel(a)
		s.set(a, disassociating, "")
	}
	s.w.Clock.After(toSettle, func() {
		s.w.Lock()
		for _, a := range parts {
			if a.status == disassociating {
				s.set(a, disassociated, "")
			}
		}
		var told []simcloud.Event
		for _, p := range pairs {
			told = append(told, s.events(p.a, p.b, "Disassociate")...)
		}
		s.w.Unlock()
		for _, e := range told {
			s.w.Publish(e)
		}
	})
}
