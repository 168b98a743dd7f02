package mns

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Handler speaks the REST protocol. The account and region of a request are in
// its host name, <account>.mns.<region>.aliyuncs.com.
//
// Its parts that the RPC protocols share are given to it: keys, rights, injected faults,
// the log and the witness.
type Handler struct {
	Service    *Service
	Keys       wire.Keys
	Authorizer wire.Authorizer
	Faults     *simcloud.Faults
	Log        *wire.Log
	Witness    wire.Witness // nil for none
}

// maxBody is above 16 messages of 64 KB in all with their XML.
const maxBody = 1 << 20

// request is one request on its way.
type request struct {
	*http.Request
	body  []byte
	query url.Values
	queue Queue
	call  *wire.Call
	fault simcloud.FaultKind
	done  func() // ends the work token the request holds
}

type answer struct {
	status int
	body   any // nil for none
}

// ServeHTTP answers one request. It holds a work token but while a long poll
// waits.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := &request{Request: r, done: h.Service.w.Clock.Begin(), call: h.gate().Call("mns", "2015-06-06")}
	defer func() { req.done() }()
	ans, err := h.serve(req)
	ans = resolve(req, ans, err)
	h.gate().Note(req.call, ans.status, code(ans, err), err)
	w.Header().Set("Date", h.Service.w.Clock.Now().Format(http.TimeFormat)) // virtual, as the RPC products' is
	write(w, req, ans, err)
}

func (h *Handler) gate() wire.Gate {
	return wire.Gate{World: h.Service.w, Faults: h.Faults, Log: h.Log, Witness: h.Witness}
}

func (h *Handler) serve(r *request) (ans answer, err error) {
	op, err := h.open(r)
	if err != nil {
		return answer{}, err
	}
	r.fault, err = h.gate().Pass(r.call, refusals, func() error {
		ans, err = op.run(h, r)
		return err
	})
	return ans, err
}

// refusals: flow control is HTTP 400 in this protocol.
var refusals = wire.Refusals{
	simcloud.Deny:          wire.Errorf(403, "AccessDenied", "The caller may not do this."),
	simcloud.Throttle:      wire.Errorf(400, "QpsLimitExceeded", "The QPS limit of the queue is exceeded."),
	simcloud.Unavailable:   wire.Errorf(503, "ServiceUnavailable", "The service is unavailable for the moment."),
	simcloud.InternalError: wire.Errorf(500, "InternalError", "An internal error happened."),
}

// open reads and checks a request up to the point where it is known who may do
// what.
func (h *Handler) open(r *request) (operation, error) {
	var err error
	if r.body, err = io.ReadAll(io.LimitReader(r.Body, maxBody)); err != nil {
		return operation{}, wire.Errorf(400, "InvalidArgument", "The body could not be read.")
	}
	if r.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return operation{}, wire.Errorf(400, "InvalidQueryString", "The query string is not valid.")
	}
	r.queue.Account, r.queue.Region, err = tenant(r.Host)
	if err != nil {
		return operation{}, err
	}
	op, err := route(r)
	if err != nil {
		return operation{}, err
	}
	r.call.Action, r.call.Region, r.call.Now = op.name, r.queue.Region, h.Service.w.Clock.Now()
	return op, h.authenticate(r, op)
}

func (h *Handler) authenticate(r *request, op operation) error {
	key, signature, err := authorization(r.Request)
	if err != nil {
		return err
	}
	secret, who, err := h.Keys.Key(key, r.Header.Get("security-token"))
	if err != nil {
		return wire.Errorf(403, "InvalidAccessKeyId", "The access key or its security token is not valid: %v", err)
	}
	if err := verify(r.Request, r.body, secret, signature); err != nil {
		return err
	}
	r.call.Caller = who
	for _, action := range op.actions {
		if resource := r.queue.ARN() + op.below; !h.Authorizer.Allowed(who, action, resource, nil) {
			return wire.Errorf(403, "AccessDenied", "The caller may not do %s on %s.", action, resource)
		}
	}
	return nil
}

// tenant reads account and region from the host name. The variants -internal
// and -control name the same queues.
func tenant(host string) (account, region string, err error) {
	host, _, _ = strings.Cut(host, ":")
	p := strings.Split(host, ".")
	if len(p) != 5 || p[1] != "mns" || p[3] != "aliyuncs" || p[4] != "com" {
		return "", "", wire.Errorf(400, "InvalidRequestURL", "The host is not <account>.mns.<region>.aliyuncs.com.")
	}
	region = strings.TrimSuffix(strings.TrimSuffix(p[2], "-internal"), "-control")
	return p[0], region, nil
}

// resolve makes the answer of an outcome. An empty or missing answer keeps
// status 200 or 0.
func resolve(r *request, ans answer, err error) answer {
	var partial *partialError
	switch {
	case err == nil:
		return ans
	case errors.Is(err, wire.ErrNoAnswer):
		return answer{}
	case errors.Is(err, wire.ErrEmptyAnswer):
		return answer{status: http.StatusOK}
	case errors.As(err, &partial):
		return answer{http.StatusNotFound, partial.body}
	}
	e := wire.AsError(err)
	return answer{e.Status, xmlError{Code: e.Code, Message: e.Message, RequestID: r.call.RequestID, HostID: "http://" + r.Host}}
}

// Owns reports whether a request is meant for MNS, by its host name.
func Owns(r *http.Request) bool {
	_, _, err := tenant(r.Host)
	return err == nil
}

func write(w http.ResponseWriter, r *request, ans answer, err error) {
	if errors.Is(err, wire.ErrNoAnswer) {
		wire.Drop(r.fault, r.Request)
	}
	w.Header().Set("x-mns-request-id", r.call.RequestID)
	w.Header().Set("x-mns-version", r.call.Version)
	if ans.body == nil {
		w.WriteHeader(ans.status)
		return
	}
	w.Header().Set("Content-Type", "text/xml;charset=utf-8")
	w.WriteHeader(ans.status)
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(ans.body)
}

// code is that of an error, or of an answer that is partly one.
func code(ans answer, err error) string {
	if x, ok := ans.body.(xmlError); ok {
		return x.Code
	}
	if partial := new(partialError); errors.As(err, &partial) {
		return "Partial"
	}
	return ""
}
