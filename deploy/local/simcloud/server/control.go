package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

const prefix = "/_sim/"

// Code is the path of the addresses of functions' code.
const Code = prefix + "code/"

func isControl(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, prefix) }

// badRequest is an answer that says what is wrong with a control request.
type badRequest struct{ why string }

func (e *badRequest) Error() string { return e.why }

func bad(format string, args ...any) error { return &badRequest{fmt.Sprintf(format, args...)} }

// control serves the control API: JSON, to callers on the loopback only.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		reply(w, http.StatusForbidden, map[string]string{"error": "the control API answers on the loopback only"})
		return
	}
	hooks := s.hooks()
	if strings.HasPrefix(r.URL.Path, prefix+"invoke/") && hooks.Invoke != nil {
		hooks.Invoke(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, Code) && hooks.Downloads != nil {
		hooks.Downloads.ServeHTTP(w, r)
		return
	}
	routes := map[string]func(*http.Request) (any, error){
		"GET health":      s.health,
		"GET world":       s.world,
		"GET requests":    s.requests,
		"GET permissions": s.permissions,
		"GET invocations": s.invocations,
		"GET channels":    s.channels,
		"POST faults":     posted(s.faults),
		"POST quotas":     posted(s.quotas),
		"POST counters":   posted(s.counters),
		"POST advance":    s.advance,
		"POST events":     s.events,
		"POST fleet":      posted(s.fleet),
		"POST templates":  seeding("id", s.ECS.SeedTemplate),
		"GET usable":      s.usable,
		"POST snapshots":  seeding("ids", s.ECS.SeedSnapshots),
		"POST images":     seeding("images", s.ECS.SeedImages),
		"POST keys":       posted(s.keys),
		"POST directory":  posted(s.directory),
	}
	route, ok := routes[r.Method+" "+strings.TrimPrefix(r.URL.Path, prefix)]
	if !ok {
		reply(w, http.StatusNotFound, map[string]string{"error": "no such control: " + r.Method + " " + r.URL.Path})
		return
	}
	out, err := route(r)
	var b *badRequest
	switch {
	case errors.As(err, &b):
		reply(w, http.StatusBadRequest, map[string]string{"error": b.why})
	case err != nil:
		reply(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
	default:
		reply(w, http.StatusOK, out)
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has gone is its own affair.
	_ = json.NewEncoder(w).Encode(body)
}

// read decodes the request's JSON strictly: a misspelt field is an error.
func read(r *http.Request, into any) error { return readJSON(r, into, true) }

// readOpen is read for what has members that are not listed.
func readOpen(r *http.Request, into any) error { return readJSON(r, into, false) }

func readJSON(r *http.Request, into any, strict bool) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return bad("reading the body: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(into); err != nil {
		return bad("reading the body as JSON: %v", err)
	}
	if d.More() {
		return bad("reading the body as JSON: more than one value")
	}
	return nil
}

func (s *Server) health(*http.Request) (any, error) {
	return map[string]any{
		"ok": true, "now": s.World.Clock.Now(), "accounts": s.World.Accounts, "regions": s.World.Regions,
	}, nil
}

// world answers all state, or with ?digest=1 its SHA-256 by product.
func (s *Server) world(r *http.Request) (any, error) {
	short := r.URL.Query().Get("digest") == "1"
	out := map[string]any{}
	for _, d := range s.digests {
		state := d.state()
		if !short {
			out[d.product] = state
			continue
		}
		sum, err := digestOf(state)
		if err != nil {
			return nil, fmt.Errorf("taking the digest of %s: %w", d.product, err)
		}
		out[d.product] = sum
	}
	if short {
		sum, err := digestOf(out)
		if err != nil {
			return nil, err
		}
		return map[string]any{"digest": sum, "products": out}, nil
	}
	return out, nil
}

func digestOf(v any) (string, error) {
	b, err := json.Marshal(v) // maps are written in order of their keys
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}

// requests serves GET /_sim/requests?since=n: the entries of the last 10,000
// requests that come after number n, and the exact totals of all by account,
// caller, API and code.
func (s *Server) requests(r *http.Request) (any, error) {
	since := uint64(0)
	if text := r.URL.Query().Get("since"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, bad("since is not a number: %q", text)
		}
		since = n
	}
	return map[string]any{"requests": s.Log.Since(since), "totals": s.Log.Totals()}, nil
}

func (s *Server) permissions(*http.Request) (any, error) {
	return map[string]any{"permissions": s.RAM.Permissions()}, nil
}

func (s *Server) invocations(*http.Request) (any, error) {
	invocations := s.hooks().Invocations
	if invocations == nil {
		return map[string]any{"invocations": []any{}}, nil
	}
	return invocations(), nil
}

// posted serves a POST whose body is what serve takes. An error of serve is the request's.
func posted[In any](serve func(In) (any, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		var in In
		if err := read(r, &in); err != nil {
			return nil, err
		}
		out, err := serve(in)
		if err != nil {
			return nil, bad("%v", err)
		}
		return out, nil
	}
}

// seeding serves a POST whose body is what seed takes; the answer has its result under a name.
func seeding[In, Out any](name string, seed func(In) (Out, error)) func(*http.Request) (any, error) {
	return posted(func(in In) (any, error) {
		out, err := seed(in)
		return map[string]any{name: out}, err
	})
}

type advanceRequest struct {
	By    string `json:"by"`
	Until string `json:"until"`
	Max   string `json:"max"`
}

// advance moves virtual time: {"by":"10m"}, or {"until":"quiet","max":"2h"}.
func (s *Server) advance(r *http.Request) (any, error) {
	var in advanceRequest
	if err := read(r, &in); err != nil {
		return nil, err
	}
	quiet := false
	var err error
	switch {
	case in.By != "" && in.Until == "" && in.Max == "":
		err = s.advanceBy(r.Context(), in.By)
	case in.By == "" && in.Until == "quiet" && in.Max != "":
		quiet, err = s.advanceQuiet(r.Context(), in.Max)
	default:
		err = bad(`either {"by":"10m"} or {"until":"quiet","max":"2h"}`)
	}
	return map[string]any{"now": s.World.Clock.Now(), "quiet": quiet}, err
}

func (s *Server) advanceBy(ctx context.Context, by string) error {
	d, err := span("by", by)
	if err != nil {
		return err
	}
	return s.World.Clock.Advance(ctx, d)
}

func (s *Server) advanceQuiet(ctx context.Context, most string) (bool, error) {
	d, err := span("max", most)
	if err != nil {
		return false, err
	}
	return s.World.Clock.Quiet(ctx, d)
}

func span(name, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, bad("%s is not a length of time such as 10m: %q", name, text)
	}
	return d, nil
}

type countersRequest struct {
	Shown bool `json:"shown"`
}

// counters serves POST /_sim/counters: {"shown":true} has the attributes of queues say how
// many messages are in them, {} has them say 0 again, as is announced.
func (s *Server) counters(in countersRequest) (any, error) {
	s.MNS.ShowCounters(in.Shown)
	return in, nil
}

type faultsRequest struct {
	Seed   uint64               `json:"seed"`
	Faults []simcloud.Fault     `json:"faults"`
	Events simcloud.EventFaults `json:"events"`
}

// faults serves POST /_sim/faults, which replaces the plan of what goes wrong; {}
// ends it: {"seed":1,"faults":[{"kind":"deny","action":"DescribeInstances",
// "region":"cn-shanghai"},{"kind":"repeat-page","skip":3,"count":1}],
// "events":{"lose":0.01}}. Fields and kinds are those of simcloud.Fault.
func (s *Server) faults(in faultsRequest) (any, error) {
	return map[string]any{"faults": len(in.Faults)}, s.Faults.Set(in.Seed, in.Faults, in.Events)
}
