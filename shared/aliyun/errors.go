package aliyun

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"fleetwarden/shared/fleet"
)

// Error is a failed API call. Its class decides what happens next; its code is
// the product's own.
type Error struct {
	API       string // product:Action
	Status    int    // HTTP status; 0 when there was no answer
	Code      string
	Message   string
	RequestID string

	class      fleet.Class
	retryAfter time.Duration
	cause      error
}

// NewError returns an Error with the class of the status and code of the API's product.
// write reports whether the call may have had an effect.
func NewError(api string, status int, code, message, requestID string, write bool) *Error {
	if quotesRequest(code) {
		message = "the signature does not match: the access key secret or the security token is wrong"
	}
	product, _, _ := strings.Cut(api, ":")
	return &Error{API: api, Status: status, Code: code, Message: message, RequestID: requestID,
		class: classify(product, status, code, write)}
}

// quotesRequest reports whether the product's message for code quotes the signed text: all
// parameters, and the security token. It compares the beginning of the code: dropping one
// message too many does no harm.
func quotesRequest(code string) bool {
	return strings.HasPrefix(code, "SignatureDoesNotMatch") || strings.HasPrefix(code, "IncompleteSignature")
}

// NoAnswer returns an Error for a call that was sent and not answered.
func NoAnswer(ctx context.Context, api string, cause error, write bool) *Error {
	class := fleet.Unavailable
	switch {
	case write:
		class = fleet.Lost
	case ctx.Err() != nil:
		class = fleet.Canceled
	}
	return &Error{API: api, Message: cause.Error(), class: class, cause: cause}
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.API, e.class)
	switch {
	case e.Code != "":
		fmt.Fprintf(&b, ": %s (HTTP %d)", e.Code, e.Status)
	case e.Status != 0:
		fmt.Fprintf(&b, ": HTTP %d", e.Status)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [request %s]", e.RequestID)
	}
	return b.String()
}

// Class is read by [fleet.ClassOf].
func (e *Error) Class() fleet.Class { return e.class }

// Called is the API that was called, product:Action.
func (e *Error) Called() string { return e.API }

// ErrorCode is read by [fleet.CodeOf].
func (e *Error) ErrorCode() string { return e.Code }

// OfInstance is read by [fleet.OfInstance].
func (e *Error) OfInstance() bool {
	return strings.HasPrefix(e.API, ECS.Name+":") && (holds(instancesGone, e.Code) || holds(instancesUnfit, e.Code))
}

// RetryAfter is read by [fleet.RetryAfter].
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

func (e *Error) Unwrap() error { return e.cause }

// translate converts an error of the SDK to an *Error.
func translate(ctx context.Context, a API, err error) *Error {
	api := a.String()
	var refused refusal
	switch {
	case errors.As(err, &refused):
		e := NewError(api, dara.IntValue(refused.GetStatusCode()), text(refused.GetCode()), message(refused.GetData()), text(refused.GetRequestId()), a.Write)
		if errors.As(err, new(*openapi.ThrottlingError)) {
			e.class = fleet.Throttled
			e.retryAfter = time.Duration(dara.Int64Value(refused.GetRetryAfter())) * time.Millisecond
		}
		return e
	case errors.Is(err, errNoKeys):
		return &Error{API: api, Message: err.Error(), class: fleet.Denied, cause: err}
	}
	return NoAnswer(ctx, api, err, a.Write)
}

// refusal is the SDK's error of an answered call: of a throttle, of the client or the server.
type refusal interface {
	error
	GetStatusCode() *int
	GetCode() *string
	GetData() map[string]any
	GetRequestId() *string
	GetRetryAfter() *int64
}

// message is the product's own message; the SDK adds the status and the request id to it,
// which the Error has already.
func message(data map[string]any) string {
	for _, name := range []string{"Message", "message"} {
		if m, ok := data[name].(string); ok {
			return m
		}
	}
	return ""
}

// text is a text of an answer; for a missing one the SDK has "<nil>".
func text(p *string) string {
	if s := dara.StringValue(p); s != "<nil>" {
		return s
	}
	return ""
}
