package events

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"fleetwarden/shared/fleet"
)

// ErrNewer is what is wrong with an inbox message of a version that this code
// does not know. The message is good: put [Error.Body] back for a newer
// function.
var ErrNewer = errors.New("message is of a newer version")

// Error is what is wrong with one element of a payload. Its text never quotes
// request parameters.
type Error struct {
	// Index is the element's place in the payload's list, from 0; 0 when there is
	// no list. What is wrapped in an element has the element's index.
	Index int
	// Digest is the SHA-256 of the element's bytes, in hex, so that it can be
	// found again without being stored.
	Digest string
	// Body is the message's text when Err is [ErrNewer], otherwise nil.
	Body []byte
	// Err is [ErrNewer] or a [*fleet.BadInput].
	Err error
}

func (e *Error) Error() string { return fmt.Sprintf("decoding element %d: %v", e.Index, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// wrong says that the member at where is unusable, and why.
func wrong(where, what string) error { return &fleet.BadInput{Where: where, What: what} }

// bad says that value cannot be an id of kind what. Values come from anybody:
// they are cut and escaped.
func bad(what, value string) error {
	if value == "" {
		return wrong(what, "missing")
	}
	return wrong(what, "malformed: "+strconv.QuoteToASCII(cut(value, maxQuoted)))
}

// maxQuoted is how many bytes of a malformed id an error shows.
const maxQuoted = 40

// cut shortens s to at most n bytes without splitting a character.
func cut[T ~string | ~[]byte](s T, n int) T {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
