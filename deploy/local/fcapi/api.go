package fcapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Deployment is a function as it is to run.
type Deployment struct {
	Account, Region string
	Function        Function
	// Code is the folder of the unpacked zip; empty for what the platform had before the
	// API was asked.
	Code     string
	Async    *AsyncInput // nil for the defaults
	Reserved *int        // nil for no limit of its own; with 0 it is never invoked
	Triggers []Trigger
}

// Platform runs functions. It is never called for one function at the same time.
type Platform interface {
	// Apply has d run from now on, in the place of what ran under its name before. An
	// error means that nothing changed.
	Apply(d Deployment) error
	// Withdraw ends the function and its triggers.
	Withdraw(region, name string)
	// Invoke runs the function once and waits; InvokeAsync queues an event.
	Invoke(ctx context.Context, region, name string, payload []byte) (fc.Result, error)
	InvokeAsync(region, name string, payload []byte) error
}

// Options of an API. All are required.
type Options struct {
	World    *simcloud.World
	Platform Platform
	// RAM decides what a function's role may do.
	RAM wire.Authorizer
	// Dir receives the code, also unpacked.
	Dir string
	// Downloads is the address below which [API.ServeHTTP] is asked; it ends with a slash.
	Downloads string
}

// API is the product; register it at a wire.Router as fc.
type API struct {
	o Options

	mu        sync.Mutex
	functions map[key]*function
	downloads map[string]download
	serial    int
}

type key struct{ account, region, name string }

// function is what is kept of one.
type function struct {
	Deployment
	async *AsyncConfig
	zip   Zip
}

// shown is the function as the API shows it. The caller holds the mutex.
func (f *function) shown() Function {
	if f.Function.CodeChecksum == "" {
		f.Function.CodeChecksum, f.Function.CodeSize = f.zip.digest()
	}
	return f.Function
}

// New returns an API without functions.
func New(o Options) *API {
	return &API{o: o, functions: map[key]*function{}, downloads: map[string]download{}}
}

// Seed adds a function that the platform runs already, and returns it as the platform
// would be given it. Its names, Config and Tags come from d; the rest is filled in. Its code
// is read when it is asked for.
func (a *API) Seed(d Deployment, code Zip) Deployment {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := &function{Deployment: d, zip: code}
	now := a.now()
	a.fill(&f.Deployment, now)
	f.Function.defaults()
	if d.Async != nil {
		f.async = &AsyncConfig{AsyncInput: *d.Async, CreatedTime: now, LastModifiedTime: now, FunctionArn: f.Function.FunctionArn}
	}
	triggers := f.Triggers
	f.Triggers = nil
	for _, t := range triggers {
		t.CreatedTime, t.LastModifiedTime = now, now
		f.Triggers = append(f.Triggers, a.complete(f, t))
	}
	a.functions[key{d.Account, d.Region, d.Function.FunctionName}] = f
	return f.Deployment
}

// Reread has the checksums of seeded code be read again, after it changed.
func (a *API) Reread() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.functions {
		f.Function.CodeChecksum = ""
	}
}

// fill sets what the service says of a new function. The caller holds the mutex.
func (a *API) fill(d *Deployment, now string) {
	f := &d.Function
	f.FunctionArn = fmt.Sprintf("acs:fc:%s:%s:functions/%s", d.Region, d.Account, f.FunctionName)
	f.FunctionID = a.id()
	f.CreatedTime, f.LastModifiedTime = now, now
	f.State, f.LastUpdateStatus = "Active", "Successful"
}

// id looks like the service's. The caller holds the mutex.
func (a *API) id() string {
	a.serial++
	return fmt.Sprintf("51c10000-0000-4000-9000-%012x", a.serial)
}

func (a *API) now() string { return a.o.World.Clock.Now().UTC().Format(time.RFC3339) }

// Enter implements wire.Guarded. RAM is asked about all functions: the published list of
// 2026-01 narrows none of these actions. A function runs without the mutex held: it may ask
// this API.
func (a *API) Enter(c *wire.Call) (sync.Locker, error) {
	action := strings.Replace(c.Action, "AsyncInvokeConfig", "FunctionAsyncInvokeConfig", 1)
	if c.Action == "InvokeFunction" {
		return nil, c.Allow("fc:"+action, "*")
	}
	return &a.mu, c.Allow("fc:"+action, "*")
}

// find returns a function of the caller. The caller holds the mutex.
func (a *API) find(c *wire.Call, name string) (*function, error) {
	f, ok := a.functions[key{c.Caller.Account, c.Region, name}]
	if !ok {
		return nil, wire.Errorf(http.StatusNotFound, "FunctionNotFound", "function '%s' does not exist", name)
	}
	c.Refer("ACS::FC::Function", name)
	return f, nil
}

// apply has the platform run a changed function, and keeps it if it does. The caller
// holds the mutex.
func (a *API) apply(f function) error {
	if err := a.o.Platform.Apply(f.Deployment); err != nil {
		return invalid("simcloud cannot run this: %v", err)
	}
	a.functions[key{f.Account, f.Region, f.Function.FunctionName}] = &f
	return nil
}

func invalid(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidArgument", format, args...)
}

// onlyLatest refuses qualifiers of versions, which are not kept here.
func onlyLatest(qualifier string) error {
	if qualifier != "" && qualifier != latest {
		return invalid("simcloud keeps no version or alias %q, LATEST alone.", qualifier)
	}
	return nil
}

const latest = "LATEST"
