package aliyun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"fleetwarden/shared/fleet"
)

// maxAnswer bounds how much of one answer is read, in bytes. A page of 100
// instances with all their fields stays below 2 MiB.
const maxAnswer = 32 << 20

// API is one API of a product at one endpoint.
type API struct {
	Product Product
	Action  string
	Region  fleet.Region
	// Write marks a call with effects: it is not repeated when its answer is lost.
	Write bool
}

func (a API) String() string { return a.Product.Name + ":" + a.Action }

// Do sends req to a, as a form in the body of a POST, and decodes the answer: gateways
// refuse a request line above 8 KiB, and a full batch of ids is as long. req is a struct of
// a typed SDK, or one like them: pointer fields with json tags, since the SDK panics on
// others. Resp is any struct with json tags. It retries transient failures for up to
// [Patience], spends the session's budget, counts every request, takes the cloud's time
// from the Date header, and treats an answer without a body or without a request id as no
// answer: the gateway has been seen to send 200 alone.
//
// The error is an [*Error], or wraps the end of ctx.
func Do[Req, Resp any](ctx context.Context, s *Session, a API, req *Req) (*Resp, error) {
	return attempt(ctx, s, a, func() (*Resp, error) { return send[Req, Resp](ctx, s, a, req) })
}

// attempt sends a request until it is answered, or a retry is of no use.
func attempt[Resp any](ctx context.Context, s *Session, a API, send func() (*Resp, error)) (*Resp, error) {
	var resp *Resp
	if a.Region != "" && !a.Region.Valid() {
		// It is part of the host's name.
		return nil, &Error{API: a.String(), Message: "not sent: that is not the id of a region", class: fleet.Invalid}
	}
	try := func() error {
		if err := ctx.Err(); err != nil {
			return &Error{API: a.String(), Message: "not sent: " + err.Error(), class: fleet.Canceled, cause: err}
		}
		return s.once(a.String(), func() (err error) {
			resp, err = send()
			return err
		})
	}
	err := s.Retry(ctx, try)
	if s.renew != nil && keysRefused(err) && s.renew(ctx) == nil {
		err = s.Retry(ctx, try)
	}
	return resp, err
}

// expired are the codes for temporary keys that have expired, or whose role is gone.
var expired = []string{"InvalidSecurityToken.Expired", "InvalidSecurityToken.NoExist", "InvalidAccessKeyId.NotFound"}

// keysRefused reports whether a call was refused for its temporary keys, which have expired or
// whose role is gone: no part of it was carried out.
func keysRefused(err error) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(expired, e.Code)
}

func send[Req, Resp any](ctx context.Context, s *Session, a API, req *Req) (*Resp, error) {
	_, body, err := exchange(ctx, s, a, &openapiutil.Params{
		Pathname: new("/"), Method: new("POST"), Style: new("RPC"), ReqBodyType: new("formData"),
	}, &openapiutil.OpenApiRequest{Body: dara.ToMap(req)})
	switch {
	case err != nil:
		return nil, err
	case len(body) == 0:
		return nil, NoAnswer(ctx, a.String(), errNoBody, a.Write)
	case !bytes.Contains(body, requestID):
		return nil, NoAnswer(ctx, a.String(), errNoRequestID, a.Write)
	}
	return read[Resp](ctx, a, body)
}

// exchange sends a request and returns headers and body of its answer.
func exchange(ctx context.Context, s *Session, a API, p *openapiutil.Params, req *openapiutil.OpenApiRequest) (headers map[string]*string, body []byte, err error) {
	client, err := s.cloud.client(a.Product.Endpoint(a.Region))
	if err != nil {
		return nil, nil, err
	}
	p.Action, p.Version, p.Protocol, p.AuthType = &a.Action, &a.Product.Version, new("HTTPS"), new("AK")
	p.BodyType = new("binary") // hands over the body unread: decoded once, by read
	answer, err := client.CallApiWithCtx(ctx, p, req, &dara.RuntimeOptions{})
	if err != nil {
		return nil, nil, translate(ctx, a, err)
	}
	headers, _ = answer["headers"].(map[string]*string)
	s.SawDate(dara.StringValue(headers["date"]))
	stream, ok := answer["body"].(io.ReadCloser)
	if !ok {
		return nil, nil, NoAnswer(ctx, a.String(), errNoBody, a.Write)
	}
	defer stream.Close()
	body, err = whole(ctx, a, stream)
	return headers, body, err
}

var (
	errNoBody      = errors.New("the answer has no body")
	errNoRequestID = errors.New("the answer holds no request id")
)

// requestID is in each product's answer. Without it the gateway answered alone: an empty
// object would read as an empty list.
var requestID = []byte(`"RequestId"`)

// whole reads the body of an answer to its end.
func whole(ctx context.Context, a API, body io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, NoAnswer(ctx, a.String(), fmt.Errorf("reading the answer: %w", err), a.Write)
	case len(text) > maxAnswer:
		return nil, NoAnswer(ctx, a.String(), fmt.Errorf("the answer is longer than %d bytes", maxAnswer), a.Write)
	}
	return text, nil
}

func read[Resp any](ctx context.Context, a API, text []byte) (*Resp, error) {
	resp := new(Resp)
	if err := json.Unmarshal(text, resp, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, NoAnswer(ctx, a.String(), unreadable(err), a.Write)
	}
	return resp, nil
}

// unreadable reports the position of a decoding error. The decoder's own text is left out:
// it may quote a key.
func unreadable(err error) error {
	if e, ok := errors.AsType[*json.SemanticError](err); ok {
		return fmt.Errorf("decoding the answer: a member has the wrong type at byte %d", e.ByteOffset)
	}
	return errors.New("decoding the answer: it is not JSON")
}
