package wire

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	encoding "encoding/json"

	"github.com/go-json-experiment/json"

	"fleetwarden/deploy/local/simcloud/meta"
)

// bodyField is the field of a request struct that takes the body of an API with a path.
const bodyField = "Body"

// Raw is the answer of an API with a path that is not the JSON of a response struct.
type Raw struct {
	Status int
	Header http.Header
	Body   []byte
}

// NoContent is the answer 204.
func NoContent() *Raw { return &Raw{Status: http.StatusNoContent} }

// rooted reports whether the request is for an API with a path.
func (q *request) rooted() bool { return len(q.http.URL.Path) > 1 }

// route finds the API at the request's path, and takes the parameters from path and
// headers.
func (r *Router) route(p *meta.Product, q *request) (*meta.Product, *meta.Action, error) {
	a, params, ok := p.Route(q.http.Method, q.http.URL.EscapedPath())
	if !ok {
		return p, nil, Errorf(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method. (simcloud serves no %s %s %s; Alibaba Cloud may have it)",
			p.Code, q.http.Method, q.http.URL.Path)
	}
	q.action = a.Name
	maps.Copy(q.params, params)
	for _, param := range a.Params {
		if v := q.http.Header.Get(param.Name); param.Position == "Header" && v != "" {
			q.params[param.Name] = v
		}
	}
	return p, a, nil
}

// checkBody refuses a body that the API does not take, and one that is missing or no JSON.
func (x *exchange) checkBody() error {
	if !x.action.Rooted() {
		return nil
	}
	b, body := x.action.Body, x.q.body
	switch {
	case b == nil && len(body) > 0 && string(body) != "{}":
		return invalidBody("simcloud: %s takes no body.", x.action.Name)
	case b != nil && b.Required && len(body) == 0:
		return missing(b.Name)
	case b != nil && b.Type == "Json" && !encoding.Valid(body):
		return invalidBody("The body is not valid JSON.")
	}
	return nil
}

// invalidBody is Function Compute's code.
func invalidBody(format string, args ...any) error {
	return Errorf(400, "InvalidArgument", format, args...)
}

// decodeBody fills the field Body of the request struct v. Unknown and misspelt members
// are refused.
func (x *exchange) decodeBody(v reflect.Value) error {
	if x.action.Body == nil || len(x.q.body) == 0 {
		return nil
	}
	f := v.FieldByName(bodyField)
	if raw, ok := f.Addr().Interface().(*[]byte); ok {
		*raw = slices.Clone(x.q.body)
		return nil
	}
	if err := json.Unmarshal(x.q.body, f.Addr().Interface(), json.RejectUnknownMembers(true)); err != nil {
		return invalidBody("simcloud: %s: reading the body: %v", x.action.Name, err)
	}
	return nil
}

// plain is the JSON of a response; a [Raw] is kept for later.
func (x *exchange) plain(response any) ([]byte, error) {
	if raw, ok := response.(*Raw); ok {
		x.raw = raw
		return raw.Body, nil
	}
	return encoding.Marshal(response)
}

func (x *exchange) answerRaw() {
	h := x.w.Header()
	h.Set("Date", x.now.Format(http.TimeFormat))
	h.Set("x-acs-request-id", x.id)
	maps.Copy(h, x.raw.Header)
	if len(x.raw.Body) > 0 {
		h.Set("Content-Length", strconv.Itoa(len(x.raw.Body)))
	}
	x.w.WriteHeader(x.raw.Status)
	_, _ = x.w.Write(x.raw.Body) // a client that has gone is its own affair
}
