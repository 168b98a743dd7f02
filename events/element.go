package events

import (
	"bytes"
	"encoding/base64"
	"strings"

	"fleetwarden/shared/fleet"

	"github.com/go-json-experiment/json/jsontext"
)

// element tells what the object in env is and reads it. The order matters where
// shapes overlap: an HTTP request has a body, a destination record has a
// request context. Shapes: the event formats page of Function Compute's triggers.
func (r *reader) element() bool {
	e := &r.env
	switch {
	case e.SpecVersion.there() && e.Type.there():
		return r.cloudEvent()
	case e.TriggerTime.there() && e.TriggerName.there() && r.nesting == 0 && !r.inList:
		return r.emit(r.timer(), nil) // in an envelope it would be anybody's
	case e.TopicOwner.there() && e.Message.there():
		return r.wrapped(e.Message, r.join(e.TopicName, e.MessageID), r.payload)
	case e.Body.there() && e.Attrs.there():
		return r.wrapped(e.Body, "", r.payload)
	case e.RequestContext.there() && e.RawPath.there():
		return r.emit(Event{Kind: KindHTTP, Ignored: "an HTTP request"}, nil)
	case e.RequestContext.there() && e.ResponseContext.there():
		return r.wrapped(e.RequestPayload, "", r.payload)
	case e.EventID.there() && e.EventName.there() && e.ServiceName.there():
		return r.trail(&e.record)
	case e.V.there():
		return r.message()
	}
	return r.emit(Event{Kind: KindUnknown, ID: r.outerID}, nil)
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
		if bytes.Contains(typ, []byte(trailInfix)) {
			return r.trail(&e.Data)
		}
	}
	return r.emit(r.event(KindUnknown, &e.Data), nil)
}

// event fills in what all kinds have. Its account and region are as they were
// written: scope checks them.
func (r *reader) event(kind Kind, rec *record) Event {
	e := &r.env
	ev := Event{Kind: kind, ID: r.join(e.Source, e.ID), Source: r.text(e.Source), Type: r.text(e.Type)}
	if ev.ID == "" {
		ev.ID = r.first(rec.EventID)
	}
	if ev.ID == "" {
		ev.ID = r.outerID
	}
	if ev.Type == "" {
		ev.Type = r.text(rec.EventType)
	}
	ev.Time = r.first(rec.EventTime, e.Time)
	ev.Account = fleet.AccountID(r.first(rec.Owner, e.OriginalAccount, e.Account))
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

func (r *reader) timer() Event {
	e := &r.env
	return Event{Kind: KindTimer, ID: r.join(e.TriggerName, e.TriggerTime), Source: r.text(e.TriggerName),
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

// body reads the body of a queue message, or an element that came as a string:
// JSON, plain or as Base64. Producers that keep an SDK's default send Base64, and
// not every stream decodes it.
func (r *reader) body(p []byte) bool {
	p = bytes.TrimSpace(p)
	if looksLikeJSON(p) {
		return r.json(p, r.body)
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(p)))
	if text = bytes.TrimSpace(text); err != nil || !looksLikeJSON(text) {
		return r.fail(wrong("body", "neither JSON nor JSON in Base64"), nil)
	}
	return r.json(text, r.body)
}
