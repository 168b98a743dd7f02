package resourcesharing

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/wire"
)

// ListResourceShareAssociationsRequest are the parameters of
// ListResourceShareAssociations.
type ListResourceShareAssociationsRequest struct {
	AssociationType, AssociationStatus string
	ResourceId, ResourceArn, Target    string
	ResourceShareIds                   []string
	Paging
}

// ListResourceShareAssociationsResponse is a page of associations.
type ListResourceShareAssociationsResponse struct {
	ResourceShareAssociations []AssociationItem
	NextToken                 string
}

// ListResourceShareAssociations lists the resources or the targets of the
// caller's own shares, in whatever status.
func (s *Service) ListResourceShareAssociations(c *wire.Call, in *ListResourceShareAssociationsRequest) (*ListResourceShareAssociationsResponse, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	parts, next, err := cut(in.Paging, s.parts(c, in.ResourceShareIds, in.match))
	if err != nil {
		return nil, err
	}
	return &ListResourceShareAssociationsResponse{answer(parts).ResourceShareAssociations, next}, nil
}

// check: a target is no filter of resources, and the other way round
// (documented; the code is assumed).
func (in *ListResourceShareAssociationsRequest) check() error {
	target := in.AssociationType == "Target"
	switch {
	case !target && in.AssociationType != "Resource":
		return bad("AssociationType")
	case target && (in.ResourceId != "" || in.ResourceArn != ""), !target && in.Target != "":
		return wire.Errorf(400, "InvalidParameter", "The specified parameter is invalid.")
	case !slices.Contains([]string{"", associating, associated, failed, disassociating, disassociated}, in.AssociationStatus):
		return bad("AssociationStatus")
	}
	return checkIDs("ResourceShareIds", in.ResourceShareIds)
}

func (in *ListResourceShareAssociationsRequest) match(a *association) bool {
	if a.target != (in.AssociationType == "Target") || !same(in.AssociationStatus, a.status) {
		return false
	}
	if a.target {
		return same(in.Target, a.id)
	}
	return same(in.ResourceId, a.id) && same(in.ResourceArn, arnOf(a.resource()))
}
