package undo

import (
	"context"
	"slices"
	"strings"

	"fleetwarden/shared/acts/instancerole"
	"fleetwarden/shared/acts/sanction"
	"fleetwarden/shared/acts/sharerole"
	"fleetwarden/shared/fleet"
)

// ECS is the part of ECS that undoing needs.
type ECS interface {
	instancerole.Replacer
	sanction.Instances
	sanction.Restorer
}

// RAM is the part of RAM that undoing needs.
type RAM interface {
	instancerole.Roles
	sharerole.Roles
	sharerole.Policies
	sharerole.Attacher
	sharerole.Marker
}

// Hands are the clients of one account.
type Hands struct {
	ECS ECS
	RAM RAM
}

// target is a slot and the ref of its resource.
type target struct {
	slot slot
	ref  fleet.Ref
}

// value is the value of a slot, or why it is unknown.
type value struct {
	text string
	why  string
	// gone: the resource does not exist.
	gone bool
}

// observe reads slots of one scope.
func (h Hands) observe(ctx context.Context, s fleet.Scope, targets []target) (map[slot]value, error) {
	out := make(map[slot]value, len(targets))
	if err := h.observeInstances(ctx, s, targets, out); err != nil {
		return nil, err
	}
	ram := ramReader{RAM: h.RAM, roles: map[string]fleet.Role{}}
	for _, p := range targets {
		if p.ref.Kind != fleet.KindRole && p.ref.Kind != fleet.KindPolicy {
			continue
		}
		v, err := ram.value(ctx, p)
		if err != nil {
			return nil, err
		}
		out[p.slot] = v
	}
	return out, nil
}

func (h Hands) observeInstances(ctx context.Context, s fleet.Scope, targets []target, out map[slot]value) error {
	ids := instances(targets, func(target) bool { return true })
	if len(ids) == 0 {
		return nil
	}
	listed, err := h.ECS.Listings(ctx, s.Region, ids)
	if err != nil {
		return err
	}
	var roles map[string]string
	having := instances(targets, func(p target) bool {
		_, there := listed[p.ref.ID]
		return there && p.slot.facet == attached
	})
	if len(having) > 0 {
		if roles, err = h.ECS.RoleNames(ctx, s.Region, having); err != nil {
			return err
		}
	}
	for _, p := range targets {
		l, there := listed[p.ref.ID]
		switch {
		case p.ref.Kind != fleet.KindInstance:
		case !there:
			out[p.slot] = value{why: "the instance is gone", gone: true}
		case p.slot.facet == attached:
			out[p.slot] = value{text: roles[p.ref.ID]}
		default:
			out[p.slot] = shown(p.slot, l)
		}
	}
	return nil
}

// instances are the distinct ids of some of the targets.
func instances(targets []target, of func(target) bool) []string {
	var ids []string
	for _, p := range targets {
		if p.ref.Kind == fleet.KindInstance && of(p) {
			ids = append(ids, p.ref.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// shown is the value of a tag or power slot by a listing.
func shown(s slot, l fleet.Listing) value {
	text, tagged := l.Tags[s.name]
	if tagged {
		text = s.name + "=" + text
	}
	switch {
	case s.facet == tag:
		return value{text: text}
	case l.Status == "Stopping":
		return value{why: "the instance is still stopping: undo again once it is stopped"}
	case l.Status == "Stopped" && tagged:
		return value{text: text}
	case l.Status == "Stopped":
		return value{text: l.Status}
	}
	return value{text: running} // or starting
}

// ramReader reads roles once.
type ramReader struct {
	RAM
	roles map[string]fleet.Role
}

func (r ramReader) role(ctx context.Context, name string) (fleet.Role, error) {
	if role, ok := r.roles[name]; ok {
		return role, nil
	}
	role, err := r.Role(ctx, name)
	if err == nil {
		r.roles[name] = role
	}
	return role, err
}

func (r ramReader) value(ctx context.Context, p target) (value, error) {
	if p.slot.facet == document {
		doc, err := r.Fresh(ctx, fleet.Policy{Name: p.ref.ID, Type: fleet.CustomPolicy})
		if fleet.ClassOf(err) == fleet.NotFound {
			return value{why: "the policy is gone", gone: true}, nil
		}
		return value{text: doc}, err
	}
	name, policy := p.ref.ID, p.slot.name
	if p.slot.facet == keys {
		name, policy = policy, name
	}
	role, err := r.role(ctx, name)
	switch {
	case err != nil:
		return value{}, err
	case role.Missing:
		return value{why: "the role " + name + " is gone", gone: true}, nil
	case p.slot.facet == trust:
		return value{text: role.Trust}, nil
	case p.slot.facet == mark:
		tags, err := r.RoleTags(ctx, name)
		return value{text: tags[fleet.TagUnused]}, err
	case !slices.ContainsFunc(role.Policies, func(x fleet.Policy) bool { return strings.EqualFold(x.Name, policy) }):
		return value{}, nil
	}
	return value{text: p.slot.name}, nil
}
