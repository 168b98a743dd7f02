// Package queue puts refs into the inboxes of our functions: to recheck them later, to
// forward a change to its owner, or to have the subject of an event checked. It writes fleet
// messages and knows which function handles which event; it reads no queue, since the
// platform delivers.
package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
)

// DeadLetters is the queue of messages and events that no function could handle.
const DeadLetters = fleet.Prefix + "dead-letters"

// Sender sends messages to a queue. It returns how many of them are safely stored; the
// error says why the others are not.
type Sender interface {
	Send(ctx context.Context, queue string, messages []mns.Message) (stored int, err error)
}

// Inbox is one function's way to all inboxes.
type Inbox struct {
	sender   Sender
	function string
}

// New returns the inbox of a function, such as attach-role.
func New(sender Sender, function string) *Inbox { return &Inbox{sender, function} }

// Again puts refs into the function's own inbox, to be delivered after that long.
func (i *Inbox) Again(ctx context.Context, refs []fleet.Ref, after time.Duration) error {
	return i.send(ctx, i.function, refs, after)
}

// Forward puts the refs of changes into their owners' inboxes, each resource once. The owner
// observes and decides again: a message carries no orders.
func (i *Inbox) Forward(ctx context.Context, cs []fleet.Change) error {
	byOwner := map[string][]fleet.Ref{}
	type delivery struct {
		owner    string
		resource fleet.Key
	}
	done := map[delivery]bool{}
	for _, c := range cs {
		owners := fleet.Makers(c.Kind)
		if len(owners) == 0 {
			return fmt.Errorf("no function owns changes of kind %q", c.Kind)
		}
		function := owners[0]
		if d := (delivery{function, c.Ref.Key()}); !done[d] {
			done[d] = true
			byOwner[function] = append(byOwner[function], c.Ref)
		}
	}
	for _, function := range slices.Sorted(maps.Keys(byOwner)) {
		if err := i.send(ctx, function, byOwner[function], 0); err != nil {
			return err
		}
	}
	return nil
}

// Enqueue puts refs into another function's inbox, which checks them as if their event had
// arrived now.
func (i *Inbox) Enqueue(ctx context.Context, function string, refs []fleet.Ref) error {
	return i.Later(ctx, function, refs, 0)
}

// Later is [Inbox.Enqueue] with a delay.
func (i *Inbox) Later(ctx context.Context, function string, refs []fleet.Ref, after time.Duration) error {
	if !fleet.FunctionNamed(function).HasInbox() {
		return fmt.Errorf("enqueuing for %s: %w", function, errNoInbox)
	}
	return i.send(ctx, function, refs, after)
}

func (i *Inbox) send(ctx context.Context, function string, refs []fleet.Ref, after time.Duration) error {
	return i.put(ctx, fleet.CloudName(function), function, refs, after)
}

// put sends refs for a function to a queue.
func (i *Inbox) put(ctx context.Context, queue, function string, refs []fleet.Ref, after time.Duration) error {
	packed := fleet.Messages(refs)
	out := make([]mns.Message, len(packed))
	for n, m := range packed {
		m.Function = function
		body, err := write(m)
		if err != nil {
			return fmt.Errorf("writing a message: %w", err)
		}
		out[n] = mns.Message{Body: string(body), Delay: after}
	}
	if stored, err := i.sender.Send(ctx, queue, out); err != nil {
		return fmt.Errorf("%d of %d messages stored: %w", stored, len(out), err)
	}
	return nil
}

// write returns the text of a message. If it is too long for a queue, it leaves out the disks
// that its launch named, which only save API calls. If it is still too long, it leaves out the
// call: the claimed facts are unknown then, and the refs are checked without them.
func write(m fleet.Message) ([]byte, error) {
	body, err := json.Marshal(m)
	if fits(body, err) || m.Call == nil {
		return body, err
	}
	if m.Call.Launch != nil {
		call, launch := *m.Call, *m.Call.Launch
		launch.Disks, call.Launch, m.Call = nil, &launch, &call
		if body, err = json.Marshal(m); fits(body, err) {
			return body, err
		}
	}
	m.Call = nil
	return json.Marshal(m)
}

// fits reports whether leaving something out of the message would not help.
func fits(body []byte, err error) bool { return err != nil || len(body) <= mns.MaxBytes }
