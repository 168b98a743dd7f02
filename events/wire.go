package events

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient reads JSON as other people write it. Of members with the same name
// the last one wins; bytes that are not UTF-8 become U+FFFD, so that one broken
// tag value does not cost the launch it belongs to (an id with such a byte in it
// is refused later).
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// record is what we read of a trail record, of an ECS or Resource Sharing event's
// data, and of an MNS element's data. They are one type because the member that
// distinguishes them, the envelope's type, may come after the data.
type record struct {
	// A trail record.
	EventID, EventName, EventType, EventTime span
	RequestID                                span
	ServiceName, EventSource, Region, Owner  span
	ErrorCode, ErrorMessage                  span
	Parameters, ParameterText                span
	Response, Referenced, ResourceName       span
	Identity                                 identity

	// An event of ECS or Cloud Assistant. A trail record has a ResourceType, too.
	ResourceID, ResourceType, InstanceID span
	State, InvocationStatus              span

	// An event of Resource Sharing.
	ShareOwner, ShareStatus span

	// A queue message.
	MessageBody span

	// Members of members, in a table of Simple Log Service.
	Columns []column
}

// column is a value in a column of its own, such as "requestParameters.ImageId".
type column struct {
	name  string
	value span
}

func (r *record) member(dec *jsontext.Decoder, name []byte) error {
	if string(name) == "userIdentity" {
		r.Identity = identity{}
		return readObject(dec, &r.Identity)
	}
	return readSpan(dec, r.slot(name))
}

// column reads what a table of Simple Log Service has in its column "event."+name. A row that
// lacks the member has the text "null" there.
func (r *record) column(dec *jsontext.Decoder, name []byte) error {
	slot := r.slot(name)
	switch who, of, _ := bytes.Cut(name, []byte(".")); {
	case string(name) == "userIdentity":
		return r.member(dec, name)
	case string(who) == "userIdentity":
		slot = r.Identity.slot(of)
	}
	column := column{name: string(name)}
	v, err := dec.ReadValue()
	if err != nil || string(v) == `"null"` {
		return err
	}
	to := int32(dec.InputOffset())
	column.value = span{to - int32(len(v)), to}
	if slot != nil {
		*slot = column.value
		return nil
	}
	for _, of := range [...]string{inParameters, inResponse, inReferenced} {
		if strings.HasPrefix(column.name, of) {
			r.Columns = append(r.Columns, column)
		}
	}
	return nil
}

// The beginnings of the columns of members of members.
const (
	inParameters = "requestParameters."
	inResponse   = "responseElements."
	inReferenced = "referencedResources."
)

// slot says where a member belongs; nil if it is not read. Names:
// help.aliyun.com/document_detail/199169.html (trail record) and the ECS, Cloud
// Assistant, Resource Management and MNS event pages.
func (r *record) slot(name []byte) *span {
	switch string(name) {
	case "eventId":
		return &r.EventID
	case "eventName":
		return &r.EventName
	case "eventType":
		return &r.EventType
	case "eventTime":
		return &r.EventTime
	case "requestId":
		return &r.RequestID
	case "serviceName":
		return &r.ServiceName
	case "eventSource":
		return &r.EventSource
	case "acsRegion":
		return &r.Region
	case "recipientAccountId":
		return &r.Owner
	case "errorCode":
		return &r.ErrorCode
	case "errorMessage":
		return &r.ErrorMessage
	case "requestParameters":
		return &r.Parameters
	case "requestParameterJson":
		return &r.ParameterText
	case "responseElements":
		return &r.Response
	case "referencedResources":
		return &r.Referenced
	case "resourceName":
		return &r.ResourceName
	case "resourceId":
		return &r.ResourceID
	case "resourceType":
		return &r.ResourceType
	case "instanceId":
		return &r.InstanceID
	case "state":
		return &r.State
	case "invocationStatus":
		return &r.InvocationStatus
	case "resourceOwnerAccountId":
		return &r.ShareOwner
	case "associationStatus":
		return &r.ShareStatus
	case "messageBody":
		return &r.MessageBody
	}
	return nil
}

// identity is who made the call.
type identity struct{ Type, UserName, PrincipalID, AccountID span }

func (i *identity) member(dec *jsontext.Decoder, name []byte) error {
	return readSpan(dec, i.slot(name))
}

func (i *identity) slot(name []byte) *span {
	switch string(name) {
	case "type":
		return &i.Type
	case "userName":
		return &i.UserName
	case "principalId":
		return &i.PrincipalID
	case "accountId":
		return &i.AccountID
	}
	return nil
}

// envelope holds the members that distinguish the kinds of payload, and those
// that a kind needs. The members of a bare trail record stand beside them.
type envelope struct {
	record

	// CloudEvents 1.0 with Alibaba Cloud's extensions. Data is empty when it is
	// not an object.
	SpecVersion, ID, Source, Type, Time span
	Account, OriginalAccount, RegionID  span
	Data                                record

	// Timer trigger.
	TriggerTime, TriggerName, Payload span

	// MNS topic trigger, as JSON and as STREAM with attributes.
	TopicOwner, TopicName, MessageID, Message span
	Body, Attrs                               span

	// HTTP trigger, and the record of an asynchronous destination.
	RequestContext, RawPath         span
	ResponseContext, RequestPayload span

	// The list in the output of LookupEvents, or of a query of Simple Log Service; and a
	// log that holds a trail record: as it is exported, and as the SDKs write it.
	List                      span
	Event, Contents, LogOwner span

	// Our own inbox message, see fleet.Message.
	V span
}

// UnmarshalJSONFrom reads an element in one pass.
func (e *envelope) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return readObject(dec, e) }

func (e *envelope) member(dec *jsontext.Decoder, name []byte) error {
	if string(name) == "data" {
		if dec.PeekKind() == '[' {
			return e.List.read(dec)
		}
		e.Data = record{}
		return readObject(dec, &e.Data)
	}
	if s := e.slot(name); s != nil {
		return s.read(dec)
	}
	if inLog, ok := bytes.CutPrefix(name, []byte("event.")); ok {
		return e.record.column(dec, inLog)
	}
	return e.record.member(dec, name)
}

// slot says where a member of the envelope itself belongs. Names: the event
// formats page of Function Compute, the CloudEvents page of EventBridge, the API
// reference of LookupEvents and of GetLogsV2 ("data"; older tools print "logs"), and the pages on ActionTrail's log fields of Simple
// Log Service (www.alibabacloud.com/help/en/sls/log-fields-25 and …/sls/actiontrail).
func (e *envelope) slot(name []byte) *span {
	switch string(name) {
	case "specversion":
		return &e.SpecVersion
	case "id":
		return &e.ID
	case "source":
		return &e.Source
	case "type":
		return &e.Type
	case "time":
		return &e.Time
	case "aliyunaccountid":
		return &e.Account
	case "aliyunoriginalaccountid":
		return &e.OriginalAccount
	case "aliyunregionid":
		return &e.RegionID
	case "triggerTime":
		return &e.TriggerTime
	case "triggerName":
		return &e.TriggerName
	case "payload":
		return &e.Payload
	case "TopicOwner":
		return &e.TopicOwner
	case "TopicName":
		return &e.TopicName
	case "MessageId":
		return &e.MessageID
	case "Message":
		return &e.Message
	case "body":
		return &e.Body
	case "attrs":
		return &e.Attrs
	case "requestContext":
		return &e.RequestContext
	case "rawPath":
		return &e.RawPath
	case "responseContext":
		return &e.ResponseContext
	case "requestPayload":
		return &e.RequestPayload
	case "Events", "events", "logs":
		return &e.List
	case "event":
		return &e.Event
	case "contents":
		return &e.Contents
	case "owner_id":
		return &e.LogOwner
	case "v":
		return &e.V
	}
	return nil
}
