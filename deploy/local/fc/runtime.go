package fc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"fleetwarden/test/simcloud"
)

// Options of a Runtime. Clock, Issue and LogDir are required.
type Options struct {
	Clock *simcloud.Clock
	// Issue assumes the function's role for one invocation.
	Issue func(f *Function, session string) (Credentials, error)
	// LogDir receives one file for each instance.
	LogDir string
}

// Runtime runs functions until it is closed.
type Runtime struct {
	o      Options
	server *http.Server
	addr   string

	mu        sync.Mutex
	functions map[key]*deployed
	instances map[string]*instance
	sessions  map[string]*running // by STS session name
	history   []*Invocation
	kills     []*kill
	serial    int
	closed    bool
	work      sync.WaitGroup
}

type key struct{ region, name string }

type deployed struct {
	Function
	active    int // running invocations
	instances []*instance
}

// New returns a runtime that listens on a free port of the loopback.
func New(o Options) (*Runtime, error) {
	if err := os.MkdirAll(o.LogDir, 0o700); err != nil {
		return nil, fmt.Errorf("starting the function runtime: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the function runtime: %w", err)
	}
	r := &Runtime{
		o: o, addr: l.Addr().String(),
		functions: map[key]*deployed{}, instances: map[string]*instance{}, sessions: map[string]*running{},
	}
	r.server = &http.Server{Handler: r.api(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(l) }() // ends with ErrServerClosed
	return r, nil
}

// Deploy adds a function.
func (r *Runtime) Deploy(f Function) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := key{f.Region, f.Name}
	if r.functions[k] != nil {
		return fmt.Errorf("deploying %s: it is deployed in %s already", f.Name, f.Region)
	}
	if f.Timeout <= 0 || f.Async.Retries < 0 || f.Async.Retries > 8 {
		return fmt.Errorf("deploying %s: it needs a timeout, and at most 8 retries", f.Name)
	}
	if f.Async.MaxAge == 0 {
		f.Async.MaxAge = 24 * time.Hour
	}
	r.functions[k] = &deployed{Function: f}
	return nil
}

// errNoFunction is wrapped when a function is not deployed.
var errNoFunction = errors.New("no such function")

func (r *Runtime) find(region, name string) (*deployed, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.functions[key{region, name}]
	if !ok {
		return nil, fmt.Errorf("invoking %s in %s: %w", name, region, errNoFunction)
	}
	return d, nil
}

// Invocations returns all invocations so far, in the order of their start.
func (r *Runtime) Invocations() []Invocation {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Invocation, len(r.history))
	for i, x := range r.history {
		out[i] = *x
	}
	return out
}

// Close kills all processes and waits for what is under way.
func (r *Runtime) Close() error {
	r.mu.Lock()
	r.closed = true
	var all []*instance
	for _, i := range r.instances {
		all = append(all, i)
	}
	r.mu.Unlock()
	for _, i := range all {
		i.kill()
	}
	r.work.Wait()
	return r.server.Close()
}

// Invoke runs a function once and waits for it. The error says that it could not
// be run at all; a failure of the function is in the Result.
func (r *Runtime) Invoke(ctx context.Context, region, name string, c Cause) (Result, error) {
	d, err := r.find(region, name)
	if err != nil {
		return Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("invoking %s: %w", name, err)
	}
	res, _ := r.run(d, c, 1)
	return res, nil
}

// Cause is why a function is invoked, and with what.
type Cause struct {
	Trigger string
	Payload []byte
}
