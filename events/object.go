package events

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient reads JSON as other people write it. Of members with the same name
// the last one wins; bytes that are not UTF-8 become U+FFFD, so that one broken
// tag value does not cost the launch it belongs to (an id with such a byte in it
// is refused later).
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// object is a JSON object. Its values stay as they were written: that is what makes an
// event that no function asked for cheap, and what makes a member of an unexpected type
// harmless until it is needed.
type object []member

// member has its name without quotes.
type member struct{ name, value jsontext.Value }

// get returns the value of a member; nil if there is none.
func (o object) get(name string) jsontext.Value {
	for i := len(o) - 1; i >= 0; i-- {
		if string(o[i].name) == name {
			return o[i].value
		}
	}
	return nil
}

func (o object) has(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return o.get(name) == nil })
}

// envelope is an element of a payload, with the data in it if that is an object: a bare trail
// record has none.
type envelope struct {
	src []byte // it is read from
	object
	data object
	// columns are the members of a record's members in a table of Simple Log Service.
	columns object
}

// UnmarshalJSONFrom reads an element in one pass.
func (e *envelope) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return e.read(dec, &e.object)
}

// read reads an object. A table of Simple Log Service has each member of a record in a
// column such as "event.eventName" or "event.requestParameters.ImageId", with the text
// "null" where a row has nothing for it.
func (e *envelope) read(dec *jsontext.Decoder, to *object) error {
	_, err := dec.ReadToken()
	for err == nil && dec.PeekKind() != '}' {
		var name, value jsontext.Value
		if name, err = e.value(dec); err != nil {
			return err
		}
		if to == &e.object && string(name) == `"data"` {
			e.data = e.data[:0]
			if dec.PeekKind() == '{' {
				err = e.read(dec, &e.data)
				continue
			}
		}
		value, err = e.value(dec)
		column, inLog := bytes.CutPrefix(nameOf(name), []byte("event."))
		switch {
		case inLog && string(value) == `"null"`:
		case inLog && bytes.IndexByte(column, '.') >= 0:
			e.columns = append(e.columns, member{column, value})
		default:
			*to = append(*to, member{column, value})
		}
	}
	if err == nil {
		_, err = dec.ReadToken()
	}
	return err
}

// value returns the next value, which stays as it is as long as src does.
func (e *envelope) value(dec *jsontext.Decoder) (jsontext.Value, error) {
	v, err := dec.ReadValue()
	end := dec.InputOffset()
	return e.src[end-int64(len(v)) : end], err
}
