package events

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxFlatDepth is how deep flatten looks; what lies deeper is skipped. The
// deepest real name, NetworkInterface.N.Ipv6Address.N, has depth 4.
const maxFlatDepth = 8

// visitor takes the leaves of a flattened value. Its arguments are valid during
// the call only.
type visitor interface {
	visit(name []byte, v jsontext.Value)
}

// flatten shows v every text, number, boolean and null in src, with its name as
// RPC writes it: members joined by dots, list elements counted from 1. Trail
// records hold RPC names already, but lists also come as true arrays
// ("AddAccount.1" or "AddAccount": […]), and responses are nested: flattened,
// they all read the same. A JSON string is read as the JSON text in it.
func (f *flat) flatten(src jsontext.Value, v visitor) error {
	if src.Kind() == '"' {
		var text []byte
		src = plain(&text, src)
	}
	f.name, f.visitor = f.room[:0], v
	return json.Unmarshal(src, f, lenient)
}

// flat is a walk over a JSON value; it may be used again, for one at a time.
type flat struct {
	visitor  visitor
	room     [96]byte // enough for real names
	name     []byte
	unquoted []byte
}

// UnmarshalJSONFrom walks the value without building anything from it.
func (f *flat) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return f.value(dec, 0) }

func (f *flat) value(dec *jsontext.Decoder, depth int) error {
	open := dec.PeekKind()
	switch {
	case depth > maxFlatDepth:
		return dec.SkipValue()
	case open == '{' || open == '[':
		return f.members(dec, open, depth)
	}
	v, err := dec.ReadValue()
	if err == nil {
		f.visitor.visit(f.name, v)
	}
	return err
}

func (f *flat) members(dec *jsontext.Decoder, open jsontext.Kind, depth int) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	stem := len(f.name)
	for i := 1; dec.PeekKind() != closing(open); i++ {
		if stem > 0 {
			f.name = append(f.name, '.')
		}
		if err := f.push(dec, open, i); err != nil {
			return err
		}
		if err := f.value(dec, depth+1); err != nil {
			return err
		}
		f.name = f.name[:stem]
	}
	_, err := dec.ReadToken()
	return err
}

// push appends the name of the next member, or the number of the next element.
func (f *flat) push(dec *jsontext.Decoder, open jsontext.Kind, i int) error {
	if open == '[' {
		f.name = strconv.AppendInt(f.name, int64(i), 10)
		return nil
	}
	name, err := dec.ReadValue()
	if err != nil {
		return err
	}
	f.name = append(f.name, nameOf(&f.unquoted, name)...)
	return nil
}

func closing(open jsontext.Kind) jsontext.Kind {
	if open == '{' {
		return '}'
	}
	return ']'
}
