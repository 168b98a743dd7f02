package events

import "fleetwarden/shared/fleet"

// Event is one element of a payload. It holds copies: the payload may be
// reused.
type Event struct {
	Kind fleet.EventKind
	// ID is the same for two deliveries of one event: "source|id" of the
	// CloudEvent (the pair that EventBridge promises to be unique), else the trail
	// record's eventId, else "trigger|time" of a timer. Empty when the payload has
	// none of them.
	ID string
	// Type is the CloudEvent's; a bare trail record's is its eventType.
	Type string
	// Name is a trail record's eventName.
	Name string
	// Time is when it happened, as it was written: not all published samples are
	// RFC 3339.
	Time string
	// Account owns what the event is about: recipientAccountId, else
	// aliyunoriginalaccountid, else aliyunaccountid, else the account whose trail or log
	// it came from, else the caller's. It and Region are as they were written; those of
	// Refs have been checked.
	Account fleet.AccountID
	Region  fleet.Region
	// Refs says where to look. All refs of one event share one Call. There may be
	// more than [fleet.MaxBatch], and the same one may come again in other events.
	// Refs of share events are global: one per account and kind.
	Refs []fleet.Ref
	// Call is what a launch or share call claimed; nil for other kinds.
	Call *fleet.Call
	// Role and Session name the role session that made the call; empty for other
	// callers.
	Role, Session string
	// Ignored says why a known kind has no refs.
	Ignored string
}

// scope is where the event's refs are. It fails when the event does not say.
func (e *Event) scope() (fleet.Scope, error) {
	if !e.Account.Valid() {
		return fleet.Scope{}, bad("account", string(e.Account))
	}
	if !e.Region.Valid() {
		return fleet.Scope{}, bad("region", string(e.Region))
	}
	return fleet.Scope{Account: e.Account, Region: e.Region}, nil
}
