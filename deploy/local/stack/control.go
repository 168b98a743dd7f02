package stack

import (
	"cmp"
	"io"
	"net/http"
	"strings"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/server"
)

// maxPayload is the largest event of a synchronous invocation.
const maxPayload = 32 << 20

// plug puts the stack into the server: its control API, and Function Compute's.
func (s *Stack) plug() error {
	s.o.Server.Plug(func(h *server.Hooks) {
		h.Witness, h.Invoke, h.Downloads = s.runtime.Witness, s.serveInvoke, s.api
		h.Invocations = func() any {
			return map[string][]fc.Invocation{"invocations": s.Invocations()}
		}
	})
	return s.o.Server.Router.Register("fc", s.api)
}

// serveInvoke answers POST /_sim/invoke/{function}, in the region of ?region=, as
// InvokeFunction does: status 200 also for a function's failure, which the header
// X-Fc-Error-Type reports.
func (s *Stack) serveInvoke(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "POST the event", http.StatusMethodNotAllowed)
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err != nil {
		http.Error(w, "reading the event: "+err.Error(), http.StatusBadRequest)
		return
	}
	region := cmp.Or(r.URL.Query().Get("region"), s.o.Regions[0])
	function := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	res, err := s.Invoke(r.Context(), region, function, payload)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("X-Fc-Request-Id", res.RequestID)
	if res.ErrorType != "" {
		w.Header().Set("X-Fc-Error-Type", res.ErrorType)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(res.Body) // a client that has gone is its own affair
}
