package redrive

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/queue"
)

// Shape says how a letter came into the dead-letter queue.
type Shape string

// The shapes of a dead letter.
const (
	// Message is one of our own messages, moved by the dead-letter policy of its
	// inbox.
	Message Shape = "message"
	// Invocation is the record that Function Compute makes of an asynchronous
	// invocation that failed to the end.
	Invocation Shape = "invocation"
	// Window is an element of a stream's window on which the function failed: a message
	// of its inbox.
	Window Shape = "window"
	// Event is an event that EventBridge could not deliver, or one that was in an inbox
	// without an envelope.
	Event Shape = "event"
	// Unknown is none of these.
	Unknown Shape = "unknown"
)

// Why a letter cannot be redriven.
var (
	errNotJSON    = errors.New("neither JSON nor JSON in Base64")
	errShape      = errors.New("it has none of the shapes of a dead letter")
	errNewer      = errors.New("a message of a newer version")
	errNoAddress  = errors.New("it does not say which function it was for")
	errUnwatched  = errors.New("an event that no function handles")
	errUnreadable = errors.New("something in it cannot be decoded")
	errNothing    = errors.New("it names nothing that its function handles")
)

// lenient reads JSON as package events does.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// part is one element of a letter: mostly all of it.
type part struct {
	shape Shape
	body  []byte
	envelope
}

// envelope holds the members that distinguish shapes and functions, whatever their types.
// Names: the event formats of Function Compute and EventBridge, and [fleet.Message].
type envelope struct {
	SpecVersion     jsontext.Value `json:"specversion"`
	Type            jsontext.Value `json:"type"`
	Subject         jsontext.Value `json:"subject"`
	Data            jsontext.Value `json:"data"`
	RequestContext  jsontext.Value `json:"requestContext"`
	ResponseContext jsontext.Value `json:"responseContext"`
	RequestPayload  jsontext.Value `json:"requestPayload"`
	V               jsontext.Value `json:"v"`
	Function        jsontext.Value `json:"function"`
}

// split reads the elements of a letter's body: JSON, plain or in Base64, which is an SDK's
// default. A list is split, since it is not published whether a stream makes one dead letter
// of a window.
func split(body string) ([]part, error) {
	raw := fleet.JSONIn([]byte(body))
	if raw == nil || raw[0] == '"' {
		return nil, errNotJSON
	}
	elements := []jsontext.Value{raw}
	if raw[0] == '[' {
		if json.Unmarshal(raw, &elements, lenient) != nil {
			return nil, errNotJSON
		}
	}
	var parts []part
	for _, e := range elements {
		p := part{body: e}
		if e.Kind() == '{' && json.Unmarshal(e, &p.envelope, lenient) != nil {
			return nil, errNotJSON
		}
		p.shape = p.recognise()
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return nil, errShape
	}
	return parts, nil
}

// typeMessage is the type of a stream's element that is a message of a queue.
const typeMessage = "mns:Queue:SendMessage"

// recognise checks for shapes in the order in which package events does: they overlap.
func (e envelope) recognise() Shape {
	switch {
	case e.SpecVersion != nil && text(e.Type) == typeMessage:
		return Window
	case e.SpecVersion != nil && e.Type != nil:
		return Event
	case e.RequestContext != nil && e.ResponseContext != nil:
		return Invocation
	case e.V != nil:
		return Message
	}
	return Unknown
}

// addressees are the functions whose inboxes a part goes to.
func (p part) addressees() ([]string, error) {
	switch p.shape {
	case Message:
		return p.messageFor()
	case Invocation:
		return inboxOf(after(p.arn(), "functions/"))
	case Window:
		// The platform names the queue; the function in the message is only claimed.
		return inboxOf(after(text(p.Subject), "queues/"))
	case Event:
		return p.watchers()
	}
	return nil, errShape
}

// arn names the function that failed, as in acs:fc:cn-hangzhou:1000000000000001:functions/f.
func (p part) arn() string { return text(member(p.RequestContext, "functionArn")) }

// region is where the function that failed is; "" if its name does not say.
func (p part) region() fleet.Region {
	if fields := strings.Split(p.arn(), ":"); len(fields) > 2 {
		return fleet.Region(fields[2])
	}
	return ""
}

// timer reports whether a part is a failed invocation by the timer of one of our functions,
// and which function's. Package events does not decode a timer's event that is in an envelope.
// The event is compared as a whole, since the letter is going to be deleted: with other
// members, or with a payload, which our timers do not have, it is not a timer's.
func (p part) timer() (function string, ok bool) {
	function, ours := fleet.FunctionOf(after(p.arn(), "functions/"))
	if p.shape != Invocation || !ours {
		return "", false
	}
	raw := []byte(p.RequestPayload)
	if p.RequestPayload.Kind() == '"' {
		raw = []byte(text(p.RequestPayload))
	}
	var event struct {
		Time    string `json:"triggerTime"`
		Name    string `json:"triggerName"`
		Payload string `json:"payload"`
	}
	err := json.Unmarshal(raw, &event, json.RejectUnknownMembers(true))
	return function, err == nil && event.Time != "" && event.Name != "" && event.Payload == ""
}

func (p part) messageFor() ([]string, error) {
	version, err := strconv.Atoi(string(p.V))
	if err == nil && version > fleet.MessageVersion {
		return nil, errNewer
	}
	return inbox(text(p.Function))
}

// watchers returns all functions that handle such events: one that EventBridge could not
// deliver does not say which rule it matched. A function that had received it checks its refs
// again.
func (p part) watchers() ([]string, error) {
	event := text(p.Type)
	if strings.Contains(event, ":ActionTrail:") {
		event = text(member(p.Data, "eventName"))
	}
	if functions := queue.Watchers(event); functions != nil {
		return functions, nil
	}
	return nil, errUnwatched
}

// functionName matches a name that may be shown though a letter contains it.
var functionName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// inboxOf is the inbox of a function by the platform's name of it, or of its queue.
func inboxOf(cloudName string) ([]string, error) {
	function, ok := fleet.FunctionOf(cloudName)
	if !ok {
		return nil, errNoAddress
	}
	return inbox(function)
}

func inbox(function string) ([]string, error) {
	name := fleet.FunctionNamed(function).Inbox
	switch {
	case name != "":
		return []string{name}, nil
	case functionName.MatchString(function):
		return nil, fmt.Errorf("it was for %s, which has no inbox", function)
	}
	return nil, errNoAddress
}

// after is the segment of a resource name that follows a mark; "" without the mark.
func after(arn, mark string) string {
	_, rest, _ := strings.Cut(arn, mark)
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// member is a member of an object; nil of anything else.
func member(v jsontext.Value, name string) jsontext.Value {
	var members map[string]jsontext.Value
	if v.Kind() != '{' || json.Unmarshal(v, &members, lenient) != nil {
		return nil
	}
	return members[name]
}

// text is a string's content; "" of anything else.
func text(v jsontext.Value) string {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s, lenient) != nil {
		return ""
	}
	return s
}
