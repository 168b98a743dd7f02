package resourcesharing

import "fleetwarden/deploy/local/simcloud/wire"

// ListSharedTargetsRequest are the parameters of ListSharedTargets.
type ListSharedTargetsRequest struct {
	ResourceOwner, ResourceType, ResourceId, ResourceArn string
	Targets, ResourceShareIds                            []string
	Paging
}

// ListSharedTargetsResponse is a page of targets.
type ListSharedTargetsResponse struct {
	SharedTargets []SharedTarget
	NextToken     string
}

// SharedTarget is a target of one's own shares, or an owner that shares with the
// caller.
type SharedTarget struct {
	ResourceShareId, TargetId string
	External                  bool
	CreateTime, UpdateTime    string
}

// ListSharedTargets lists with whom something is shared: targets associated with
// a share which has an associated resource (the latter is assumed). For shares
// of others it lists their owners.
func (s *Service) ListSharedTargets(c *wire.Call, in *ListSharedTargetsRequest) (*ListSharedTargetsResponse, error) {
	if err := allow(c); err != nil {
		return nil, err
	}
	for _, err := range []error{
		checkOwner(in.ResourceOwner), checkType(in.ResourceType),
		checkIDs("ResourceShareIds", in.ResourceShareIds), checkIDs("Targets", in.Targets),
	} {
		if err != nil {
			return nil, err
		}
	}
	s.w.Lock()
	defer s.w.Unlock()
	parts, next, err := cut(in.Paging, s.parts(s.seen(c, in.ResourceOwner, in.ResourceShareIds), func(a *association) bool {
		own := in.ResourceOwner == "Self"
		return a.target && a.status == associated && in.shares(a.share) &&
			(own || s.covers(a, c.Caller.Account)) && oneOf(in.Targets, shown(a, own))
	}))
	if err != nil {
		return nil, err
	}
	out := &ListSharedTargetsResponse{SharedTargets: []SharedTarget{}, NextToken: next}
	for _, a := range parts {
		out.SharedTargets = append(out.SharedTargets, SharedTarget{
			a.share.id, shown(a, in.ResourceOwner == "Self"), a.external, stamp(a.created), stamp(a.updated),
		})
	}
	return out, nil
}

// shown is the id that stands for a target: the owner's to the other side.
func shown(a *association, own bool) string {
	if own {
		return a.id
	}
	return a.share.owner
}

// shares reports whether a share has the resource that a call filters by.
func (in *ListSharedTargetsRequest) shares(x *share) bool {
	for _, r := range x.with(false, associated) {
		if same(in.ResourceType, r.kind) && same(in.ResourceId, r.id) && same(in.ResourceArn, arnOf(r.resource())) {
			return true
		}
	}
	return false
}
