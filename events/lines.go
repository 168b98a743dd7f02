package events

import (
	"bytes"
	"io"
	"strconv"

	"fleetwarden/shared/fleet"
)

// separators stand between the elements of a list.
const separators = " \t\r\n,"

// lines reads values that follow one another, as in JSON Lines. One that is not JSON
// harms only itself.
func (r *reader) lines(p []byte) bool {
	r.lists++
	defer func() { r.lists-- }()
	return r.sequence(p, 0)
}

// place notes that the n-th element of a list, from 0, is read: what is within it has its
// place.
func (r *reader) place(n int) {
	if r.lists == 1 {
		r.index = n
	}
}

// sequence reads values that follow one another; the first has place n.
func (r *reader) sequence(p []byte, n int) bool {
	for ; len(p) > 0; n++ {
		if r.place(n); n == maxElements {
			return r.fail(tooMany(), nil)
		}
		end := extent(p, false)
		if !r.one(bytes.TrimSpace(p[:end])) {
			return false
		}
		p = bytes.TrimLeft(p[end:], separators)
	}
	return true
}

// list reads the elements of a JSON list. One that is not JSON harms only itself.
func (r *reader) list(p []byte) bool {
	r.lists++
	defer func() { r.lists-- }()
	n, faults := 0, r.faults
	for p = bytes.TrimLeft(p[1:], separators); len(p) > 0 && p[0] != ']'; n++ {
		if r.place(n); n == maxElements {
			return r.fail(tooMany(), nil)
		}
		faults = r.faults
		end := extent(p, true)
		if !r.one(bytes.TrimSpace(p[:end])) {
			return false
		}
		p = bytes.TrimLeft(p[end:], separators)
	}
	r.place(n)
	if len(p) > 0 {
		return r.after(p, n)
	}
	if r.faults > faults {
		return true // the last element broke off, and with it the list
	}
	r.at = p
	return r.fail(syntax(io.ErrUnexpectedEOF), nil)
}

// after reads what stands behind a list: p begins at its closing bracket. Only behind the
// first list of a payload may other values follow.
func (r *reader) after(p []byte, n int) bool {
	rest := bytes.Trim(p[1:], separators)
	if len(rest) == 0 {
		return true
	}
	if r.nesting == 0 && r.lists == 1 {
		return r.sequence(rest, n)
	}
	r.at = rest
	return r.fail(wrong("", "more after the end of the list"), nil)
}

// one reads a value that stands alone, which may be anything.
func (r *reader) one(p []byte) bool {
	if fleet.LooksLikeJSON(p) && p[0] == '[' {
		return r.unwrap(p, "", r.list)
	}
	if fleet.LooksLikeJSON(p) {
		return r.json(p, r.body)
	}
	r.at = p
	return r.fail(notAnElement(), nil)
}

// extent is where the value at the beginning of p ends, by its punctuation alone: it need
// not be JSON. It ends behind its last quote or bracket; in a list, one that has neither
// ends at a comma, or at the list's end. A text does not go over a line's end, and where an
// object begins a line without a comma or a bracket before it, what came before has broken
// off.
func extent(p []byte, inList bool) int {
	depth, before := 0, byte(',')
	for i := 0; i < len(p); i++ {
		switch c := p[i]; c {
		case '"':
			if i = textEnd(p, i); depth == 0 && before == ',' {
				return min(i+1, len(p))
			}
		case '{', '[':
			if c == '{' && i > 0 && p[i-1] == '\n' && before != ',' && before != ':' && before != '[' {
				return i
			}
			depth++
		case '}', ']':
			switch depth--; {
			case depth < 0 && c == ']' && inList:
				return i
			case depth <= 0:
				return i + 1
			}
		case ',':
			if depth == 0 && inList {
				return i
			}
		}
		if i < len(p) && p[i] > ' ' {
			before = p[i]
		}
	}
	return len(p)
}

// textEnd is where the text that begins at p[i] ends: its closing quote, or the last byte
// of the line that it breaks off in.
func textEnd(p []byte, i int) int {
	end := closingQuote(p, i)
	if end < 0 {
		end = len(p)
	}
	if line := bytes.IndexByte(p[i:end], '\n'); line > 0 {
		return i + line - 1
	}
	return end
}

func notAnElement() error { return wrong("", "neither an object nor a string") }

func tooMany() error {
	return wrong("", "more than "+strconv.Itoa(maxElements)+" elements; the rest was not read")
}
