// Package server puts simcloud together: the world, its products and the
// control API, behind one HTTP address on the loopback.
//
// A product is plugged in at one place, products.go. What it offers to tests and
// to other programs of this repository is the field of [Server] that holds it.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/access"
	"fleetwarden/deploy/local/simcloud/actiontrail"
	"fleetwarden/deploy/local/simcloud/dm"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/deploy/local/simcloud/kms"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/oss"
	"fleetwarden/deploy/local/simcloud/ram"
	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/resourcesharing"
	"fleetwarden/deploy/local/simcloud/robots"
	"fleetwarden/deploy/local/simcloud/sas"
	"fleetwarden/deploy/local/simcloud/servicerole"
	"fleetwarden/deploy/local/simcloud/sls"
	"fleetwarden/deploy/local/simcloud/sts"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Options of a server. The zero Options are right for a test.
type Options struct {
	// Addr is the address to listen on; empty for a free port of 127.0.0.1. The
	// control API is refused to callers that are not on the loopback.
	Addr string
	// Rate is how much faster than real time virtual time goes; 0 for time that
	// moves only when it is advanced.
	Rate float64
	// Start is the virtual time to begin with. Zero: now with a Rate, else the
	// start of 2026-01-05, so that runs are alike.
	Start time.Time
	// Regions are those of ECS; nil for Home and Another. Other products are missing in
	// some, as they are in reality: see meta.Absent.
	Regions []string
	// Propagation and TagLists are RAM's; see ram.Options.
	Propagation time.Duration
	TagLists    ram.TagLists
	// TrailLatency is ActionTrail's to the bus; see actiontrail.Options.
	TrailLatency time.Duration
	// Quotas limit API calls; nil for a generous default. The vendor's are
	// wire.PublishedQuotas.
	Quotas []wire.Quota
}

// Server is a running cloud. Its fields are fixed after New.
type Server struct {
	World  *simcloud.World
	Faults *simcloud.Faults
	Router *wire.Router
	Log    *wire.Log
	// Keys knows all access keys, long-term and temporary, for protocols that
	// do not go through the Router.
	Keys wire.Keys

	RAM   *ram.RAM
	STS   *sts.STS
	KMS   *kms.KMS
	ECS   *ecs.Service
	SAS   *sas.Service
	Trail *actiontrail.Trail
	MNS   *mns.Service
	OSS   *oss.Service
	SLS   *sls.Service
	// Mail is DirectMail, and Robots are those of chats, with webhooks. Neither is part of the
	// digest: what was sent is no state of the account.
	Mail   *dm.Service
	Robots *robots.Service
	// Directory is the resource directory of the accounts. Access judges who can
	// use whose encrypted images and snapshots; see also [Server.Usable].
	Directory *resourcemanager.Directory
	Sharing   *resourcesharing.Service
	Access    *access.Access
	// EventBridge has the default buses, which all products publish to.
	EventBridge *eventbridge.Service
	// ServiceRoles are the service-linked roles of all accounts.
	ServiceRoles *servicerole.Roles

	plugged atomic.Pointer[Hooks]
	digests []digest
	rest    []rest
	http    *http.Server
	url     string
	stop    context.CancelFunc
	longest atomic.Int64
	running sync.WaitGroup
}

// Hooks are what others do in the server. Each may be nil.
type Hooks struct {
	// Invocations answers GET /_sim/invocations.
	Invocations func() any
	// Invoke answers POST /_sim/invoke/{function} with the body as the event.
	Invoke http.HandlerFunc
	// Witness sees all API calls.
	Witness wire.Witness
	// Downloads answers GET of the addresses below [Code].
	Downloads http.Handler
	// Seen is given each call of an RPC product; see wire.Options.
	Seen func(c *wire.Call, departs []string)
}

// Plug changes the hooks, also while the server serves. One caller at a time may.
func (s *Server) Plug(change func(*Hooks)) {
	next := s.hooks()
	change(&next)
	s.plugged.Store(&next)
}

// Witness is that of the hooks; nil if there is none.
func (s *Server) Witness() wire.Witness { return s.hooks().Witness }

// SetWitness plugs a witness in, which asks the one before as it likes.
func (s *Server) SetWitness(w wire.Witness) { s.Plug(func(h *Hooks) { h.Witness = w }) }

func (s *Server) hooks() Hooks {
	if h := s.plugged.Load(); h != nil {
		return *h
	}
	return Hooks{}
}

// Accounts and regions of the start world.
const (
	Sharer  = "1000000000000001" // also the home account
	Sharee  = "1000000000000002"
	Member  = "1000000000000003"
	Home    = "cn-hangzhou"
	Another = "cn-shanghai"
	// Sender is DirectMail's sender address of the home account in the home region.
	Sender = "alerts@mail.example.com"
)

// New starts a cloud and returns when it listens.
func New(o Options) (*Server, error) {
	o.Addr = cmp.Or(o.Addr, "127.0.0.1:0")
	s, err := build(o)
	if err != nil {
		return nil, fmt.Errorf("building the cloud: %w", err)
	}
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("starting the cloud: %w", err)
	}
	s.url = "http://" + l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.running.Go(func() { _ = s.http.Serve(l) }) // ends with ErrServerClosed
	if o.Rate > 0 {
		s.running.Go(func() { s.World.Clock.Follow(ctx, o.Rate) })
	}
	return s, nil
}

func (o Options) start() time.Time {
	switch {
	case !o.Start.IsZero():
		return o.Start
	case o.Rate > 0:
		return time.Now()
	}
	return time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
}

// URL is the address of the cloud, such as http://127.0.0.1:4571.
func (s *Server) URL() string { return s.url }

// Close stops the cloud. Requests under way are cut off.
func (s *Server) Close() error {
	s.stop()
	err := s.http.Close()
	s.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// longestLine is how long the line of a request may be, in bytes: the default of the
// nginx-like gateways in front of the products.
const longestLine = 8 << 10

// ServeHTTP sends a request to the control API, to a product with a REST
// protocol, or to the Router for all RPC products.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isControl(r) {
		s.control(w, r)
		return
	}
	if s.line(r) > longestLine {
		s.Log.Add(wire.Entry{Time: s.World.Clock.Now(), Action: "(request line)", Status: http.StatusRequestURITooLong, Code: "RequestURITooLong"})
		http.Error(w, "414 Request-URI Too Large", http.StatusRequestURITooLong) // the gateway's own page: no code, no request id
		return
	}
	for _, x := range s.rest {
		if x.owns(r) {
			x.handler.ServeHTTP(w, r)
			return
		}
	}
	s.Router.ServeHTTP(w, r)
}

// line is the length of a request's line, in bytes.
func (s *Server) line(r *http.Request) int64 {
	n := int64(len(r.Method) + len(r.RequestURI) + len(r.Proto) + 2)
	for was := s.longest.Load(); n > was && !s.longest.CompareAndSwap(was, n); was = s.longest.Load() {
	}
	return n
}

// LongestLine is the length of the longest request line so far, in bytes.
func (s *Server) LongestLine() int { return int(s.longest.Load()) }

// seen passes a call to Seen, if it is set when the call comes.
func (s *Server) seen(c *wire.Call, departs []string) {
	if seen := s.hooks().Seen; seen != nil {
		seen(c, departs)
	}
}

// witness asks the Witness that is set when the call comes.
func (s *Server) witness(c *wire.Call, after bool) bool { return s.hooks().Witness.Drops(c, after) }
