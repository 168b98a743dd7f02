package resourcesharing

import (
	"slices"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/wire"
)

// ListSharedResourcesRequest are the parameters of ListSharedResources.
type ListSharedResourcesRequest struct {
	ResourceOwner, ResourceType, Target         string
	ResourceIds, ResourceArns, ResourceShareIds []string
	Paging
}

// ListSharedResourcesResponse is a page of shared resources.
type ListSharedResourcesResponse struct {
	SharedResources []SharedResource
	NextToken       string
}

// SharedResource is a resource that is shared. Its status is shown to those that
// it is shared with only.
type SharedResource struct {
	ResourceShareId, ResourceId, ResourceType, ResourceArn string
	ResourceStatus                                         string `json:",omitempty"`
	CreateTime, UpdateTime                                 string
}

// ListSharedResources lists what is really shared: resources that are associated
// with a share which has an associated target (the latter is assumed). Target is
// a principal for one's own shares, an owner for those of others.
func (s *Service) ListSharedResources(c *wire.Call, in *ListSharedResourcesRequest) (*ListSharedResourcesResponse, error) {
	if err := allow(c); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	s.w.Lock()
	defer s.w.Unlock()
	parts, next, err := cut(in.Paging, s.parts(s.seen(c, in.ResourceOwner, in.ResourceShareIds), func(a *association) bool {
		return !a.target && a.status == associated && in.match(a)
	}))
	if err != nil {
		return nil, err
	}
	out := &ListSharedResourcesResponse{SharedResources: []SharedResource{}, NextToken: next}
	for _, a := range parts {
		it := SharedResource{
			ResourceShareId: a.share.id, ResourceId: a.id, ResourceType: a.kind, ResourceArn: arnOf(a.resource()),
			CreateTime: stamp(a.created), UpdateTime: stamp(a.updated),
		}
		if in.ResourceOwner == "OtherAccounts" {
			it.ResourceStatus = "Available"
		}
		out.SharedResources = append(out.SharedResources, it)
	}
	return out, nil
}

func (in *ListSharedResourcesRequest) check() error {
	for _, err := range []error{
		checkOwner(in.ResourceOwner), checkType(in.ResourceType), checkIDs("ResourceShareIds", in.ResourceShareIds),
		checkIDs("ResourceIds", in.ResourceIds), checkIDs("ResourceArns", in.ResourceArns),
	} {
		if err != nil {
			return err
		}
	}
	if len(in.ResourceIds) > 0 && len(in.ResourceArns) > 0 {
		return wire.Errorf(400, "InvalidParameter.ResourceConflict", "Both ResourceId and ResourceArn cannot be specified simultaneously.")
	}
	return nil
}

func checkType(kind string) error {
	if !slices.Contains([]string{"", ecs.SnapshotKind, ecs.ImageKind}, kind) {
		return bad("ResourceType")
	}
	return nil
}

func (in *ListSharedResourcesRequest) match(a *association) bool {
	if !same(in.ResourceType, a.kind) || !oneOf(in.ResourceIds, a.id) || !oneOf(in.ResourceArns, arnOf(a.resource())) {
		return false
	}
	if in.ResourceOwner == "OtherAccounts" {
		return same(in.Target, a.share.owner)
	}
	return slices.ContainsFunc(a.share.with(true, associated), func(t *association) bool { return same(in.Target, t.id) })
}
