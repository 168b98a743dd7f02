package events

import (
	"bytes"
	"strconv"

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
// they all read the same. An object or list in a text, such as the SystemDisk that the
// aliyun CLI sends, reads as if it stood there itself. src may be such a text, too; one
// that breaks off is not read at all.
//
// Of src itself it is known that it is JSON: the decoder read it before.
func (f *flat) flatten(src jsontext.Value, v visitor) error {
	if src.Kind() == '"' {
		var text []byte
		if src = plain(&text, src); !src.IsValid(lenient) {
			return wrong("", "not JSON")
		}
	}
	if len(src) == 0 {
		return wrong("", "nothing")
	}
	f.walk("", src, v)
	return nil
}

// walk shows v the leaves of src, JSON that stands below name.
func (f *flat) walk(name string, src jsontext.Value, v visitor) {
	f.src, f.at, f.name, f.visitor, f.leaves = src, 0, append(f.room[:0], name...), v, 0
	f.value(0)
}

// flat is a walk over a JSON value; it may be used again, for one at a time. It
// goes by the punctuation alone, since the value is known to be JSON: in half the
// time of a decoder, which would check it again.
type flat struct {
	visitor  visitor
	src      []byte
	at       int
	room     [96]byte // enough for real names
	name     []byte
	unquoted []byte
	leaves   int // that have a name
}

// value shows what begins at the next byte that is not blank, and goes behind it.
func (f *flat) value(depth int) {
	open := f.next()
	switch {
	case depth > maxFlatDepth:
		f.skip()
	case open == '{' || open == '[':
		f.members(open, depth)
	default:
		from := f.at
		f.skip()
		if v := f.src[from:f.at]; !f.inText(v, depth) {
			if len(f.name) > 0 {
				f.leaves++
			}
			f.visitor.visit(f.name, v)
		}
	}
}

// inText shows the object or list in the text v; false if there is none.
func (f *flat) inText(v jsontext.Value, depth int) bool {
	if len(v) < 4 || v[0] != '"' || v[1] != '{' && v[1] != '[' {
		return false
	}
	var text []byte
	inner := jsontext.Value(plain(&text, v))
	if !inner.IsValid(lenient) {
		return false
	}
	src, at := f.src, f.at
	f.src, f.at = inner, 0
	f.value(depth + 1)
	f.src, f.at = src, at
	return true
}

func (f *flat) members(open byte, depth int) {
	f.at++
	stem := len(f.name)
	for i := 1; !f.closes(); i++ {
		if stem > 0 {
			f.name = append(f.name, '.')
		}
		f.push(open, i)
		f.value(depth + 1)
		f.name = f.name[:stem]
	}
}

// push appends the name of the next member, or the number of the next element.
func (f *flat) push(open byte, i int) {
	if open == '[' {
		f.name = strconv.AppendInt(f.name, int64(i), 10)
		return
	}
	from := f.at
	for f.at++; f.src[f.at] != '"' && f.src[f.at] != '\\'; f.at++ { // names are short
	}
	if f.src[f.at] == '"' {
		f.name = append(f.name, f.src[from+1:f.at]...)
		f.at++
	} else {
		f.at = from
		f.text()
		f.name = append(f.name, plain(&f.unquoted, f.src[from:f.at])...)
	}
	f.next()
	f.at++ // the colon
}

// closes goes to the next member or element, or behind the end of them.
func (f *flat) closes() bool {
	c := f.next()
	if c == ',' {
		f.at++
		f.next()
		return false
	}
	if c == '}' || c == ']' {
		f.at++
		return true
	}
	return false
}

// next goes to the next byte that is not blank, and returns it.
func (f *flat) next() byte {
	for f.src[f.at] <= ' ' {
		f.at++
	}
	return f.src[f.at]
}

// skip goes behind a value.
func (f *flat) skip() {
	for depth := 0; ; {
		switch f.src[f.at] {
		case '"':
			f.text()
		case '{', '[':
			depth++
			f.at++
		case '}', ']':
			depth--
			f.at++
		case ',', ':', ' ', '\t', '\r', '\n':
			f.at++ // inside of something
		default:
			f.word()
		}
		if depth == 0 {
			return
		}
	}
}

// text goes behind a string.
func (f *flat) text() {
	for f.at++; ; f.at++ {
		f.at += bytes.IndexByte(f.src[f.at:], '"')
		escapes := f.at
		for f.src[escapes-1] == '\\' {
			escapes--
		}
		if (f.at-escapes)%2 == 0 {
			f.at++
			return
		}
	}
}

// word goes behind a number, true, false or null.
func (f *flat) word() {
	for f.at < len(f.src) && f.src[f.at] > ' ' && f.src[f.at] != ',' && f.src[f.at] != '}' && f.src[f.at] != ']' {
		f.at++
	}
}
