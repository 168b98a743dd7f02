package events

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// parts is a walk over the members of an object, or over the elements of a list. It goes by
// the punctuation alone, in a third of the time of a decoder: src has been checked to be JSON.
type parts struct {
	src jsontext.Value
	at  int
}

// partsOf begins behind the opening bracket of v.
func partsOf(v jsontext.Value) parts { return parts{src: v, at: 1} }

// next returns the next member, or the next element, which has no name.
func (p *parts) next() (name, value jsontext.Value, ok bool) {
	c := p.open()
	if c == '}' || c == ']' {
		return nil, nil, false
	}
	if p.src[0] == '{' {
		name = p.text()
		p.open()
	}
	return name, p.value(), true
}

// open goes to the next byte that does not stand between values, and returns it.
func (p *parts) open() byte {
	for ; ; p.at++ {
		if c := p.src[p.at]; c > ' ' && c != ',' && c != ':' {
			return c
		}
	}
}

// value goes behind the value that begins here, and returns it.
func (p *parts) value() jsontext.Value {
	if p.src[p.at] == '"' {
		return p.text()
	}
	from := p.at
	for depth := 0; ; {
		switch p.open() {
		case '"':
			p.text()
		case '{', '[':
			depth++
			p.at++
		case '}', ']':
			depth--
			p.at++
		default: // a number, true, false or null
			for c := p.src[p.at]; c > ' ' && c != ',' && c != '}' && c != ']'; c = p.src[p.at] {
				p.at++
			}
		}
		if depth == 0 {
			return p.src[from:p.at]
		}
	}
}

// text goes behind the text that begins here, and returns it.
func (p *parts) text() jsontext.Value {
	from := p.at
	p.at = closingQuote(p.src, from) + 1
	return p.src[from:p.at]
}

// closingQuote is where the text ends that begins at p[from]; -1 if it does not.
func closingQuote(p []byte, from int) int {
	for at := from + 1; ; at++ {
		n := bytes.IndexByte(p[at:], '"')
		if n < 0 {
			return -1
		}
		at += n
		escapes := at
		for p[escapes-1] == '\\' {
			escapes--
		}
		if (at-escapes)%2 == 0 {
			return at
		}
	}
}
