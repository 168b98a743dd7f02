package wire

import "net"

// Write is one write action that reached its product, for the trail.
type Write struct {
	Call *Call
	// Service is the product as a trail record names it, such as Ecs.
	Service string
	// Global is true for products with one endpoint for all regions.
	Global bool
	// TypeOf returns the type of a wire parameter, such as Integer.
	TypeOf func(name string) (string, bool)
	// Response is the JSON answer; nil when the call failed.
	Response []byte
	// Err is nil when the call succeeded.
	Err       *Error
	Host      string
	UserAgent string
	SourceIP  string
	// Console is true when the request said, by the header
	// "x-sim-console: true", that it plays a click in the console.
	Console bool
	// Bought is true when it said "buy-page": the purchase of a resource on the buy
	// page of its product, which is a console's as well.
	Bought bool
}

// Trail receives writes, one by one, while the caller still waits.
type Trail interface{ Wrote(w Write) }

type noTrail struct{}

func (noTrail) Wrote(Write) {}

// References returns what Refer noted.
func (c *Call) References() map[string][]string { return c.refs }

func (x *exchange) trail(body []byte, err error) {
	h := x.q.http
	ip, _, _ := net.SplitHostPort(h.RemoteAddr)
	w := Write{
		Call: x.call, Service: x.product.Name, Global: x.product.Global, TypeOf: x.action.TypeOf,
		Response: body, Host: h.Host, UserAgent: h.UserAgent(), SourceIP: ip,
	}
	played := h.Header.Get("x-sim-console")
	w.Bought = played == "buy-page"
	w.Console = w.Bought || played == "true"
	if err != nil {
		w.Err = AsError(err)
	}
	x.r.o.Trail.Wrote(w)
}
