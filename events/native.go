package events

import (
	"strings"

	"fleetwarden/shared/fleet"
)

// stateChange is every change of an instance's state, also to Stopped and
// Deleted: to which one, the instance itself says.
func (r *reader) stateChange() (Event, error) {
	ev := r.event(fleet.EventStateChange, r.env.data)
	return r.instance(ev, "data.resourceId", r.first(r.env.data, "resourceId", "instanceId"))
}

func (r *reader) taskCompleted() (Event, error) {
	ev := r.event(fleet.EventTaskCompleted, r.env.data)
	return r.instance(ev, "data.instanceId", r.first(r.env.data, "instanceId", "resourceId"))
}

func (r *reader) firstHeartbeat() (Event, error) {
	ev := r.event(fleet.EventFirstHeartbeat, r.env.data)
	if id := r.first(r.env.data, "instanceId", "resourceId"); id != "" {
		return r.instance(ev, "data.instanceId", id)
	}
	scope, err := ev.scope()
	if err == nil {
		ev.Refs = []fleet.Ref{{Scope: scope, Kind: fleet.KindAccount}}
	}
	return ev, err
}

// instance makes the instance id, found at where, the event's only ref.
func (r *reader) instance(ev Event, where, id string) (Event, error) {
	scope, err := ev.scope()
	if err != nil {
		return ev, err
	}
	if !fleet.ValidInstanceID(id) {
		return ev, bad(where, id)
	}
	ev.Refs = []fleet.Ref{{Scope: scope, Kind: fleet.KindInstance, ID: id}}
	return ev, nil
}

// shareStatus is about the sharer, whoever's bus it came by: the published
// sample was delivered to the target's.
func (r *reader) shareStatus() (Event, error) {
	ev := r.event(fleet.EventShareStatus, r.env.data)
	if owner := r.text(r.env.data.get("resourceOwnerAccountId")); owner != "" {
		ev.Account = fleet.AccountID(owner)
	}
	var kinds shareKinds
	kinds.add(r.text(r.env.data.get("resourceType")))
	if kinds.none() {
		ev.Ignored = "it shares neither snapshots nor images"
		return ev, nil
	}
	return withShares(ev, kinds)
}

// shareKinds says which kinds of sharing an event is about.
type shareKinds struct{ snapshots, images, other bool }

func (k shareKinds) none() bool { return !k.snapshots && !k.images }

// add takes a ResourceType of Resource Sharing.
func (k *shareKinds) add(resourceType string) {
	switch {
	case strings.EqualFold(resourceType, "Snapshot"):
		k.snapshots = true
	case strings.EqualFold(resourceType, "Image"):
		k.images = true
	default:
		// A type that is not named can be any.
		k.other = k.other || resourceType != ""
	}
}

// withShares gives ev one ref per kind of sharing, for the account as a whole:
// its share roles are global, and its shares are counted over all regions.
func withShares(ev Event, kinds shareKinds) (Event, error) {
	if !ev.Account.Valid() {
		return ev, bad("account", string(ev.Account))
	}
	scope := fleet.Scope{Account: ev.Account}
	if kinds.snapshots {
		ev.Refs = append(ev.Refs, fleet.Ref{Scope: scope, Kind: fleet.KindSnapshotShare, Call: ev.Call})
	}
	if kinds.images {
		ev.Refs = append(ev.Refs, fleet.Ref{Scope: scope, Kind: fleet.KindImageShare, Call: ev.Call})
	}
	return ev, nil
}
