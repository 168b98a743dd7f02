package events

import (
	"bytes"
	"cmp"

	"fleetwarden/shared/fleet"

	"github.com/go-json-experiment/json/jsontext"
)

// element determines what the object in env is, and reads it. The order matters where
// shapes overlap: an HTTP request has a body, a destination record has a
// request context. Shapes and names: the event formats page of Function Compute's triggers;
// the CloudEvents page of EventBridge; the API reference of LookupEvents and of GetLogsV2
// ("data"; older tools print "logs"); the pages on ActionTrail's log fields of Simple Log
// Service (www.alibabacloud.com/help/en/sls/log-fields-25 and …/sls/actiontrail). Those of a
// trail record: help.aliyun.com/document_detail/199169.html; of other data: the event pages
// of ECS, Cloud Assistant, Resource Management and MNS.
func (r *reader) element() bool {
	e := &r.env
	switch {
	case e.has("specversion", "type"):
		return r.cloudEvent()
	case e.has("triggerTime", "triggerName") && r.nesting == 0 && r.lists == 0:
		return r.emit(r.timer(), nil) // in an envelope it would be anybody's
	case e.has("TopicOwner", "Message"):
		return r.wrapped(e.get("Message"), r.join(e.get("TopicName"), e.get("MessageId")), r.payload)
	case e.has("body", "attrs"):
		return r.wrapped(e.get("body"), "", r.payload)
	case e.has("requestContext", "rawPath"):
		return r.http()
	case e.has("requestContext", "responseContext"):
		return r.wrapped(e.get("requestPayload"), "", r.payload)
	case e.has("eventName") && (e.has("eventId") || e.has("eventType") || e.has("serviceName")):
		return r.trail(e.object)
	}
	for _, list := range [...]string{"Events", "events", "logs", "data"} {
		if v := e.get(list); v.Kind() == '[' {
			return r.unwrap(v, "", r.list)
		}
	}
	for _, record := range [...]string{"event", "contents"} { // a log as it is exported, and as the SDKs write it
		if v := e.get(record); r.holdsJSON(v) {
			return r.logged(v)
		}
	}
	if e.has("v") {
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
	switch typ := r.plain(r.env.get("type")); string(typ) {
	case typeStateChange:
		return r.emit(r.stateChange())
	case typeFirstHeartbeat:
		return r.emit(r.firstHeartbeat())
	case typeTaskCompleted:
		return r.emit(r.taskCompleted())
	case typeShareStatus:
		return r.emit(r.shareStatus())
	case typeQueueMessage:
		return r.wrapped(r.env.data.get("messageBody"), r.join(r.env.get("source"), r.env.get("id")), r.body)
	default:
		switch isTrail := bytes.Contains(typ, []byte(trailInfix)); {
		case isTrail && len(r.plain(r.env.data.get("eventName"))) == 0:
			return r.fail(bad("data.eventName", ""), nil)
		case isTrail:
			return r.trail(r.env.data)
		}
	}
	return r.emit(r.event(fleet.EventUnknown, r.env.data), nil)
}

// event fills in what all kinds have. Its account and region are as they were
// written: scope checks them.
func (r *reader) event(kind fleet.EventKind, rec object) Event {
	e := &r.env
	r.who = r.identity(rec)
	ev := Event{Kind: kind, ID: r.join(e.get("source"), e.get("id")), Type: r.text(e.get("type"))}
	if ev.ID == "" {
		ev.ID = r.first(rec, "eventId", "requestId")
	}
	if ev.ID == "" {
		ev.ID = r.outerID
	}
	if ev.Type == "" {
		ev.Type = r.text(rec.get("eventType"))
	}
	ev.Time = cmp.Or(r.text(rec.get("eventTime")), r.text(e.get("time")))
	ev.Account = fleet.AccountID(cmp.Or(r.text(rec.get("recipientAccountId")), r.first(e.object, "aliyunoriginalaccountid", "aliyunaccountid"), r.owner))
	if ev.Account == "" {
		ev.Account = fleet.AccountID(cmp.Or(r.text(e.get("owner_id")), r.text(r.who.accountID)))
	}
	ev.Region = fleet.Region(cmp.Or(r.text(rec.get("acsRegion")), r.text(e.get("aliyunregionid"))))
	return ev
}

// join returns "a|b", or nothing without b.
func (r *reader) join(a, b jsontext.Value) string {
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
	body := r.env.get("body")
	if !r.holdsJSON(body) {
		return r.emit(Event{Kind: fleet.EventHTTP, Ignored: "an HTTP request"}, nil)
	}
	return r.wrapped(body, "", r.body)
}

func (r *reader) timer() Event {
	name, at := r.env.get("triggerName"), r.env.get("triggerTime")
	return Event{Kind: fleet.EventTimer, ID: r.join(name, at), Time: r.text(at)}
}

// wrapped reads v as a payload of its own: the text of a string, or an object or list as it
// stands.
func (r *reader) wrapped(v jsontext.Value, id string, read func([]byte) bool) bool {
	if v.Kind() == '"' {
		v = bytes.Clone(r.plain(v))
	}
	return r.unwrap(v, id, read)
}

// logged reads the trail record, or what holds it, in a log of Simple Log Service. The
// log's owner is the record's where the record does not say.
func (r *reader) logged(v jsontext.Value) bool {
	owner := r.owner
	defer func() { r.owner = owner }()
	r.owner = cmp.Or(owner, r.text(r.env.get("owner_id")))
	return r.wrapped(v, "", r.body)
}

// holdsJSON reports whether v is an object or list, or a text that holds one.
func (r *reader) holdsJSON(v jsontext.Value) bool {
	return v.Kind() == '{' || v.Kind() == '[' || fleet.JSONIn(r.plain(v)) != nil
}

// body reads the body of a queue message, or an element that came as a string.
func (r *reader) body(p []byte) bool {
	text := fleet.JSONIn(p)
	if text == nil {
		return r.fail(wrong("body", "neither JSON nor JSON in Base64"), nil)
	}
	return r.json(text, r.body)
}
