package events

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json"
)

// lines reads objects that follow one another, as in JSON Lines. One that is not JSON
// harms only itself.
func (r *reader) lines(p []byte) bool {
	return r.each(p, func(p []byte) int { return extent(p, false) })
}

// elements reads what remains of a list behind an element that is not JSON: p begins at
// that element.
func (r *reader) elements(p []byte) bool {
	return r.each(p, func(p []byte) int { return extent(p, true) })
}

// each reads one value after the other; end says where the first of those in p ends.
func (r *reader) each(p []byte, end func(p []byte) int) bool {
	for ; len(p) > 0; r.index++ {
		if r.index == maxElements {
			return r.fail(tooMany(), nil)
		}
		n := end(p)
		if value := bytes.TrimSpace(p[:n]); !r.one(value) {
			return false
		}
		p = bytes.TrimLeft(p[n:], " \t\r\n,")
		if r.inList && len(p) > 0 && p[0] == ']' {
			r.src, r.at = p, span{0, len(p)}
			if len(bytes.TrimSpace(p)) > 1 {
				return r.fail(wrong("", "more after the end of the list"), nil)
			}
			return true
		}
	}
	return true
}

// one reads a value that stands alone, which may be anything.
func (r *reader) one(p []byte) bool {
	r.src, r.at, r.env = p, span{0, len(p)}, envelope{}
	if !looksLikeJSON(p) || p[0] == '[' {
		return r.fail(wrong("", "neither an object nor a string"), nil)
	}
	if p[0] == '"' {
		return r.json(p, r.body)
	}
	if err := json.Unmarshal(p, &r.env, lenient); err != nil {
		return r.fail(syntax(err), nil)
	}
	return r.element()
}

// extent is where the value at the beginning of p ends, by its punctuation alone: it need
// not be JSON. In a list it ends at a comma, or at the list's end; elsewhere where its
// last bracket closes. A text does not go over a line's end, and where an object begins a
// line without a comma or a bracket before it, what came before has broken off.
func extent(p []byte, inList bool) int {
	depth, before := 0, byte(',')
	for i := 0; i < len(p); i++ {
		switch c := p[i]; c {
		case '"':
			i = textEnd(p, i)
		case '{', '[':
			if c == '{' && i > 0 && p[i-1] == '\n' && before != ',' && before != ':' && before != '[' {
				return i
			}
			depth++
		case '}', ']':
			depth--
			switch {
			case depth < 0 && c == ']' && inList:
				return i
			case depth < 0, depth == 0 && !inList:
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
	for i++; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '"':
			return i
		case '\n':
			return i - 1
		}
	}
	return len(p)
}

func tooMany() error {
	return wrong("", "more than "+strconv.Itoa(maxElements)+" elements; the rest was not read")
}
