package resourcesharing

import (
	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/wire"
)

// AssociateResourceShareRequest are the parameters of AssociateResourceShare
// that matter here.
type AssociateResourceShareRequest struct {
	ResourceShareId string
	Entities
	PermissionNames []string
}

// AssociationsResponse is the response of AssociateResourceShare.
type AssociationsResponse struct {
	ResourceShareAssociations []AssociationItem
}

// AssociationItem is an association as it is answered.
type AssociationItem struct {
	ResourceShareId, ResourceShareName          string
	AssociationType, EntityId, EntityType       string
	ResourceArn                                 string `json:",omitempty"`
	AssociationStatus, AssociationStatusMessage string
	External                                    bool
	AssociationFailedDetails                    []FailedDetail `json:",omitempty"`
	CreateTime, UpdateTime                      string
}

// FailedDetail says with which entity of the share an association failed.
type FailedDetail struct {
	Status, StatusMessage, AssociateType, EntityId, EntityType string
}

// AssociateResourceShare adds resources or targets to a share, or both.
func (s *Service) AssociateResourceShare(c *wire.Call, in *AssociateResourceShareRequest) (*AssociationsResponse, error) {
	x, err := s.own(c, in.ResourceShareId)
	if err != nil {
		return nil, err
	}
	p, err := s.plan(c, &in.Entities, in.PermissionNames, x.external)
	if err != nil {
		return nil, err
	}
	if p.empty() {
		return nil, nothingNamed()
	}
	return answer(s.associate(x, p)), nil
}

// own finds an active share of the caller in the call's region. The caller holds
// the mutex.
func (s *Service) own(c *wire.Call, id string) (*share, error) {
	x := s.shares.Get(id)
	if x == nil || x.owner != c.Caller.Account || x.region != c.Region {
		return nil, noShare()
	}
	if x.status != active {
		return nil, wrongStatus()
	}
	c.Refer("ACS::ResourceManager::ResourceShare", x.id)
	return x, nil
}

func noShare() error {
	return wire.Errorf(404, "EntityNotExists.ResourceShare", "The resource share does not exist in the current account.")
}

func wrongStatus() error {
	return wire.Errorf(409, "ResourceShareStatusMismatchAction", "The status of the resource share does not allow the specified operation.")
}

func nothingNamed() error {
	return wire.Errorf(400, "ResourceAndTargetBothEmpty", "Either a resource or a shared target must be specified.")
}

// plan is what a call adds, checked.
type plan struct {
	resources []ecs.Resource
	targets   []string
	external  map[string]bool
}

func (p *plan) empty() bool { return len(p.resources)+len(p.targets) == 0 }

// plan checks what a call adds. The caller holds the mutex.
func (s *Service) plan(c *wire.Call, in *Entities, permissions []string, allowExternal bool) (*plan, error) {
	p := &plan{targets: in.Targets, external: map[string]bool{}}
	var err error
	if p.resources, err = in.resources(c); err != nil {
		return nil, err
	}
	for _, name := range permissions {
		if name != "AliyunRSDefaultPermissionSnapshot" && name != "AliyunRSDefaultPermissionImage" {
			return nil, wire.Errorf(404, "EntityNotExists.Permission", "The resource share permission does not exist.")
		}
	}
	if hasTwice(in.Targets) {
		return nil, duplicate("Targets")
	}
	for _, t := range in.Targets {
		if p.external[t], err = s.target(c.Caller.Account, t, allowExternal); err != nil {
			return nil, err
		}
	}
	for _, r := range p.resources {
		if err := s.checkResource(r); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// associate starts associations. What is associated or under way already stays
// as it is (assumed); what failed or ended is tried again. The caller holds the
// mutex.
func (s *Service) associate(x *share, p *plan) []*association {
	var all, started []*association
	add := func(a *association, begun bool) {
		all = append(all, a)
		if begun {
			started = append(started, a)
		}
	}
	for _, r := range p.resources {
		add(s.start(x, association{kind: r.Kind, id: r.ID}))
	}
	for _, t := range p.targets {
		a, begun := s.start(x, association{target: true, kind: "Account", id: t, external: p.external[t]})
		if begun && a.external {
			s.invite(a)
		}
		add(a, begun)
	}
	s.later(func() []simcloud.Event { return s.settle(started) })
	return all
}

func (s *Service) start(x *share, want association) (a *association, begun bool) {
	a = x.find(want.target, want.kind, want.id)
	if a != nil && (a.status == associated || a.status == associating) {
		return a, false
	}
	if a == nil {
		a = &want
		a.seq, a.share, a.created = s.next(), x, s.w.Clock.Now()
		x.parts = append(x.parts, a)
		if !a.target {
			s.of[a.resource()] = append(s.of[a.resource()], a)
		}
	}
	a.external = want.external
	s.set(a, associating, "")
	return a, true
}

func answer(parts []*association) *AssociationsResponse {
	out := &AssociationsResponse{ResourceShareAssociations: []AssociationItem{}}
	for _, a := range parts {
		out.ResourceShareAssociations = append(out.ResourceShareAssociations, a.item())
	}
	return out
}

func (a *association) item() AssociationItem {
	it := AssociationItem{
		ResourceShareId: a.share.id, ResourceShareName: a.share.name, AssociationType: "Target", EntityId: a.id, EntityType: a.kind,
		AssociationStatus: a.status, AssociationStatusMessage: a.message, AssociationFailedDetails: a.details,
		External: a.external, CreateTime: stamp(a.created), UpdateTime: stamp(a.updated),
	}
	if !a.target {
		it.AssociationType, it.ResourceArn = "Resource", arnOf(a.resource())
	}
	return it
}
