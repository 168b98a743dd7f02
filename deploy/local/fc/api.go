package fc

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxAnswer is the largest answer of a synchronous invocation.
const maxAnswer = 32 << 20

// api is the runtime API, version 2020-11-11. The first part of the path names the instance, since FC_RUNTIME_API is put before the API's own path.
func (r *Runtime) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{instance}/2020-11-11/runtime/invocation/next", r.next)
	mux.HandleFunc("POST /{instance}/2020-11-11/runtime/invocation/{id}/response", r.response)
	mux.HandleFunc("POST /{instance}/2020-11-11/runtime/invocation/{id}/error", r.failure)
	return mux
}

func (r *Runtime) instanceOf(req *http.Request) *instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.instances[req.PathValue("instance")]
}

// next waits for the instance's next invocation.
func (r *Runtime) next(w http.ResponseWriter, req *http.Request) {
	i := r.instanceOf(req)
	if i == nil {
		http.Error(w, "no such instance", http.StatusNotFound)
		return
	}
	select {
	case x := <-i.queue:
		x.headers(w.Header())
		_, _ = w.Write(x.payload) // an instance that died meanwhile fails x itself
	case <-i.exited:
		http.Error(w, "the instance is gone", http.StatusGone)
	case <-req.Context().Done():
	}
}

func (x *running) headers(h http.Header) {
	f := x.f
	for name, v := range map[string]string{
		"x-fc-request-id":         x.id,
		"x-fc-function-deadline":  strconv.FormatInt(x.deadline.UnixMilli(), 10),
		"x-fc-function-timeout":   strconv.Itoa(int(f.Timeout / time.Second)),
		"x-fc-function-type":      "0",
		"x-fc-function-name":      f.Name,
		"x-fc-function-handler":   f.Handler,
		"x-fc-function-memory":    strconv.Itoa(f.Memory),
		"x-fc-access-key-id":      x.creds.AccessKeyID,
		"x-fc-access-key-secret":  x.creds.AccessKeySecret,
		"x-fc-security-token":     x.creds.SecurityToken,
		"x-fc-service-name":       "",
		"x-fc-service-logproject": "",
		"x-fc-service-logstore":   "",
		"x-fc-region":             f.Region,
		"x-fc-account-id":         f.Account,
		"x-fc-qualifier":          "LATEST",
		"x-fc-version-id":         "",
		"x-fc-retry-count":        strconv.Itoa(x.attempt - 1),
		"Content-Type":            "application/octet-stream",
	} {
		h.Set(name, v)
	}
}

func (r *Runtime) response(w http.ResponseWriter, req *http.Request) {
	r.settle(w, req, func([]byte) string { return "" })
}

// failure: an error with a stack trace is a panic.
func (r *Runtime) failure(w http.ResponseWriter, req *http.Request) {
	r.settle(w, req, func(body []byte) string {
		var e struct {
			StackTrace json.RawMessage `json:"stackTrace"`
		}
		if err := json.Unmarshal(body, &e); err == nil && len(e.StackTrace) > 0 && string(e.StackTrace) != "null" {
			return Unhandled
		}
		return Handled
	})
}

func (r *Runtime) settle(w http.ResponseWriter, req *http.Request, kind func([]byte) string) {
	r.mu.Lock()
	var x *running
	if i := r.instances[req.PathValue("instance")]; i != nil {
		x = i.running[req.PathValue("id")]
	}
	r.mu.Unlock()
	if x == nil {
		http.Error(w, "no such invocation", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxAnswer))
	if err != nil {
		x.fail(Unhandled, "the answer could not be read")
		http.Error(w, "reading the answer failed", http.StatusBadRequest)
		return
	}
	x.finish(kind(body), body)
}
