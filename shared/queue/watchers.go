package queue

import (
	"errors"
	"slices"

	"fleetwarden/shared/fleet"
)

// functions are the functions that have an inbox, and the kinds of ref they look at.
var functions = []struct {
	name  string
	kinds []fleet.Kind
}{
	{"validate-instance", []fleet.Kind{fleet.KindInstance, fleet.KindCall, fleet.KindAccount}},
	{"attach-role", []fleet.Kind{fleet.KindInstance, fleet.KindAccount}},
	{"push-agent", []fleet.Kind{fleet.KindInstance}},
	{shares, []fleet.Kind{fleet.KindSnapshotShare, fleet.KindImageShare}},
	{"sweep", []fleet.Kind{fleet.KindFleet, fleet.KindAccount}},
}

// shares is the function that looks at all that an account shares.
const shares = "setup-share-role"

// Watch is what a trail record or an event of a service is about.
type Watch struct {
	// Event is a trail record's eventName, or the type of another CloudEvent.
	Event string
	// Call says that Event is an eventName: ActionTrail keeps its records.
	Call bool
	// Functions look at what it names.
	Functions []string
}

// watches says who looks when something happens: what deploy/eventrules and the
// triggers of s.yaml deliver, as package events decodes it. The calls of
// [fleet.LaunchCalls] come first. AcceptResourceShareInvitation is not among them: it is
// the recipient's side, which needs no role. Calls of Resource Sharing are known from the
// trail alone: EventBridge's published list (help page doc-detail/204963) does not have it.
func watches() (all []Watch) {
	for _, c := range fleet.LaunchCalls() {
		all = append(all, Watch{c.Event, true, []string{"validate-instance", "attach-role"}})
	}
	return append(all, others...)
}

var others = []Watch{
	{"ModifyImageSharePermission", true, []string{shares}},
	{"CreateResourceShare", true, []string{shares}},
	{"AssociateResourceShare", true, []string{shares}},
	{"DisassociateResourceShare", true, []string{shares}},
	{"UpdateResourceShare", true, []string{shares}},
	{"DeleteResourceShare", true, []string{shares}},
	{"resourcemanager:ResourceSharing:AssociationStatusChange", false, []string{shares}},
	{"ecs:Instance:StateChange", false, []string{"attach-role", "push-agent"}},
	{"ecs:CloudAssistant:FirstHeartbeat", false, []string{"push-agent"}},
	{"ecs:CloudAssistant:TaskCompleted", false, []string{"push-agent"}},
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

// Watchers are the functions that look at what an event names; none for an event that is
// not watched.
func Watchers(event string) []string {
	for _, w := range watches() {
		if w.Event == event {
			return slices.Clone(w.Functions)
		}
	}
	return nil
}

// Delivery is the refs for one function in one region.
type Delivery struct {
	Function string
	Refs     []fleet.Ref // all of one region
}

// Sort gives each of functions the refs of the kinds that it looks at, region by region.
// One that looks at none of them is left out.
func Sort(functions []string, refs []fleet.Ref) (out []Delivery) {
	type place struct {
		function string
		region   fleet.Region
	}
	at := map[place]int{}
	for _, function := range functions {
		for _, ref := range refs {
			if !Takes(function, ref.Kind) {
				continue
			}
			p := place{function, ref.Scope.Region}
			i, ok := at[p]
			if !ok {
				i, out = len(out), append(out, Delivery{Function: function})
				at[p] = i
			}
			out[i].Refs = append(out[i].Refs, ref)
		}
	}
	return out
}

// InboxOf is the function into whose inbox goes what was for another one: mostly itself.
// watch-shares has none: setup-share-role checks shares.
func InboxOf(function string) (name string, ok bool) {
	if function == "watch-shares" {
		return shares, true
	}
	return function, Has(function)
}

// Has reports whether a function has an inbox.
func Has(function string) bool { return kinds(function) != nil }

// Takes reports whether a function looks at refs of a kind.
func Takes(function string, kind fleet.Kind) bool { return slices.Contains(kinds(function), kind) }

func kinds(function string) []fleet.Kind {
	for _, f := range functions {
		if f.name == function {
			return f.kinds
		}
	}
	return nil
}

var (
	errNoInbox  = errors.New("it has no inbox")
	errNoObject = errors.New("it is no object")
)
