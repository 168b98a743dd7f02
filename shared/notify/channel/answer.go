package channel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// Error is a document that a channel did not take. [fleet.ClassOf] has its class: a passing
// one is to be retried, after [fleet.RetryAfter] at least; [fleet.Lost] among them may have
// been delivered. The others last: [fleet.Denied] is about the channel, its secret, or how it
// is set up there, [fleet.Invalid] about the document. Its text has no address and no secret.
type Error struct {
	Channel string // its type
	Status  int    // of HTTP; 0 when there was no answer
	Code    string // of the channel's own; may be empty
	// Says is the text of the answer or the reason for none, up to 200 characters.
	Says string

	class   fleet.Class
	after   time.Duration
	unknown bool
	// signAt, if not zero, is when the message is to be signed again: the clocks differ.
	signAt time.Time
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Channel, e.class)
	switch {
	case e.unknown:
		b.WriteString(", an unknown answer")
	case e.class == fleet.Lost:
		b.WriteString(", perhaps delivered")
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": HTTP %d", e.Status)
	}
	if e.Says != "" {
		b.WriteString(": " + e.Says)
	}
	return b.String()
}

// Class is read by [fleet.ClassOf].
func (e *Error) Class() fleet.Class { return e.class }

// RetryAfter is read by [fleet.RetryAfter]: how long the channel asks to wait at least.
func (e *Error) RetryAfter() time.Duration { return e.after }

// ErrorCode is read by [fleet.CodeOf].
func (e *Error) ErrorCode() string { return e.Code }

// Unknown reports that no documentation has the answer: it is worth one more try, and no
// third.
func (e *Error) Unknown() bool { return e.unknown }

// unanswered is the class of a post without an answer.
func unanswered(ctx context.Context, err error, sent bool) fleet.Class {
	switch {
	case errors.Is(err, errPrivate):
		return fleet.Denied
	case sent:
		return fleet.Lost
	case ctx.Err() != nil:
		return fleet.Canceled
	}
	return fleet.Unavailable
}

// reason is the text of an error of net/http, which by itself begins with the address.
func reason(err error) string {
	if u := new(url.Error); errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}

// answer is one that has to be judged.
type answer struct {
	status int
	header http.Header
	text   []byte
	now    time.Time
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// maxAfter bounds how long a channel can have us wait. A card is given up after as long.
const maxAfter = 24 * time.Hour

// fault returns an error of a class, with the time that the answer asks to wait.
func (a answer) fault(class fleet.Class) *Error {
	e := &Error{class: class}
	if !class.Passing() {
		return e
	}
	value := a.header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		e.after = time.Duration(min(max(seconds, 0), int(maxAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		e.after = min(max(at.Sub(a.now), 0), maxAfter)
	}
	return e
}

// byStatus judges by the status alone; nil for 2xx.
func byStatus(a answer) *Error {
	switch s := a.status; {
	case a.ok():
		return nil
	case s == http.StatusTooManyRequests, s == http.StatusRequestTimeout:
		return a.fault(fleet.Throttled)
	case s >= 500:
		return a.fault(fleet.Unavailable)
	case s == http.StatusBadRequest, s == http.StatusRequestEntityTooLarge, s == http.StatusUnprocessableEntity:
		return a.fault(fleet.Invalid)
	case slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone}, s):
		return a.fault(fleet.Denied)
	}
	return a.unknown()
}

func (a answer) unknown() *Error {
	e := a.fault(fleet.Unavailable)
	e.unknown = true
	return e
}

// undocumented judges an answer without the body that the channel is known by. With 2xx a
// gateway answered: the message may have come through.
func (a answer) undocumented() *Error {
	if e := byStatus(a); e != nil {
		return e
	}
	return a.fault(fleet.Lost)
}

// row is the class of codes.
type row struct {
	class fleet.Class
	// codes are those of the row; none: all that no row before has.
	codes []int
	// words are texts of which the answer's message has one, in lower case; none: any message.
	words []string
	// clock says that the timestamp was refused.
	clock bool
}

// limitWait is how long the robots throttle at least: their limits are per minute.
const limitWait = time.Minute

// byCode judges the answers of robots, which are {"errcode":0,"errmsg":"ok"} or
// {"code":0,"msg":"success"} with status 200 for every error: by the first row that fits.
func byCode(rows ...row) func(a answer) *Error {
	return func(a answer) *Error {
		var body struct {
			ErrCode *int   `json:"errcode"`
			ErrMsg  string `json:"errmsg"`
			Code    *int   `json:"code"`
			Msg     string `json:"msg"`
		}
		err := json.Unmarshal(a.text, &body)
		code := cmp.Or(body.ErrCode, body.Code)
		switch {
		case err != nil || code == nil || *code == 0 && !a.ok():
			return a.undocumented()
		case *code == 0:
			return nil
		}
		e, says := cmp.Or(byStatus(a), a.unknown()), strings.ToLower(body.ErrMsg+body.Msg)
		i := slices.IndexFunc(rows, func(r row) bool {
			return (r.codes == nil || slices.Contains(r.codes, *code)) &&
				(r.words == nil || slices.ContainsFunc(r.words, func(w string) bool { return strings.Contains(says, w) }))
		})
		if i >= 0 {
			e = a.fault(rows[i].class)
			if e.class == fleet.Throttled {
				e.after = max(e.after, limitWait)
			}
			if rows[i].clock {
				e.signAt = a.now
				if at, err := http.ParseTime(a.header.Get("Date")); err == nil {
					e.signAt = at
				}
			}
		}
		e.Code = strconv.Itoa(*code)
		return e
	}
}
