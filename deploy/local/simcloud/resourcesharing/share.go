package resourcesharing

import (
	"slices"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/access"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Service is the product.
type Service struct {
	w   *simcloud.World
	ecs *ecs.Service
	acc *access.Access
	dir *resourcemanager.Directory

	shares      simcloud.Table[share]
	invitations simcloud.Table[invitation]
	of          map[ecs.Resource][]*association // by shared resource
	seq         uint64
}

// New returns Resource Sharing without shares. The caller sets it as
// a.Shares.
func New(w *simcloud.World, e *ecs.Service, a *access.Access) *Service {
	return &Service{w: w, ecs: e, acc: a, dir: a.Directory, of: map[ecs.Resource][]*association{}}
}

// Enter implements wire.Guarded. Documented: all APIs are asked for on all resources.
func (s *Service) Enter(c *wire.Call) (sync.Locker, error) {
	return s.w, c.Allow("resourcesharing:"+c.Action, "*")
}

// Statuses of an association and of a share, as documented.
const (
	associating    = "Associating"
	associated     = "Associated"
	failed         = "Failed"
	disassociating = "Disassociating"
	disassociated  = "Disassociated"

	active   = "Active"
	deleting = "Deleting"
	deleted  = "Deleted"
)

// How long things take. That records of what failed or ended go after 48 to 96
// hours, and invitations after 7 days, is documented; the rest is assumed.
const (
	toSettle     = 5 * time.Second
	keepEnded    = 72 * time.Hour
	toInvitation = 7 * 24 * time.Hour
)

// share is a resource share. It belongs to a region.
type share struct {
	id, name         string
	owner, region    string
	external         bool // AllowExternalTargets
	status           string
	created, updated time.Time
	parts            []*association // resources and targets, oldest first
}

// association ties a resource or a target to a share.
type association struct {
	seq              uint64
	share            *share
	target           bool
	id, kind         string // kind is Snapshot, Image, or Account for every target
	external         bool   // a target outside the directory
	status, message  string
	details          []FailedDetail
	invitation       *invitation // the last one of an external target
	created, updated time.Time
}

// next numbers associations and invitations; a listing continues behind a number.
func (s *Service) next() uint64 {
	s.seq++
	return s.seq
}

func (x *share) find(target bool, kind, id string) *association {
	for _, a := range x.parts {
		if a.target == target && a.id == id && (target || a.kind == kind) {
			return a
		}
	}
	return nil
}

// with yields the share's resources or targets in a status.
func (x *share) with(target bool, status string) (out []*association) {
	for _, a := range x.parts {
		if a.target == target && a.status == status {
			out = append(out, a)
		}
	}
	return out
}

// resource is the resource of an association that has one.
func (a *association) resource() ecs.Resource {
	return ecs.Resource{Kind: a.kind, Owner: a.share.owner, Region: a.share.region, ID: a.id}
}

// set moves an association on. What failed or ended is forgotten after a while.
func (s *Service) set(a *association, status, message string) {
	now := s.w.Clock.Now()
	a.status, a.message, a.updated, a.details = status, message, now, nil
	if status != failed && status != disassociated {
		return
	}
	s.w.Background(keepEnded, func() {
		if a.status == status && a.updated.Equal(now) {
			s.forget(a)
		}
	})
}

func (s *Service) forget(a *association) {
	a.share.parts = slices.DeleteFunc(a.share.parts, func(x *association) bool { return x == a })
	if !a.target {
		r := a.resource()
		s.of[r] = slices.DeleteFunc(s.of[r], func(x *association) bool { return x == a })
		if len(s.of[r]) == 0 {
			delete(s.of, r)
		}
	}
}

// Shared implements access.Shares: a share has both the resource and a target
// that the account is, or is in.
func (s *Service) Shared(r ecs.Resource, account string) bool {
	return slices.ContainsFunc(s.of[r], func(a *association) bool {
		return a.status == associated && s.reaches(a.share, account)
	})
}

// SharedAtAll implements access.Shares.
func (s *Service) SharedAtAll(r ecs.Resource) bool {
	return slices.ContainsFunc(s.of[r], func(a *association) bool {
		return a.status == associated && len(a.share.with(true, associated)) > 0
	})
}

func (s *Service) reaches(x *share, account string) bool {
	if account == x.owner {
		return false
	}
	return slices.ContainsFunc(x.with(true, associated), func(t *association) bool { return s.covers(t, account) })
}

// covers reports whether a target is the account, or the account is in it.
func (s *Service) covers(t *association, account string) bool {
	if t.id == account {
		return true
	}
	_, path, _ := s.dir.Of(account)
	return slices.Contains(strings.Split(path, "/"), t.id)
}
