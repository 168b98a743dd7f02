package resourcesharing

import (
	"cmp"

	"fleetwarden/deploy/local/simcloud/wire"
)

// ListInvitationsRequest are the parameters of ListResourceShareInvitations.
type ListInvitationsRequest struct {
	ResourceShareIds, ResourceShareInvitationIds []string
	Paging
}

// ListInvitationsResponse is a page of invitations.
type ListInvitationsResponse struct {
	ResourceShareInvitations []InvitationItem
	NextToken                string
}

// ListResourceShareInvitations lists the invitations that the caller received.
func (s *Service) ListResourceShareInvitations(c *wire.Call, in *ListInvitationsRequest) (*ListInvitationsResponse, error) {
	err := cmp.Or(checkIDs("ResourceShareIds", in.ResourceShareIds), checkIDs("ResourceShareInvitationIds", in.ResourceShareInvitationIds))
	if err != nil {
		return nil, err
	}
	list, next, err := cut(in.Paging, func(yield func(uint64, *invitation) bool) {
		for _, i := range s.invitations.After(0) {
			mine := i.of.id == c.Caller.Account && i.region == c.Region
			if mine && oneOf(in.ResourceShareIds, i.of.share.id) && oneOf(in.ResourceShareInvitationIds, i.id) && !yield(i.seq, i) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	out := &ListInvitationsResponse{ResourceShareInvitations: []InvitationItem{}, NextToken: next}
	for _, i := range list {
		out.ResourceShareInvitations = append(out.ResourceShareInvitations, i.item())
	}
	return out, nil
}
