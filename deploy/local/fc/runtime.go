package fc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

// Options of a Runtime. Clock, Issue and LogDir are required.
type Options struct {
	Clock *simcloud.Clock
	// Issue assumes the function's role for one invocation.
	Issue func(f *Function, session string) (Credentials, error)
	// LogDir receives two files for each instance: NAME.out is what its process wrote,
	// NAME.log the part that the platform could write into the log store.
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
	sessions  map[string]*instance // by the STS session names of invocations
	history   []*Invocation
	kills     []*kill
	lengths   map[string]time.Duration // by function; see Lengthen
	serial    int
	closed    bool
	work      sync.WaitGroup
}

type key struct{ region, name string }

type deployed struct {
	Function
	active    int // invocations that have an instance
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
		functions: map[key]*deployed{}, instances: map[string]*instance{}, sessions: map[string]*instance{}, lengths: map[string]time.Duration{},
	}
	r.server = &http.Server{Handler: r.api(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(l) }() // ends with ErrServerClosed
	return r, nil
}

// Deploy adds a function.
func (r *Runtime) Deploy(f Function) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.functions[key{f.Region, f.Name}] != nil {
		return fmt.Errorf("deploying %s: it is deployed in %s already", f.Name, f.Region)
	}
	return r.add(f)
}

// add puts f in the place of what has its name. The caller holds the mutex.
func (r *Runtime) add(f Function) error {
	if f.Timeout <= 0 || f.Async.Retries < 0 || f.Async.Retries > 8 {
		return fmt.Errorf("deploying %s: it needs a timeout, and at most 8 retries", f.Name)
	}
	f.Async.MaxAge = cmp.Or(f.Async.MaxAge, 24*time.Hour)
	if reserved := r.reserved(f); reserved > maxInstances-foreign {
		return fmt.Errorf("deploying %s: with it %d instances would be reserved in %s, of %d for all functions, %d of which the account's own have",
			f.Name, reserved, f.Region, maxInstances, foreign)
	}
	f.Env = maps.Clone(f.Env)
	if f.Env == nil {
		f.Env = map[string]string{}
	}
	r.functions[key{f.Region, f.Name}] = &deployed{Function: f}
	return nil
}

// Reconfigure sets an environment variable of every function, as a new deployment does:
// the next event of each finds a new instance. It fails while any function is at work.
func (r *Runtime) Reconfigure(name, value string) error {
	r.mu.Lock()
	var old []*instance
	for _, d := range r.functions {
		if d.active > 0 {
			r.mu.Unlock()
			return fmt.Errorf("setting %s: %s is at work in %s", name, d.Name, d.Region)
		}
	}
	for _, d := range r.functions {
		d.Env[name] = value
		for _, i := range d.instances {
			i.gone = true // takes no further event
			old = append(old, i)
		}
	}
	r.mu.Unlock()
	for _, i := range old {
		i.kill()
	}
	return nil
}

// reserved is how many instances of f's region would be reserved with f. The caller
// holds the mutex.
func (r *Runtime) reserved(f Function) int {
	var n int
	if f.Reserved != nil {
		n = *f.Reserved
	}
	for _, d := range r.functions {
		if d.Reserved != nil && d.Account == f.Account && d.Region == f.Region && d.Name != f.Name {
			n += *d.Reserved
		}
	}
	return n
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
	if d.Disabled {
		return nil, fmt.Errorf("invoking %s in %s: its invocation is disabled", name, region)
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

// Invoke runs a function once and waits for its end. The error says that it could not
// be run at all; a failure of the function is in the Result.
func (r *Runtime) Invoke(ctx context.Context, region, name string, c Cause) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("invoking %s: %w", name, err)
	}
	end := make(chan Result, 1)
	if err := r.Deliver(region, name, c, func(res Result) { end <- res }); err != nil {
		return Result{}, err
	}
	return <-end, nil
}

// Deliver runs a function once and calls then with its end, which need not be before it
// returns: see [Runtime.Lengthen]. then must not wait.
func (r *Runtime) Deliver(region, name string, c Cause, then func(Result)) error {
	d, err := r.find(region, name)
	if err != nil {
		return err
	}
	r.run(d, c, 1, func(res Result, _ *Invocation) { then(res) })
	return nil
}

// Cause is why a function is invoked, and with what.
type Cause struct {
	Trigger string
	Payload []byte
	async   bool
}
