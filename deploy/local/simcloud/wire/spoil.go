package wire

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"fleetwarden/deploy/local/simcloud"
)

// faultCall is what the plan of faults goes by.
func (x *exchange) faultCall() simcloud.FaultCall {
	c := simcloud.FaultCall{
		Product: x.product.Code, Action: x.action.Name, Account: x.call.Caller.Account, Region: x.call.Region,
		Role: x.call.Caller.Name, Temporary: x.q.token != "", Token: x.call.Params["NextToken"] != "",
	}
	c.Continues = c.Token || x.call.Params["Marker"] != "" // RAM's, which is a name and does not expire
	for _, name := range []string{"PageNumber", "CurrentPage"} {
		n, err := strconv.Atoi(x.call.Params[name])
		c.Continues = c.Continues || (err == nil && n > 1)
	}
	return c
}

var refusals = Refusals{
	simcloud.Throttle:      Errorf(400, "Throttling.User", "Request was denied due to user flow control."),
	simcloud.Unavailable:   Errorf(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
	simcloud.NotSupported:  Errorf(400, "RegionId.ApiNotSupported", "The api is not supported in this region."),
	simcloud.InternalError: Errorf(500, "InternalError", "The request processing has failed due to some unknown error, exception or failure."),
}

// spoil is the answer to a call that goes wrong before its product sees it; nil
// if it is carried out.
func (x *exchange) spoil() error {
	if refusal := refusals[x.fault]; refusal != nil {
		return refusal
	}
	switch x.fault {
	case simcloud.Deny:
		return denied(x.product.Code, x.product.Code+":"+x.action.Name, "*")
	case simcloud.ExpiredPage:
		// No code is published. The product itself refuses what it never gave out.
		x.call.Params["NextToken"] = "expired"
	case simcloud.ExpiredCredentials:
		x.r.o.Expire(x.q.key)
		_, _, err := x.r.o.Keys.Key(x.q.key, x.q.token)
		return err
	}
	return nil
}

// page runs the call, or answers the page again that the caller had before.
func (x *exchange) page() ([]byte, error) {
	if x.fault == simcloud.RepeatPage {
		if body, ok := x.r.pages.again(x.listing(), x.id); ok {
			return body, nil
		}
	}
	body, err := x.run()
	if err == nil && !x.action.Write() && x.r.o.Faults.RepeatsPage(x.faultCall()) {
		x.r.pages.keep(x.listing(), page{x.id, body})
	}
	return body, err
}

// listing names who lists what: the call without its place in the listing.
func (x *exchange) listing() string {
	rest := maps.Clone(x.call.Params)
	for _, name := range []string{"NextToken", "Marker", "PageNumber", "CurrentPage"} {
		delete(rest, name)
	}
	who := x.call.Caller
	parts := []string{who.Account, who.Type, who.Name, x.call.Region, x.product.Code, x.action.Name}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		parts = append(parts, name, rest[name])
	}
	return strings.Join(parts, "\n")
}

// pages are the last pages of listings, while the plan of faults repeats any.
type pages struct {
	mu   sync.Mutex
	last map[string]page
}

type page struct {
	id   string // of its request
	body []byte
}

// mostPages bounds the pages that are kept.
const mostPages = 1000

func (p *pages) keep(listing string, last page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil || len(p.last) >= mostPages {
		p.last = map[string]page{}
	}
	p.last[listing] = last
}

// again is the last page of a listing under a new request id.
func (p *pages) again(listing, id string) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, ok := p.last[listing]
	return bytes.Replace(last.body, []byte(last.id), []byte(id), 1), ok
}
