package resourcesharing

import (
	"regexp"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// CreateResourceShareRequest are the parameters of CreateResourceShare that
// matter here.
type CreateResourceShareRequest struct {
	ResourceShareName    string
	AllowExternalTargets bool
	Entities
	PermissionNames []string
}

// ShareResponse is the response of CreateResourceShare. It does not list resources.
type ShareResponse struct{ ResourceShare ShareItem }

// ShareItem is a share as it is answered.
type ShareItem struct {
	ResourceShareId, ResourceShareName      string
	ResourceShareOwner, ResourceShareStatus string
	ResourceGroupId                         string
	AllowExternalTargets                    bool
	CreateTime, UpdateTime                  string
}

// shareName: 1 to 50 characters, of the API's page.
var shareName = regexp.MustCompile(`^[\p{L}0-9._-]{1,50}$`)

// CreateResourceShare makes a share, with or without resources and targets.
func (s *Service) CreateResourceShare(c *wire.Call, in *CreateResourceShareRequest) (*ShareResponse, error) {
	if !shareName.MatchString(in.ResourceShareName) {
		return nil, bad("ResourceShareName")
	}
	p, err := s.plan(c, &in.Entities, in.PermissionNames, in.AllowExternalTargets)
	if err != nil {
		return nil, err
	}
	now := s.w.Clock.Now()
	x := &share{
		id: s.w.NewID("rs-"), name: in.ResourceShareName, owner: c.Caller.Account, region: c.Region,
		external: in.AllowExternalTargets, status: active, created: now, updated: now,
	}
	s.shares.Put(x.id, x)
	c.Refer("ACS::ResourceManager::ResourceShare", x.id)
	if !p.empty() {
		s.associate(x, p)
	}
	return &ShareResponse{x.item()}, nil
}

func (x *share) item() ShareItem {
	return ShareItem{
		ResourceShareId: x.id, ResourceShareName: x.name, ResourceShareOwner: x.owner, ResourceShareStatus: x.status,
		AllowExternalTargets: x.external, CreateTime: stamp(x.created), UpdateTime: stamp(x.updated),
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
