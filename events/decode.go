package events

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"fleetwarden/shared/fleet"
)

const (
	// maxNesting is how many envelopes may be wrapped in one another. The deepest
	// real payload has three: a failed asynchronous invocation of a window of
	// queue messages with CloudEvents in them.
	maxNesting = 4
	// maxElements is how many elements of one list are read. A stream's window
	// holds at most 10,000 messages.
	maxElements = 10_000
)

// Decode reads a payload one element at a time: each yields an [Event], an
// [*Error], or, when some of its ids are unusable, an Event with the good ones
// and then an Error. A bad element does not touch its neighbours, also where it is not
// JSON. Everything is yielded in the order of the payload. Decode may be ranged over more than once, and does
// not keep or change payload.
func Decode(payload []byte) iter.Seq2[Event, error] { return DecodeTrail(payload, "") }

// DecodeTrail is [Decode] for records of one account's trail: the account owns what
// records are about that do not name their owner.
func DecodeTrail(payload []byte, account fleet.AccountID) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		r := reader{yield: yield, owner: string(account)}
		r.payload(payload)
	}
}

// reader is one pass over a payload. Its methods that return a bool return
// false when the consumer wants no more.
type reader struct {
	texts
	yield   func(Event, error) bool
	at      []byte   // the element
	env     envelope // the element
	who     identity // of its trail record
	scratch []byte

	// Room for the members of env and of its data, and for a leaf's name: enough for real
	// ones.
	members     [18]member
	dataMembers [26]member
	name        [96]byte

	index   int // of the element in the outermost list
	lists   int // that the element is in, lines among them
	nesting int
	faults  int    // that were yielded
	outerID string // ID of the message that the element was wrapped in
	owner   string // owns what names no owner; may be empty
}

// emit yields an element's event, or what is wrong with it, or both.
func (r *reader) emit(ev Event, err error) bool {
	if (err == nil || len(ev.Refs) > 0) && !r.yield(ev, nil) {
		return false
	}
	return err == nil || r.fail(err, nil)
}

func (r *reader) fail(err error, body []byte) bool {
	r.faults++
	return r.yield(Event{}, &Error{Index: r.index, Digest: digest(r.at), Body: body, Err: err})
}

// payload reads what a trigger, a topic or a person sent: JSON, plain or as Base64, any
// other text, or nothing.
func (r *reader) payload(p []byte) bool {
	p = bytes.TrimSpace(bytes.TrimPrefix(p, []byte("\uFEFF")))
	if len(p) == 0 {
		return r.emit(Event{Kind: fleet.EventManual, ID: r.outerID}, nil)
	}
	if text := fleet.JSONIn(p); text != nil {
		return r.json(text, r.payload)
	}
	return r.emit(Event{Kind: fleet.EventText, ID: r.outerID}, nil)
}

// json reads p, which looks like JSON; a string's content is read by inner.
func (r *reader) json(p []byte, inner func([]byte) bool) bool {
	r.at, r.env = p, envelope{src: p, object: r.members[:0], data: r.dataMembers[:0]}
	if p[0] == '[' {
		return r.list(p)
	}
	var err error
	if p[0] == '"' {
		var text string
		if text, err = unquote(p); err == nil {
			return r.unwrap([]byte(text), "", inner)
		}
	} else if err = json.Unmarshal(p, &r.env, lenient); err == nil {
		return r.element()
	}
	if r.nesting == 0 && r.lists == 0 && extent(p, false) < len(p) {
		return r.lines(p)
	}
	return r.fail(syntax(err), nil)
}

func unquote(p []byte) (text string, err error) {
	err = json.Unmarshal(p, &text, lenient)
	return text, err
}

// unwrap reads what was wrapped in the current element, whose ID is id.
func (r *reader) unwrap(body []byte, id string, read func([]byte) bool) bool {
	if r.nesting == maxNesting {
		return r.fail(wrong("", "more than "+strconv.Itoa(maxNesting)+" envelopes in one another"), nil)
	}
	outer := r.outerID
	if id != "" {
		r.outerID = id
	}
	r.nesting++
	more := read(body)
	r.nesting--
	r.outerID = outer
	return more
}

// syntax says where JSON breaks off. The decoder's own text is left out: it
// quotes the names around the place.
func syntax(err error) error {
	what := "not JSON"
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		what += " at byte " + strconv.FormatInt(e.ByteOffset, 10)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		what += ": it breaks off"
	}
	return wrong("", what)
}
