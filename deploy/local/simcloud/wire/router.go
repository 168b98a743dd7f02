package wire

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/meta"
)

// Options are what a Router needs. World, Keys and Authorizer are required.
type Options struct {
	World      *simcloud.World
	Keys       Keys
	Authorizer Authorizer
	// Trail receives every write that reached its product; nil for none.
	Trail Trail
	// Faults is the plan of what goes wrong; nil for nothing.
	Faults *simcloud.Faults
	// Log records requests; nil for a new one.
	Log *Log
	// Quotas replaces the generous default; see [Quota].
	Quotas []Quota
	// Witness sees each admitted call; nil for none.
	Witness Witness
	// Seen is given each call whose caller is known, before anything else of it is checked,
	// with what its parameters depart from the published metadata; may be nil.
	Seen func(c *Call, departs []string)
	// Expire ends temporary credentials by their access key, for faults; nil if
	// there are none.
	Expire func(accessKeyID string)
	// Real is the real time, for signatures; nil for time.Now.
	Real func() time.Time
}

// Router serves the APIs of all products at one address: RPC APIs by their name, APIs
// with paths by path and method. The API version of a request names the product.
type Router struct {
	o       Options
	table   *meta.Table
	mu      sync.RWMutex
	methods map[string]method
	nonces  nonces
	quota   quota
	pages   pages
	seq     atomic.Uint64
}

type method struct {
	fn      reflect.Value
	in      reflect.Type
	guarded Guarded // nil for a product that sees to it itself
}

// NewRouter returns a router without products.
func NewRouter(o Options) (*Router, error) {
	table, err := meta.Load()
	if err != nil {
		return nil, err
	}
	o.Faults = cmp.Or(o.Faults, &simcloud.Faults{})
	o.Log = cmp.Or(o.Log, &Log{})
	if o.Real == nil {
		o.Real = time.Now
	}
	o.Trail = cmp.Or[Trail](o.Trail, noTrail{})
	if o.Seen == nil {
		o.Seen = func(*Call, []string) {}
	}
	if o.Expire == nil {
		o.Expire = func(string) {}
	}
	r := &Router{o: o, table: table, methods: map[string]method{}}
	return r, r.SetQuotas(o.Quotas)
}

// Register adds a product's methods. code is the product in lower case, such as
// ecs. It refuses a method that is no API of the product, and a request field
// that is no parameter of the API: both are misspellings.
func (r *Router) Register(code string, receiver any) error {
	p, ok := r.table.Product(code)
	if !ok {
		return fmt.Errorf("registering %s: no facts about this product", code)
	}
	guarded, _ := receiver.(Guarded)
	v := reflect.ValueOf(receiver)
	for i := range v.NumMethod() {
		name := v.Type().Method(i).Name
		fn := v.Method(i)
		if !serves(fn.Type()) {
			continue
		}
		a, ok := p.Actions[name]
		if !ok {
			return fmt.Errorf("registering %s: no facts about %s", code, name)
		}
		in := fn.Type().In(1).Elem()
		if err := fieldsKnown(a, "", in); err != nil {
			return fmt.Errorf("registering %s: %w", code, err)
		}
		r.mu.Lock()
		r.methods[code+":"+name] = method{fn, in, guarded}
		r.mu.Unlock()
	}
	return nil
}

// method is what serves an API, if anything does.
func (r *Router) method(product, action string) (method, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	m, ok := r.methods[product+":"+action]
	return m, ok
}

// serves reports whether t is func(*Call, *In) (*Out, error).
func serves(t reflect.Type) bool {
	return t.NumIn() == 2 && t.NumOut() == 2 &&
		t.In(0) == reflect.TypeFor[*Call]() &&
		pointsToStruct(t.In(1)) && pointsToStruct(t.Out(0)) &&
		t.Out(1) == reflect.TypeFor[error]()
}

func pointsToStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

func fieldsKnown(a *meta.Action, prefix string, t reflect.Type) error {
	for i := range t.NumField() {
		f := t.Field(i)
		name := prefix + paramName(f)
		ft := f.Type
		if name == bodyField && a.Body != nil {
			continue
		}
		if f.Anonymous {
			name = prefix
		}
		if ft.Kind() == reflect.Slice {
			if _, ok := a.TypeOf(name); ok {
				continue // a list that comes as JSON text
			}
			name, ft = name+".1", ft.Elem()
		}
		if ft.Kind() == reflect.Struct {
			if !f.Anonymous {
				name += "."
			}
			if err := fieldsKnown(a, name, ft); err != nil {
				return err
			}
			continue
		}
		if _, ok := a.TypeOf(name); !ok {
			return fmt.Errorf("%s takes no parameter %s", a.Name, name)
		}
	}
	return nil
}

// ServeHTTP answers one API request. Time stands still meanwhile.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	done := r.o.World.Clock.Begin()
	defer done()
	x := &exchange{r: r, w: w, id: r.newRequestID(), now: r.o.World.Clock.Now()}
	x.serve(req)
}

// newRequestID looks like the vendor's; ids are unique and ascend.
func (r *Router) newRequestID() string {
	return fmt.Sprintf("51C10000-0000-5000-8000-%012X", r.seq.Add(1))
}

func (r *Router) lookup(q *request) (*meta.Product, *meta.Action, error) {
	p, ok := r.table.Version(q.version)
	if !ok {
		return nil, nil, Errorf(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method. (simcloud serves no product of version %q; Alibaba Cloud may have one)", q.version)
	}
	if q.rooted() {
		return r.route(p, q)
	}
	a, ok := p.Actions[q.action]
	if !ok || a.Rooted() {
		return p, nil, Errorf(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method. (simcloud serves no %s %q; Alibaba Cloud may have it)", p.Code, q.action)
	}
	return p, a, nil
}

// notServed is the answer to an API that Alibaba Cloud has and simcloud lacks.
func notServed(product, action string) error {
	return Errorf(404, "InvalidAction.NotFound", "simcloud does not serve %s %s, which Alibaba Cloud has.", product, action)
}
