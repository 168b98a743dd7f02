package oss

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// unmet is the answer to a read whose condition does not hold: RFC 9110, with the codes of
// GetObject's error table. An ETag is compared with or without its quotes.
func unmet(r *http.Request, o *object) error {
	h := r.Header
	since := func(name string) (t time.Time, ok bool) {
		t, err := http.ParseTime(h.Get(name))
		return t, err == nil // what is no date is ignored
	}
	modified := o.modified.UTC().Truncate(time.Second)
	if m := h.Get("If-Match"); m != "" && !o.named(m) {
		return errPrecondition()
	}
	if t, ok := since("If-Unmodified-Since"); ok && modified.After(t) {
		return errPrecondition()
	}
	if m := h.Get("If-None-Match"); m != "" && o.named(m) {
		return errNotModified()
	}
	if t, ok := since("If-Modified-Since"); ok && !modified.After(t) {
		return errNotModified()
	}
	return nil
}

// named reports whether a list of ETags, or *, has that of o.
func (o *object) named(list string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.Trim(tag, `"`) == strings.Trim(o.etag, `"`) {
			return true
		}
	}
	return false
}

// span is which bytes of size a Range header asks for. OSS gives the whole object, with
// status 200, for a range that it cannot serve as it stands; with the header
// x-oss-range-behavior: standard it cuts one that ends too late, and refuses one that
// begins too late.
func span(header, behavior string, size int) (from, to int, part bool, err error) {
	text, ok := strings.CutPrefix(header, "bytes=")
	first, last, ok2 := strings.Cut(text, "-")
	if !ok || !ok2 || strings.Contains(text, ",") {
		return 0, size, false, nil
	}
	standard := behavior == "standard"
	a, aerr := strconv.Atoi(first)
	b, berr := strconv.Atoi(last)
	switch {
	case first == "" && berr == nil && b > 0: // the last b bytes
		return max(size-b, 0), size, size > 0 && (b <= size || standard), nil
	case aerr != nil || a < 0 || (last != "" && (berr != nil || b < a)):
		return 0, size, false, nil
	case a >= size && standard:
		return 0, 0, false, errInvalidRange()
	case a >= size:
		return 0, size, false, nil
	case last == "":
		return a, size, true, nil
	case b >= size && !standard:
		return 0, size, false, nil
	}
	return a, min(b+1, size), true, nil
}
