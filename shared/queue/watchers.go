package queue

import (
	"context"
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
	{atHome, []fleet.Kind{fleet.KindSnapshotShare, fleet.KindImageShare}},
}

// atHome is the function that there is in the home region alone.
const atHome = "setup-share-role"

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
// triggers of s.yaml deliver, as package events decodes it. AcceptResourceShareInvitation
// is not among them: it is the recipient's side, which needs no role.
var watches = []Watch{
	{"RunInstances", true, []string{"validate-instance", "attach-role"}},
	{"CreateInstance", true, []string{"validate-instance", "attach-role"}},
	{"ModifyImageSharePermission", true, []string{atHome}},
	{"CreateResourceShare", true, []string{atHome}},
	{"AssociateResourceShare", true, []string{atHome}},
	{"DisassociateResourceShare", true, []string{atHome}},
	{"UpdateResourceShare", true, []string{atHome}},
	{"DeleteResourceShare", true, []string{atHome}},
	{"resourcemanager:ResourceSharing:AssociationStatusChange", false, []string{atHome}},
	{"ecs:Instance:StateChange", false, []string{"attach-role", "push-agent"}},
	{"ecs:CloudAssistant:FirstHeartbeat", false, []string{"push-agent"}},
	{"ecs:CloudAssistant:TaskCompleted", false, []string{"push-agent"}},
}

// Calls are the watched events of which ActionTrail keeps records.
func Calls() (out []Watch) {
	for _, w := range watches {
		if w.Call {
			out = append(out, w)
		}
	}
	return out
}

// Watchers are the functions that look at what an event names; none for an event that
// nobody watches.
func Watchers(event string) []string {
	for _, w := range watches {
		if w.Event == event {
			return slices.Clone(w.Functions)
		}
	}
	return nil
}

// Told is what one function is told to look at.
type Told struct {
	Function string
	Refs     []fleet.Ref
}

// Sort gives each of functions the refs of the kinds that it looks at. One that looks at
// none of them is left out.
func Sort(functions []string, refs []fleet.Ref) (out []Told) {
	for _, function := range functions {
		told := Told{Function: function}
		for _, ref := range refs {
			if Takes(function, ref.Kind) {
				told.Refs = append(told.Refs, ref)
			}
		}
		if len(told.Refs) > 0 {
			out = append(out, told)
		}
	}
	return out
}

// InboxOf is the function into whose inbox goes what was for another one: mostly itself.
// watch-shares has none, and tells setup-share-role.
func InboxOf(function string) (name string, ok bool) {
	if function == "watch-shares" {
		return atHome, true
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

var errNoInbox = errors.New("it has no inbox")

// Regions is the way to the inboxes of a region, and to that of setup-share-role,
// which is in the home region alone.
type Regions struct{ Here, Home *Inbox }

// Tell puts refs into a function's inbox.
func (r Regions) Tell(ctx context.Context, function string, refs []fleet.Ref) error {
	if function == atHome {
		return r.Home.Tell(ctx, function, refs)
	}
	return r.Here.Tell(ctx, function, refs)
}
