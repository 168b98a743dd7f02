package events

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxText is how many bytes of a text are kept. EventBridge allows 128 for id
	// and source and 64 for type; names of things in requests are shorter still.
	maxText = 256
	// maxErrorText is how many bytes of an errorMessage are kept.
	maxErrorText = 512
	// textChunk is the space for the texts of about one event.
	textChunk = 1024
)

// texts keeps many short texts in few allocations. Copying, not slicing the
// payload, matters: a payload holds user data and passwords, and must not live
// as long as a ref.
type texts struct{ chunk strings.Builder }

func (t *texts) keep(b []byte) string {
	if t.chunk.Cap()-t.chunk.Len() < len(b) {
		t.chunk = strings.Builder{}
		t.chunk.Grow(max(textChunk, len(b)))
	}
	at := t.chunk.Len()
	t.chunk.Write(b)
	return t.chunk.String()[at:]
}

// plain returns the text of a JSON string, or a number or boolean as it is
// written; nothing for null, lists and objects, and for a member that is not there.
// The result is valid until the next call with the same scratch.
func plain(scratch *[]byte, v jsontext.Value) []byte {
	switch v.Kind() {
	case '0', 't', 'f':
		return v
	case '"':
		inner := v[1 : len(v)-1]
		if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
			return inner
		}
		// v was read before: all that can be wrong with it is its UTF-8, which
		// AppendUnquote repairs.
		*scratch, _ = jsontext.AppendUnquote((*scratch)[:0], v)
		return *scratch
	}
	return nil
}

// nameOf returns the name in a member's JSON. One that is not UTF-8 stays as it
// is: no name that we know is like it.
func nameOf(v jsontext.Value) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	return plain(new([]byte), v)
}

// plain returns the text of v, valid until the next call.
func (r *reader) plain(v jsontext.Value) []byte { return plain(&r.scratch, v) }

// text returns a copy of the text of v, cut to maxText bytes.
func (r *reader) text(v jsontext.Value) string { return r.keep(cut(r.plain(v), maxText)) }

// first returns the text of the first of some members that has any.
func (r *reader) first(o object, names ...string) string {
	for _, name := range names {
		if t := r.text(o.get(name)); t != "" {
			return t
		}
	}
	return ""
}
