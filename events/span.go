package events

import "github.com/go-json-experiment/json/jsontext"

// span is where in the source text a member's value stands; the zero span is a
// member that is not there. Keeping places and not values is what makes an
// event that no function asked for cheap, and what makes a member of an unexpected
// type harmless until it is needed.
type span struct{ from, to int32 }

func (s span) there() bool { return s.to > 0 }

// read skips a value and notes its place.
func (s *span) read(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	to := int32(dec.InputOffset())
	*s = span{to - int32(len(v)), to}
	return nil
}

// object is a JSON object of which we read some members.
type object interface {
	// member reads the value of the member name, or skips it.
	member(dec *jsontext.Decoder, name []byte) error
}

// readObject reads an object into o, and skips anything else. It does by hand
// what json.UnmarshalDecode does by reflection, in two thirds of the time.
func readObject(dec *jsontext.Decoder, o object) error {
	if dec.PeekKind() != '{' {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	var unquoted []byte
	for dec.PeekKind() != '}' {
		name, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if err := o.member(dec, nameOf(&unquoted, name)); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// readSpan reads a value into s, or skips it when it is not wanted.
func readSpan(dec *jsontext.Decoder, s *span) error {
	if s == nil {
		return dec.SkipValue()
	}
	return s.read(dec)
}
