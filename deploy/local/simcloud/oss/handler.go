package oss

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Handler speaks the REST protocol. What it shares with the RPC protocols is given
// to it: who may call, what fails on purpose, what is logged, and who watches.
type Handler struct {
	Service    *Service
	Keys       wire.Keys
	Authorizer wire.Authorizer
	Faults     *simcloud.Faults
	Log        *wire.Log
	Witness    wire.Witness // nil for none
}

// maxBody bounds an object; the service takes 5 GB in one request.
const maxBody = 64 << 20

// request is one request on its way.
type request struct {
	*http.Request
	body  []byte
	at    target
	call  *wire.Call
	fault simcloud.FaultKind
}

// answer is a document, or an object as it is.
type answer struct {
	status int
	header map[string]string
	doc    any
	object []byte
}

// ServeHTTP answers one request. Time stands still meanwhile.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.Service.w.Clock.Begin()()
	req := &request{Request: r, call: h.gate().Call("oss", "2019-05-17")}
	ans, err := h.serve(req)
	ans = resolve(req, ans, err)
	code := ""
	if x, ok := ans.doc.(xmlError); ok {
		code = x.Code
	}
	h.gate().Note(req.call, ans.status, code, err)
	if errors.Is(err, wire.ErrNoAnswer) {
		wire.Drop(req.fault, r)
	}
	write(w, req, ans)
}

func (h *Handler) gate() wire.Gate {
	return wire.Gate{World: h.Service.w, Faults: h.Faults, Log: h.Log, Witness: h.Witness}
}

func (h *Handler) serve(r *request) (ans answer, err error) {
	op, err := h.open(r)
	if err != nil {
		return answer{}, err
	}
	r.fault, err = h.gate().Pass(r.call, refusals(op.action), func() error {
		ans, err = h.run(r, op)
		return err
	})
	return ans, err
}

// run carries out an operation on its bucket, which only PutBucket can do without.
func (h *Handler) run(r *request, op operation) (answer, error) {
	h.Service.w.Lock()
	defer h.Service.w.Unlock()
	b := h.Service.buckets[r.at.bucket]
	if b == nil && r.at.bucket != "" && op.name != "PutBucket" {
		return answer{}, errNoSuchBucket(r.at.bucket)
	}
	return op.run(h, r, b)
}

func refusals(action string) wire.Refusals {
	return wire.Refusals{
		simcloud.Deny:          errDenied(action),
		simcloud.Throttle:      wire.Errorf(503, "QpsLimitExceeded", "The request rate is over the limit."),
		simcloud.Unavailable:   wire.Errorf(503, "ServiceUnavailable", "Please reduce your request rate."),
		simcloud.InternalError: wire.Errorf(500, "InternalError", "We encountered an internal error. Please try again."),
	}
}

// open checks a request up to the point where it is known who may do what.
func (h *Handler) open(r *request) (operation, error) {
	c, err := readClaim(r.Request)
	if err != nil {
		return operation{}, err
	}
	r.at = h.aim(r.Request, c)
	r.call.Region = r.at.region
	op, unserved := route(r.Request, r.at)
	r.call.Action = op.name
	if r.body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1)); err != nil || len(r.body) > maxBody {
		return op, wire.Errorf(400, "EntityTooLarge", "The body could not be read, or is too large.")
	}
	secret, who, err := h.Keys.Key(c.key, r.Header.Get("x-oss-security-token"))
	if err != nil {
		return op, wire.Errorf(403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records: %v", err)
	}
	if err := c.verify(r.Request, r.at, secret); err != nil {
		return op, err
	}
	r.call.Caller = who
	if unserved != nil {
		return op, unserved
	}
	return op, h.admit(r, op)
}

// admit asks RAM, and checks that the bucket is where the request looks for it. A
// bucket that does not exist belongs to the caller who asks for it.
func (h *Handler) admit(r *request, op operation) error {
	account, region, found := h.Service.owner(r.at.bucket)
	if making := op.name == "PutBucket"; making || !found {
		account, found = r.call.Caller.Account, false
	}
	resource := "acs:oss:" + r.at.region + ":" + account + ":" + r.at.bucket
	conditions := map[string]string{}
	switch {
	case r.at.bucket == "":
		resource = "acs:oss:*:" + r.call.Caller.Account + ":*" // documented for ListBuckets
	case r.at.key != "":
		resource += "/" + r.at.key
	default:
		conditions["oss:Prefix"] = r.URL.Query().Get("prefix")
	}
	if !h.Authorizer.Allowed(r.call.Caller, op.action, resource, conditions) {
		return errDenied(op.action)
	}
	switch {
	case found && account != r.call.Caller.Account:
		return errDenied(op.action) // no bucket policy lets others in
	case found && region != r.at.region:
		return errOtherEndpoint()
	case r.at.key != "" && !validKey(r.at.key):
		return errInvalidObjectName()
	}
	return nil
}

// xmlError is the error document.
type xmlError struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
}

func resolve(r *request, ans answer, err error) answer {
	switch {
	case err == nil:
		return ans
	case errors.Is(err, wire.ErrNoAnswer):
		return answer{}
	case errors.Is(err, wire.ErrEmptyAnswer):
		return answer{status: http.StatusOK}
	}
	e := wire.AsError(err)
	return answer{status: e.Status, doc: xmlError{Code: e.Code, Message: e.Message, RequestID: r.call.RequestID, HostID: r.Host}}
}

func write(w http.ResponseWriter, r *request, ans answer) {
	w.Header().Set("x-oss-request-id", r.call.RequestID)
	w.Header().Set("Date", r.call.Now.UTC().Format(http.TimeFormat))
	for k, v := range ans.header {
		w.Header().Set(k, v)
	}
	body := ans.object
	if ans.doc != nil {
		w.Header().Set("Content-Type", "application/xml")
		body, _ = xml.Marshal(ans.doc) // our own shapes: they can be written
		body = slices.Concat([]byte(xml.Header), body)
	}
	bodiless := r.Method == http.MethodHead || ans.status == http.StatusNotModified || ans.status == http.StatusNoContent
	if !bodiless {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(ans.status)
	if !bodiless {
		_, _ = w.Write(body) // a client that has gone is its own affair
	}
}

func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
