package resourcesharing

import (
	"encoding/json"
	"fmt"
	"slices"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/access"
	"fleetwarden/deploy/local/simcloud/ecs"
)

// mostAccounts is how many accounts a snapshot can be shared with: the page on
// sharing a snapshot. A folder or directory counts as one (assumed).
const mostAccounts = 64

// settle decides what becomes of the associations of one call, resources first.
// So of a resource and a target that come together it is the target that fails,
// else what came last (assumed). The caller holds the mutex.
func (s *Service) settle(started []*association) (events []simcloud.Event) {
	for _, target := range []bool{false, true} {
		for _, a := range started {
			if a.target == target && a.status == associating && !s.invited(a) {
				events = append(events, s.decide(a)...)
			}
		}
	}
	return events
}

// later calls f with the mutex held when what is under way is settled, and raises the events
// that it returns.
func (s *Service) later(f func() []simcloud.Event) {
	s.w.Clock.After(toSettle, func() {
		s.w.Lock()
		events := f()
		s.w.Unlock()
		s.publish(events)
	})
}

// publish raises events. The caller does not hold the mutex.
func (s *Service) publish(events []simcloud.Event) {
	for _, e := range events {
		s.w.Publish(e)
	}
}

// decide ends an association that is under way, as associated or failed, and
// returns the events of it. The caller holds the mutex.
func (s *Service) decide(a *association) (events []simcloud.Event) {
	others := a.share.with(!a.target, associated)
	var details []FailedDetail
	for _, o := range others {
		if why := s.refuse(a, o); why != "" {
			details = append(details, FailedDetail{failed, why, "Associate", o.id, o.kind})
		}
	}
	if len(details) > 0 {
		s.set(a, failed, details[0].StatusMessage)
		a.details = details
	} else {
		s.set(a, associated, "")
	}
	for _, o := range others {
		events = append(events, s.events(a, o, "Associate")...)
	}
	return events
}

// refuse says why a resource and a target of a share cannot come together; empty
// if they can.
func (s *Service) refuse(a, b *association) string {
	resource, target := a, b
	if a.target {
		resource, target = b, a
	}
	r := resource.resource()
	found, ok := s.ecs.Find(r.Region, r.ID)
	if !ok {
		return fmt.Sprintf("%s %s does not exist any more", r.Kind, r.ID)
	}
	if r.Kind == ecs.SnapshotKind && s.targets(r) >= mostAccounts {
		return fmt.Sprintf("snapshot %s is shared with %d accounts, which is the maximum", r.ID, mostAccounts)
	}
	if found.Key == "" {
		return ""
	}
	for _, who := range s.principals(target) {
		g := ecs.Grant{Kind: r.Kind, Owner: r.Owner, Region: r.Region, Key: found.Key, Sharee: who.Account}
		if d := s.acc.DenyPrincipal(g, who); d != nil {
			return d.Why
		}
	}
	return ""
}

// targets is how many targets a resource is associated with, in all shares.
func (s *Service) targets(r ecs.Resource) (n int) {
	for _, a := range s.of[r] {
		if a.status == associated {
			n += len(a.share.with(true, associated))
		}
	}
	return n
}

// accounts are the accounts that a target stands for now.
func (s *Service) accounts(t *association) []string {
	if in, _, ok := s.dir.Within(t.id); ok {
		return slices.DeleteFunc(in, func(a string) bool { return a == t.share.owner })
	}
	return []string{t.id}
}

// principals are those whose ECS must be able to use a key: all accounts of a
// folder or directory, and one that may come to be in it where there is none
// (assumed).
func (s *Service) principals(t *association) (out []access.Principal) {
	for _, a := range s.accounts(t) {
		out = append(out, s.acc.Of(a))
	}
	if len(out) == 0 {
		rd, _, _ := s.dir.Of(t.share.owner)
		_, path, _ := s.dir.Within(t.id)
		out = append(out, access.Principal{Directory: rd, Path: path + "/0000000000000000"})
	}
	return out
}

// statusChange is the data of an event, with the published fields.
type statusChange struct {
	ResourceShareID        string `json:"resourceShareId"`
	ResourceOwnerAccountID string `json:"resourceOwnerAccountId"`
	TargetAccountID        string `json:"targetAccountId"`
	ServiceName            string `json:"serviceName"`
	ResourceType           string `json:"resourceType"`
	ResourceID             string `json:"resourceId"`
	AssociationStatus      string `json:"associationStatus"`
	AssociateType          string `json:"associateType"`
}

// events are the AssociationStatusChange of a resource and a target, one of
// which has just got its status. As in the published sample they go to the
// target's bus; the sharer's does not see them.
func (s *Service) events(changed, other *association, kind string) (out []simcloud.Event) {
	resource, target := changed, other
	if changed.target {
		resource, target = other, changed
	}
	x := changed.share
	for _, account := range s.accounts(target) {
		if !slices.Contains(s.w.Accounts, account) {
			continue
		}
		data, err := json.Marshal(statusChange{
			x.id, x.owner, account, "ecs.aliyuncs.com", resource.kind, resource.id, changed.status, kind,
		})
		if err != nil {
			continue // a struct of strings can always be written
		}
		out = append(out, simcloud.Event{
			Account: account, Region: x.region, Source: "acs.resourcemanager",
			Type:    "resourcemanager:ResourceSharing:AssociationStatusChange",
			Subject: "acs:resourcesharing:" + x.region + ":" + x.owner + ":resourceshare/" + x.id,
			Data:    data,
		})
	}
	return out
}
