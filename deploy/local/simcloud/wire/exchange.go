package wire

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"reflect"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/meta"
)

// exchange is one request and its answer.
type exchange struct {
	r       *Router
	w       http.ResponseWriter
	id      string
	now     time.Time
	q       *request
	product *meta.Product
	action  *meta.Action
	call    *Call
	ids     int
	fault   simcloud.FaultKind
	raw     *Raw // an answer that is no RPC response
}

func (x *exchange) serve(req *http.Request) {
	err := x.admit(req)
	var body []byte
	if err == nil && meta.Absent(x.product.Code, RegionOf(x.q.http.Host, x.r.o.World.Regions)) {
		x.drop("NoSuchHost")
	}
	if err == nil && x.r.o.Witness.Drops(x.call, false) {
		x.drop("Timeout")
		return
	}
	if err == nil {
		x.fault = x.r.o.Faults.Next(x.faultCall())
		if x.fault.Before() {
			x.drop("Timeout")
			return
		}
		if err = x.spoil(); err == nil {
			body, err = x.page()
			if x.r.o.Witness.Drops(x.call, true) {
				x.drop("Timeout")
				return
			}
		}
	}
	switch {
	case x.fault.After():
		x.drop("Timeout")
	case x.fault == simcloud.Empty:
		x.note(200, "Empty")
		x.header("application/json")
		x.w.WriteHeader(200)
	case err != nil:
		x.fail(err)
	case x.raw != nil:
		x.note(x.raw.Status, "")
		x.answerRaw()
	default:
		x.note(200, "")
		x.answer(200, body)
	}
}

// admit takes a request apart and checks all that is checked before a product
// sees it.
func (x *exchange) admit(req *http.Request) (err error) {
	if x.q, err = parse(req); err != nil {
		return err
	}
	if x.product, x.action, err = x.r.lookup(x.q); err != nil {
		return err
	}
	who, err := x.r.authenticate(x.q)
	if err != nil {
		return err
	}
	x.call = x.newCall(who)
	x.r.o.Seen(x.call, x.action.Departs(x.call.Params))
	if left, err := x.r.quota.take(x.call, x.now); err != nil {
		x.w.Header().Set("X-RateLimit-User-API", left)
		return err
	}
	if x.ids, err = check(x.action, x.call.Params); err != nil {
		return err
	}
	return x.checkBody()
}

func (x *exchange) newCall(who Identity) *Call {
	c := &Call{
		Product: x.product.Code, Action: x.action.Name, Version: x.product.Version,
		RequestID: x.id, Region: x.region(), Caller: who, Now: x.now, Params: x.q.params,
	}
	source, _, _ := net.SplitHostPort(x.q.http.RemoteAddr)
	c.Authorize = func(action, resource string, conditions map[string]string) error {
		keys := map[string]string{"acs:SourceIp": source, "acs:SecureTransport": "false"}
		maps.Copy(keys, conditions)
		if x.r.o.Authorizer.Allowed(who, action, resource, keys) {
			return nil
		}
		return denied(c.Product, action, resource)
	}
	return c
}

// denied is the answer to a call that the caller's policies do not allow. RAM
// and STS answer NoPermission, Function Compute AccessDenied.
func denied(product, action, resource string) error {
	const text = "You are not authorized to do this action. Action: %s, resource: %s."
	switch product {
	case "ram", "sts":
		return Errorf(403, "NoPermission", text, action, resource)
	case "fc":
		return Errorf(403, "AccessDenied", text, action, resource)
	}
	return Errorf(403, "Forbidden.RAM", text, action, resource)
}

// region is the parameter RegionId, else that of the host name.
func (x *exchange) region() string {
	return cmp.Or(x.q.params["RegionId"], RegionOf(x.q.http.Host, x.r.o.World.Regions))
}

// RegionOf returns the region in a host name, such as kms.cn-shanghai.aliyuncs.com
// or ecs-cn-hangzhou.aliyuncs.com; the first region when there is none.
func RegionOf(host string, regions []string) string {
	for label := range strings.SplitSeq(host, ".") {
		for _, region := range regions {
			if label == region || strings.HasSuffix(label, "-"+region) {
				return region
			}
		}
	}
	if len(regions) == 0 {
		return ""
	}
	return regions[0]
}

// run calls the product's method, and hands a write to the trail.
func (x *exchange) run() ([]byte, error) {
	m, ok := x.r.method(x.product.Code, x.action.Name)
	if !ok {
		return nil, notServed(x.product.Code, x.action.Name)
	}
	in := reflect.New(m.in)
	if err := cmp.Or(decode(x.call.Params, "", in.Elem()), x.decodeBody(in.Elem())); err != nil {
		return nil, err
	}
	body, err := x.invoke(m, in)
	if x.action.Write() {
		x.trail(body, err)
	}
	return body, err
}

// invoke turns a panic of a product into the service's InternalError, so that
// one bad method does not end the cloud. net/http would drop the connection,
// which a client cannot tell from a fault.
func (x *exchange) invoke(m method, in reflect.Value) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			body, err = nil, Errorf(500, "InternalError", "simcloud: %s panicked: %v", x.action.Name, p)
		}
	}()
	out, err := m.call(x.call, in)
	if err != nil {
		return nil, err
	}
	if x.action.Rooted() {
		return x.plain(out)
	}
	return withRequestID(out, x.id)
}

// call runs the method of a product that lets the call in.
func (m method) call(c *Call, in reflect.Value) (any, error) {
	if m.guarded != nil {
		mutex, err := m.guarded.Enter(c)
		if err != nil {
			return nil, err
		}
		if mutex != nil {
			mutex.Lock()
			defer mutex.Unlock()
		}
	}
	out := m.fn.Call([]reflect.Value{reflect.ValueOf(c), in})
	err, _ := out[1].Interface().(error)
	return out[0].Interface(), err
}

func withRequestID(response any, id string) ([]byte, error) {
	b, err := json.Marshal(response)
	if err != nil || len(b) < 2 || b[0] != '{' {
		return nil, fmt.Errorf("encoding the response: %s: %w", b, err)
	}
	head := []byte(`{"RequestId":"` + id + `"`)
	if len(b) > 2 {
		head = append(head, ',')
	}
	return append(head, b[1:]...), nil
}

// AsError makes any error an answer. What is no *Error is a bug of simcloud and
// says so.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Errorf(500, "InternalError", "simcloud: %v", err)
}
