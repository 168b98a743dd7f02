package resourcesharing

import (
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Statuses of an invitation, as documented.
const (
	pending      = "Pending"
	accepted     = "Accepted"
	cancelled    = "Cancelled"
	expired      = "Expired"
	acceptFailed = "AcceptFailed"
)

// invitation asks an account outside the directory to take part in a share.
type invitation struct {
	seq     uint64
	id      string
	of      *association // the target
	region  string
	status  string
	created time.Time
	failed  []AcceptFailedDetail
}

// invite makes an invitation, which is valid for seven days. The caller holds the
// mutex.
func (s *Service) invite(a *association) {
	i := &invitation{seq: s.next(), id: s.w.NewID("i-"), of: a, region: a.share.region, status: pending, created: s.w.Clock.Now()}
	a.invitation = i
	s.invitations.Put(i.id, i)
	s.w.Background(toInvitation, func() {
		if i.status == pending {
			i.status = expired
			s.set(a, failed, "The invitation has expired.")
		}
	})
}

// invited reports whether a target has not yet answered its invitation.
func (s *Service) invited(a *association) bool {
	return a.invitation != nil && a.invitation.status == pending
}

// cancel takes back the invitation of a target that goes.
func (s *Service) cancel(a *association) {
	if s.invited(a) {
		a.invitation.status = cancelled
	}
}

// InvitationItem is an invitation as it is answered.
type InvitationItem struct {
	ResourceShareInvitationId, ResourceShareId, ResourceShareName string
	SenderAccountId, ReceiverAccountId, Status, CreateTime        string
	AcceptInvitationFailedDetails                                 []AcceptFailedDetail `json:",omitempty"`
}

// AcceptFailedDetail is a resource because of which an invitation could not be
// accepted.
type AcceptFailedDetail struct {
	ResourceId, ResourceType, ResourceArn            string
	FailureReason, FailureDescription, OperationType string
}

func (i *invitation) item() InvitationItem {
	x := i.of.share
	return InvitationItem{
		ResourceShareInvitationId: i.id, ResourceShareId: x.id, ResourceShareName: x.name, SenderAccountId: x.owner,
		ReceiverAccountId: i.of.id, Status: i.status, CreateTime: stamp(i.created), AcceptInvitationFailedDetails: i.failed,
	}
}

// AcceptRequest names an invitation.
type AcceptRequest struct{ ResourceShareInvitationId string }

// AcceptResponse is the invitation after it was accepted, or failed to be.
type AcceptResponse struct{ ResourceShareInvitation InvitationItem }

// AcceptResourceShareInvitation is called by the invited account. If it cannot
// use a resource of the share, the invitation ends as AcceptFailed, with the
// reason, and the target's association fails.
func (s *Service) AcceptResourceShareInvitation(c *wire.Call, in *AcceptRequest) (*AcceptResponse, error) {
	i := s.invitations.Get(in.ResourceShareInvitationId)
	if i == nil || i.of.id != c.Caller.Account || i.region != c.Region {
		return nil, wire.Errorf(409, "EntityNotExists.ResourceShareInvitation", "The resource share invitation does not exist in the current account.")
	}
	switch i.status {
	case expired:
		return nil, wire.Errorf(409, "InvitationStatus.Expired", "The resource share invitation status is expired.")
	case accepted:
		return nil, wire.Errorf(409, "InvitationStatus.AlreadyAccepted", "The resource share invitation status is alredy accepted.")
	case pending:
	default: // the code is assumed
		return nil, wire.Errorf(409, "InvitationStatus.AlreadyRejected", "The resource share invitation status is rejected.")
	}
	c.Refer("ACS::ResourceManager::ResourceShare", i.of.share.id)
	events := s.accept(i)
	s.w.Clock.After(0, func() { s.publish(events) })
	return &AcceptResponse{i.item()}, nil
}

// accept decides the target's association at once. The caller holds the mutex.
func (s *Service) accept(i *invitation) []simcloud.Event {
	i.status = accepted
	events := s.decide(i.of)
	if i.of.status != failed {
		return events
	}
	i.status = acceptFailed
	for _, d := range i.of.details {
		r := i.of.share.find(false, d.EntityType, d.EntityId)
		i.failed = append(i.failed, AcceptFailedDetail{d.EntityId, d.EntityType, arnOf(r.resource()), "Unavailable", d.StatusMessage, "Associate"})
	}
	return events
}
