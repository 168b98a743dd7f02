package events

import (
	"bytes"
	"iter"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep leaves looks; what lies deeper is skipped. The deepest real
// name, NetworkInterface.N.Ipv6Address.N, has depth 4.
const maxDepth = 8

// leaves yields every text, number, boolean and null within a member of a record, with its
// name as RPC writes it: members joined by dots, list elements counted from 1. Trail
// records hold RPC names already, but lists also come as true arrays
// ("AddAccount.1" or "AddAccount": […]), and responses are nested: so they all read the
// same. An object or list in a text, such as the SystemDisk that the aliyun CLI sends, reads
// as if it stood there itself. Names are valid until the next one.
func (r *reader) leaves(rec object, of string) iter.Seq2[[]byte, jsontext.Value] {
	return func(yield func(name []byte, v jsontext.Value) bool) {
		more := r.walk(r.name[:0], rec.get(of), 0, yield)
		for _, column := range r.env.columns {
			if name, ok := bytes.CutPrefix(column.name, []byte(of+".")); ok && more {
				more = r.walk(append(r.name[:0], name...), column.value, 0, yield)
			}
		}
	}
}

// walk reports whether the consumer wants more.
func (r *reader) walk(name []byte, v jsontext.Value, depth int, yield func([]byte, jsontext.Value) bool) bool {
	if len(v) == 0 || depth > maxDepth {
		return true
	}
	if inner := jsonInText(v); inner != nil {
		return r.walk(name, inner, depth+1, yield)
	}
	if v[0] != '{' && v[0] != '[' {
		return len(name) == 0 || yield(name, v)
	}
	p := partsOf(v)
	n := 0
	for part, value, ok := p.next(); ok; part, value, ok = p.next() {
		n++
		below := name
		if len(name) > 0 {
			below = append(below, '.')
		}
		if part == nil {
			below = strconv.AppendInt(below, int64(n), 10)
		} else {
			below = append(below, nameOf(part)...)
		}
		if !r.walk(below, value, depth+1, yield) {
			return false
		}
	}
	return true
}

// jsonInText returns the object or list in the text v; nil if there is none, or if it breaks
// off.
func jsonInText(v jsontext.Value) jsontext.Value {
	if v[0] != '"' {
		return nil
	}
	at := 1
	for v[at] <= ' ' {
		at++
	}
	if v[at] != '{' && v[at] != '[' {
		return nil
	}
	var text []byte
	if inner := jsontext.Value(bytes.TrimSpace(plain(&text, v))); inner.IsValid(lenient) {
		return inner
	}
	return nil
}
