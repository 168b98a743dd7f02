package events

import (
	"bytes"
	"cmp"

	"fleetwarden/shared/fleet"

	"github.com/go-json-experiment/json/jsontext"
)

// element determines what the object in env is, and reads it. The order matters where
// shapes overlap: an HTTP request has a body, a destination record has a
// request context. Shapes: the event formats page of Function Compute's triggers.
func (r *reader) element() bool {
	e := &r.env
	switch {
	case e.SpecVersion.there() && e.Type.there():
		return r.cloudEvent()
	case e.TriggerTime.there() && e.TriggerName.there() && r.nesting == 0 && r.lists == 0:
		return r.emit(r.timer(), nil) // in an envelope it would be anybody's
	case e.TopicOwner.there() && e.Message.there():
		return r.wrapped(e.Message, r.join(e.TopicName, e.MessageID), r.payload)
	case e.Body.there() && e.Attrs.there():
		return r.wrapped(e.Body, "", r.payload)
	case e.RequestContext.there() && e.RawPath.there():
		return r.http()
	case e.RequestContext.there() && e.ResponseContext.there():
		return r.wrapped(e.RequestPayload, "", r.payload)
	case e.EventName.there() && (e.EventID.there() || e.EventType.there() || e.ServiceName.there()):
		return r.trail(&e.record)
	case e.List.there() && r.src[e.List.from] == '[':
		return r.unwrap(r.src[e.List.from:e.List.to], "", r.list)
	case r.holdsJSON(e.Event):
		return r.logged(e.Event)
	case r.holdsJSON(e.Contents):
		return r.logged(e.Contents)
	case e.V.there():
		return r.message()
	}
	return r.emit(Event{Kind: fleet.EventUnknown, ID: r.outerID}, nil)
}

// The CloudEvents types that are about instances and shares.
const (
	typeStateChange    = "ecs:Instance:StateChange"
	typeFirstHeartbeat = "ecs:CloudAssistant:FirstHeartbeat"
	typeTaskCompleted  = "ecs:CloudAssistant:TaskCompleted"
	typeShareStatus    = "resourcemanager:ResourceSharing:AssociationStatusChange"
	typeQueueMessage   = "mns:Queue:SendMessage"
	trailInfix         = ":ActionTrail:"
)

// cloudEvent goes by the type, never by the source: acs.ecs sends both trail
// records and its own events.
func (r *reader) cloudEvent() bool {
	e := &r.env
	switch typ := r.plain(e.Type); string(typ) {
	case typeStateChange:
		return r.emit(r.stateChange())
	case typeFirstHeartbeat:
		return r.emit(r.firstHeartbeat())
	case typeTaskCompleted:
		return r.emit(r.taskCompleted())
	case typeShareStatus:
		return r.emit(r.shareStatus())
	case typeQueueMessage:
		return r.wrapped(e.Data.MessageBody, r.join(e.Source, e.ID), r.body)
	default:
		switch isTrail := bytes.Contains(typ, []byte(trailInfix)); {
		case isTrail && len(r.plain(e.Data.EventName)) == 0:
			return r.fail(bad("data.eventName", ""), nil)
		case isTrail:
			return r.trail(&e.Data)
		}
	}
	return r.emit(r.event(fleet.EventUnknown, &e.Data), nil)
}

// event fills in what all kinds have. Its account and region are as they were
// written: scope checks them.
func (r *reader) event(kind fleet.EventKind, rec *record) Event {
	e := &r.env
	ev := Event{Kind: kind, ID: r.join(e.Source, e.ID), Source: r.text(e.Source), Type: r.text(e.Type)}
	if ev.ID == "" {
		ev.ID = r.first(rec.EventID, rec.RequestID)
	}
	if ev.ID == "" {
		ev.ID = r.outerID
	}
	if ev.Type == "" {
		ev.Type = r.text(rec.EventType)
	}
	ev.Time = r.first(rec.EventTime, e.Time)
	ev.Account = fleet.AccountID(cmp.Or(r.first(rec.Owner, e.OriginalAccount, e.Account), r.owner))
	if ev.Account == "" {
		ev.Account = fleet.AccountID(r.first(e.LogOwner, rec.Identity.AccountID))
	}
	ev.Region = fleet.Region(r.first(rec.Region, e.RegionID))
	return ev
}

// join returns "a|b", or nothing without b.
func (r *reader) join(a, b span) string {
	if len(r.plain(b)) == 0 {
		return ""
	}
	var room [2*maxText + 1]byte
	joined := append(room[:0], cut(r.plain(a), maxText)...)
	joined = append(joined, '|')
	return r.keep(append(joined, cut(r.plain(b), maxText)...))
}

// http reads the body of an HTTP trigger's request: MNS and EventBridge can push to one.
// FC sends a body as text or as Base64.
func (r *reader) http() bool {
	if !r.holdsJSON(r.env.Body) {
		return r.emit(Event{Kind: fleet.EventHTTP, Ignored: "an HTTP request"}, nil)
	}
	return r.wrapped(r.env.Body, "", r.body)
}

func (r *reader) timer() Event {
	e := &r.env
	return Event{Kind: fleet.EventTimer, ID: r.join(e.TriggerName, e.TriggerTime), Source: r.text(e.TriggerName),
		Time: r.text(e.TriggerTime), Text: string(r.plain(e.Payload))}
}

// wrapped reads the value at s as a payload of its own: the text of a string,
// or an object or list as it stands.
func (r *reader) wrapped(s span, id string, read func([]byte) bool) bool {
	v := jsontext.Value(r.src[s.from:s.to])
	if v.Kind() == '"' {
		v = bytes.Clone(r.plain(s))
	}
	return r.unwrap(v, id, read)
}

// logged reads the trail record, or what holds it, in a log of Simple Log Service. The
// log's owner is the record's where the record does not say.
func (r *reader) logged(s span) bool {
	owner := r.owner
	defer func() { r.owner = owner }()
	r.owner = cmp.Or(owner, r.text(r.env.LogOwner))
	return r.wrapped(s, "", r.body)
}

// holdsJSON reports whether the value at s is an object or list, or a text that holds one.
func (r *reader) holdsJSON(s span) bool {
	if !s.there() {
		return false
	}
	v := jsontext.Value(r.src[s.from:s.to])
	return v.Kind() == '{' || v.Kind() == '[' || fleet.JSONIn(r.plain(s)) != nil
}

// body reads the body of a queue message, or an element that came as a string.
func (r *reader) body(p []byte) bool {
	text := fleet.JSONIn(p)
	if text == nil {
		return r.fail(wrong("body", "neither JSON nor JSON in Base64"), nil)
	}
	return r.json(text, r.body)
}
