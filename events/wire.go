package events

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient reads JSON as other people write it. Of members with the same name
// the last one wins; bytes that are not UTF-8 become U+FFFD, so that one broken
// tag value does not cost the launch it belongs to (an id with such a byte in it
// is refused later).
func lenient() json.Options {
	return json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// span is where in the source text a member's value stands; the zero span is a
// member that is not there. Keeping places and not values is what makes an
// event that nobody asked for cheap, and what makes a member of an unexpected
// type harmless until somebody needs it.
type span struct{ from, to int }

// UnmarshalJSONFrom skips the value and notes its place.
func (s *span) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	to := int(dec.InputOffset())
	*s = span{to - len(v), to}
	return nil
}

func (s span) there() bool { return s.to > 0 }

// record names what we read of a trail record, of an ECS or Resource Sharing
// event's data, and of an MNS element's data. They are one type because the
// member that tells them apart, the envelope's type, may come after the data.
// Field names: help.aliyun.com/document_detail/199169.html (trail record) and
// the ECS, Cloud Assistant, Resource Management and MNS event pages.
type record struct {
	EventID       span     `json:"eventId"`
	EventName     span     `json:"eventName"`
	EventType     span     `json:"eventType"`
	EventTime     span     `json:"eventTime"`
	ServiceName   span     `json:"serviceName"`
	Region        span     `json:"acsRegion"`
	Owner         span     `json:"recipientAccountId"`
	ErrorCode     span     `json:"errorCode"`
	ErrorMessage  span     `json:"errorMessage"`
	Identity      identity `json:"userIdentity"`
	Parameters    span     `json:"requestParameters"`
	ParameterText span     `json:"requestParameterJson"`
	Response      span     `json:"responseElements"`
	Referenced    span     `json:"referencedResources"`

	ResourceID       span `json:"resourceId"`
	ResourceType     span `json:"resourceType"`
	InstanceID       span `json:"instanceId"`
	State            span `json:"state"`
	InvocationStatus span `json:"invocationStatus"`

	ShareOwner  span `json:"resourceOwnerAccountId"`
	ShareStatus span `json:"associationStatus"`

	MessageBody span `json:"messageBody"`
}

// envelope names the members that tell the kinds of payload apart, and those
// that a kind needs. The members of a bare trail record stand beside them.
type envelope struct {
	record

	// CloudEvents 1.0 with Alibaba Cloud's extensions.
	SpecVersion     span `json:"specversion"`
	ID              span `json:"id"`
	Source          span `json:"source"`
	Type            span `json:"type"`
	Time            span `json:"time"`
	Account         span `json:"aliyunaccountid"`
	OriginalAccount span `json:"aliyunoriginalaccountid"`
	RegionID        span `json:"aliyunregionid"`
	Data            data `json:"data"`

	// Timer trigger.
	TriggerTime span `json:"triggerTime"`
	TriggerName span `json:"triggerName"`
	Payload     span `json:"payload"`

	// MNS topic trigger, as JSON and as STREAM with attributes.
	TopicOwner span `json:"TopicOwner"`
	TopicName  span `json:"TopicName"`
	MessageID  span `json:"MessageId"`
	Message    span `json:"Message"`
	Body       span `json:"body"`
	Attrs      span `json:"attrs"`

	// HTTP trigger, and the record of an asynchronous destination.
	RequestContext  span `json:"requestContext"`
	RawPath         span `json:"rawPath"`
	ResponseContext span `json:"responseContext"`
	RequestPayload  span `json:"requestPayload"`

	// Our own inbox message, see fleet.Message.
	V span `json:"v"`
}

// data is the envelope's data when it is an object; other types of data are
// nothing that we read.
type data struct{ record }

// UnmarshalJSONFrom reads an object and skips anything else. A second data
// replaces the first instead of being merged with it.
func (d *data) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	d.record = record{}
	if dec.PeekKind() != '{' {
		return dec.SkipValue()
	}
	return json.UnmarshalDecode(dec, &d.record)
}

// identity is who made the call; userIdentity's accountId is the caller's
// account, which need not be the owner's.
type identity struct{ who }

type who struct {
	Type        span `json:"type"`
	UserName    span `json:"userName"`
	PrincipalID span `json:"principalId"`
}

// UnmarshalJSONFrom does for an identity what it does for data.
func (i *identity) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	i.who = who{}
	if dec.PeekKind() != '{' {
		return dec.SkipValue()
	}
	return json.UnmarshalDecode(dec, &i.who)
}
