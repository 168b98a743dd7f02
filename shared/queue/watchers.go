package queue

import (
	"errors"
	"slices"

	"fleetwarden/shared/fleet"
)

// Watch is a trail record or an event of a service that names something to check.
type Watch struct {
	// Event is a trail record's eventName, or the type of another CloudEvent.
	Event string
	Kind  fleet.EventKind
	// Call says that Event is an eventName: ActionTrail keeps its records.
	Call bool
}

// watches are what deploy/eventrules and the triggers of s.yaml deliver, as package events
// decodes it. The calls of [fleet.LaunchCalls] come first. AcceptResourceShareInvitation is
// not among them: it is the recipient's side, which needs no role. Calls of Resource Sharing
// are known from the trail alone: EventBridge's published list (help page doc-detail/204963)
// does not have it.
func watches() (all []Watch) {
	for _, c := range fleet.LaunchCalls() {
		all = append(all, Watch{c.Event, fleet.EventLaunch, true})
	}
	return append(all, others...)
}

var others = []Watch{
	{"ModifyImageSharePermission", fleet.EventImageShare, true},
	{"CreateResourceShare", fleet.EventResourceShare, true},
	{"AssociateResourceShare", fleet.EventResourceShare, true},
	{"DisassociateResourceShare", fleet.EventResourceShare, true},
	{"UpdateResourceShare", fleet.EventResourceShare, true},
	{"DeleteResourceShare", fleet.EventResourceShare, true},
	{"resourcemanager:ResourceSharing:AssociationStatusChange", fleet.EventShareStatus, false},
	{"ecs:Instance:StateChange", fleet.EventStateChange, false},
	{"ecs:CloudAssistant:FirstHeartbeat", fleet.EventFirstHeartbeat, false},
	{"ecs:CloudAssistant:TaskCompleted", fleet.EventTaskCompleted, false},
}

// Calls are the watched events of which ActionTrail keeps records.
func Calls() (out []Watch) {
	for _, w := range watches() {
		if w.Call {
			out = append(out, w)
		}
	}
	return out
}

// Watchers are the functions with an inbox that handle an event; none for an event that is
// not watched.
func Watchers(event string) (names []string) {
	for _, w := range watches() {
		if w.Event != event {
			continue
		}
		for _, f := range fleet.Functions() {
			if f.HasInbox() && slices.Contains(f.Events, w.Kind) {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// Delivery is the refs for one function in one region.
type Delivery struct {
	Function string
	Refs     []fleet.Ref // all of one region
}

// Sort gives each of functions the refs of the kinds that it takes, region by region. A
// function that takes none of them is left out.
func Sort(functions []string, refs []fleet.Ref) []Delivery {
	var all []Delivery
	for _, function := range functions {
		for _, ref := range refs {
			if Takes(function, ref.Kind) {
				all = append(all, Delivery{function, []fleet.Ref{ref}})
			}
		}
	}
	return Join(all)
}

// Address is the inbox of a function in a region.
type Address struct {
	Function string
	Region   fleet.Region
}

// Address returns where the delivery goes.
func (d Delivery) Address() Address { return Address{d.Function, d.Refs[0].Scope.Region} }

// Join joins the deliveries for one inbox, in the order in which inboxes come first.
func Join(all []Delivery) (out []Delivery) {
	at := map[Address]int{}
	for _, d := range all {
		i, ok := at[d.Address()]
		if !ok {
			i, out = len(out), append(out, Delivery{Function: d.Function})
			at[d.Address()] = i
		}
		out[i].Refs = append(out[i].Refs, d.Refs...)
	}
	return out
}

// Takes reports whether a function has an inbox for refs of a kind.
func Takes(function string, kind fleet.Kind) bool {
	f := fleet.FunctionNamed(function)
	return f.HasInbox() && slices.Contains(f.Refs, kind)
}

var (
	errNoInbox  = errors.New("it has no inbox")
	errNoObject = errors.New("it is no object")
)
