package aliyun

import (
	"context"
	"net/http"

	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/go-json-experiment/json"

	"fleetwarden/shared/fleet"
)

// REST is a request of a product whose APIs have paths, such as Function Compute (the
// vendor's term is ROA).
type REST struct {
	API
	Method string
	// Path begins with a slash; its variable parts are escaped.
	Path string
	// Query leaves out what is empty.
	Query map[string]string
	// Body, if not nil, is sent as JSON: a struct or a map.
	Body any
}

// DoREST is [Do] for such a request. Its request id is in a header.
func DoREST[Resp any](ctx context.Context, s *Session, r REST) (*Resp, error) {
	return attempt(ctx, s, r.API, func() (*Resp, error) { return sendREST[Resp](ctx, s, r) })
}

func sendREST[Resp any](ctx context.Context, s *Session, r REST) (*Resp, error) {
	request := &openapiutil.OpenApiRequest{Query: map[string]*string{}}
	for name, v := range r.Query {
		if v != "" {
			request.Query[name] = &v
		}
	}
	var err error
	if request.Body, err = members(r.Body); err != nil {
		return nil, &Error{API: r.String(), Message: "not sent: " + err.Error(), class: fleet.Invalid, cause: err}
	}
	headers, body, err := exchange(ctx, s, r.API, &openapiutil.Params{
		Pathname: &r.Path, Method: &r.Method, Style: new("ROA"), ReqBodyType: new("json"),
	}, request)
	switch {
	case err != nil:
		return nil, err
	case dara.StringValue(headers["x-acs-request-id"])+dara.StringValue(headers["x-fc-request-id"]) == "":
		return nil, NoAnswer(ctx, r.String(), errNoRequestID, r.Write)
	case len(body) == 0 && (r.Method == http.MethodDelete || r.Method == http.MethodPut): // 204
		return new(Resp), nil
	case len(body) == 0:
		return nil, NoAnswer(ctx, r.String(), errNoBody, r.Write)
	}
	return read[Resp](ctx, r.API, body)
}

// members are those of a struct, in the form that the SDK takes.
func members(body any) (any, error) {
	if body == nil {
		return nil, nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	return out, json.Unmarshal(text, &out)
}
