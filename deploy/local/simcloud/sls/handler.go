package sls

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Handler speaks the REST protocol. The project and region of a request are in its host
// name, <project>.<region>.log.aliyuncs.com. What other protocols share is given to it.
type Handler struct {
	Service    *Service
	Keys       wire.Keys
	Authorizer wire.Authorizer
	Faults     *simcloud.Faults
	Log        *wire.Log
	Witness    wire.Witness // nil for none
}

// Owns reports whether a request is meant for SLS, by its host name.
func Owns(r *http.Request) bool {
	_, _, ok := place(r.Host)
	return ok
}

func place(host string) (project, region string, ok bool) {
	host, _, _ = strings.Cut(host, ":")
	p := strings.Split(host, ".")
	if len(p) != 5 || p[2] != "log" || p[3] != "aliyuncs" || p[4] != "com" {
		return "", "", false
	}
	return p[0], strings.TrimSuffix(p[1], "-intranet"), true
}

// Codes and statuses: SLS's page on error codes, and those of GetLogs.

func refuse(status int, code, format string, args ...any) error {
	return wire.Errorf(status, code, format, args...)
}

func errNoProject(name string) error {
	return wire.Errorf(404, "ProjectNotExist", "The Project does not exist : %s", name)
}

func errNoStore(name string) error {
	return wire.Errorf(404, "LogStoreNotExist", "logstore %s does not exist", name)
}

func errQuery(format string, args ...any) error {
	return refuse(400, "ParameterInvalid", "the query is refused: "+format, args...)
}

func errDenied(action, resource string) error {
	return wire.Errorf(401, "Unauthorized", "denied by sts or ram, action: %s, resource: %s", action, resource)
}

// maxBody is above every request that is served.
const maxBody = 64 << 10

// answer is a document with headers.
type answer struct {
	header map[string]string
	doc    any
	packed bool
}

// operation is an API: its action for RAM, and the code behind it.
type operation struct {
	name, action string
	run          func(r *request) (answer, error)
}

// request is one request on its way.
type request struct {
	*http.Request
	h                    *Handler
	project, region, log string
	body                 []byte
	call                 *wire.Call
	fault                simcloud.FaultKind
	store                store
}

// ServeHTTP answers one request. Time stands still meanwhile.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.Service.w.Clock.Begin()()
	req := &request{Request: r, h: h, call: h.gate().Call("sls", "2020-12-30")}
	ans, err := h.serve(req)
	status, code := http.StatusOK, ""
	if refused := new(wire.Error); err != nil && !errors.Is(err, wire.ErrNoAnswer) && !errors.Is(err, wire.ErrEmptyAnswer) {
		refused = wire.AsError(err)
		status, code = refused.Status, refused.Code
		ans = answer{doc: map[string]string{"errorCode": refused.Code, "errorMessage": refused.Message}}
	}
	h.gate().Note(req.call, status, code, err)
	switch {
	case errors.Is(err, wire.ErrNoAnswer):
		wire.Drop(req.fault, r)
	case errors.Is(err, wire.ErrEmptyAnswer):
		ans = answer{}
	}
	write(w, req, status, ans)
}

func (h *Handler) gate() wire.Gate {
	return wire.Gate{World: h.Service.w, Faults: h.Faults, Log: h.Log, Witness: h.Witness}
}

func write(w http.ResponseWriter, r *request, status int, ans answer) {
	w.Header().Set("x-log-requestid", r.call.RequestID)
	w.Header().Set("Date", r.h.Service.w.Clock.Now().UTC().Format(http.TimeFormat))
	for k, v := range ans.header {
		w.Header().Set(k, v)
	}
	if ans.doc == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	body, _ := json.Marshal(ans.doc) // our own shapes: they can be written
	if ans.packed {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("x-log-bodyrawsize", strconv.Itoa(len(body)))
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(body) // into memory
		_ = z.Close()
		body = b.Bytes()
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone is its own affair
}

var refusals = wire.Refusals{
	simcloud.Deny:          errDenied("(on purpose)", "*").(*wire.Error),
	simcloud.Throttle:      wire.Errorf(403, "ReadQuotaExceed", "Project read quota exceed."),
	simcloud.Unavailable:   wire.Errorf(503, "ServerBusy", "The server is busy, please try again later."),
	simcloud.InternalError: wire.Errorf(500, "InternalServerError", "Internal server error message."),
}

func (h *Handler) serve(r *request) (ans answer, err error) {
	op, err := h.open(r)
	if err != nil {
		return answer{}, err
	}
	r.fault, err = h.gate().Pass(r.call, refusals, func() error {
		ans, err = op.run(r)
		return err
	})
	return ans, err
}

// open checks a request up to the point where it is known who may do what.
func (h *Handler) open(r *request) (operation, error) {
	r.project, r.region, _ = place(r.Host)
	r.call.Region = r.region
	op, err := route(r)
	if err != nil {
		return op, err
	}
	r.call.Action = op.name
	if r.body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1)); err != nil || len(r.body) > maxBody {
		return op, refuse(400, "PostBodyTooLarge", "The body could not be read, or is too large.")
	}
	key, signature, err := authorization(r.Request)
	if err != nil {
		return op, err
	}
	secret, who, err := h.Keys.Key(key, r.Header.Get("x-acs-security-token"))
	if err != nil {
		return op, refuse(401, "Unauthorized", "AccessKeyId or its security token is not valid: %v", err)
	}
	if err := verify(r.Request, r.body, secret, signature); err != nil {
		return op, err
	}
	r.call.Caller = who
	id, found, err := h.Service.find(r.region, r.project, r.log)
	if err != nil { // asked for as the caller's own
		id = Store{who.Account, r.region, r.project, r.log}
	}
	if !h.Authorizer.Allowed(who, op.action, id.resource(), nil) || err == nil && id.Account != who.Account {
		return op, errDenied(op.action, id.resource())
	}
	r.store = found
	return op, err
}

// route finds the operation: GetLogs in its newer form is a POST, in its older ones a GET.
func route(r *request) (operation, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 2 || parts[0] != "logstores" {
		return operation{}, errUnserved(r)
	}
	r.log = parts[1]
	search := func(run func(*request) (answer, error)) (operation, error) {
		return operation{"GetLogs", "log:GetLogStoreLogs", run}, nil
	}
	switch kind := r.Method + " " + strings.Join(parts[2:], "/"); {
	case kind == "GET " && r.URL.Query().Get("type") == "log", kind == "GET logs":
		return search(get)
	case kind == "GET ":
		return operation{"GetLogStore", "log:GetLogStore", logstore}, nil
	case kind == "GET index":
		return operation{"GetIndex", "log:GetIndex", index}, nil
	case kind == "POST logs":
		return search(post)
	}
	return operation{}, errUnserved(r)
}

func errUnserved(r *request) error {
	return refuse(http.StatusMethodNotAllowed, "InvalidMethod", "simcloud serves no %s of %s; SLS may have it", r.Method, r.URL.Path)
}

func logstore(r *request) (answer, error) {
	return answer{doc: map[string]any{
		"logstoreName": r.log, "ttl": 30, "shardCount": 2, "autoSplit": true, "maxSplitShard": 64, "mode": "standard",
		"createTime": r.store.created.Unix(), "lastModifyTime": r.store.created.Unix(),
	}}, nil
}

func index(r *request) (answer, error) {
	if r.store.index == nil {
		return answer{}, errNoIndex()
	}
	return answer{doc: r.store.index.shown()}, nil
}

func errNoIndex() error { return refuse(404, "IndexConfigNotExist", "index config does not exist") }
