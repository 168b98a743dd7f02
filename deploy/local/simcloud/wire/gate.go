package wire

import (
	"errors"
	"net/http"
	"strings"

	"fleetwarden/deploy/local/simcloud"
)

// Gate is what products with a protocol of their own share with the Router: what fails on
// purpose, what is logged, and who watches.
type Gate struct {
	World   *simcloud.World
	Faults  *simcloud.Faults
	Log     *Log
	Witness Witness // nil for none
}

// ErrNoAnswer closes the connection without an answer, as a time-out does. ErrEmptyAnswer
// is status 200 without a body.
var (
	ErrNoAnswer    = errors.New("no answer")
	ErrEmptyAnswer = errors.New("empty answer")
)

// Call is a call that has come, under a new request id.
func (g Gate) Call(product, version string) *Call {
	g.World.Lock()
	defer g.World.Unlock()
	return &Call{
		Product: product, Version: version, RequestID: strings.ToUpper(g.World.NewID(product + "-request-")), Now: g.World.Clock.Now(),
	}
}

// Refusals are the answers of a protocol to calls that fail on purpose and are not carried
// out.
type Refusals map[simcloud.FaultKind]*Error

// Pass runs a call whose caller is known, unless it is to fail.
func (g Gate) Pass(c *Call, refusals Refusals, run func() error) (simcloud.FaultKind, error) {
	if g.Witness.Drops(c, false) {
		return simcloud.NoFault, ErrNoAnswer
	}
	fault := g.Faults.Next(simcloud.FaultCall{
		Product: c.Product, Action: c.Action, Account: c.Caller.Account, Region: c.Region, Role: c.Caller.Name,
	})
	if fault.Before() {
		return fault, ErrNoAnswer
	}
	if refusal := refusals[fault]; refusal != nil {
		return fault, refusal
	}
	err := run()
	switch {
	case g.Witness.Drops(c, true), fault.After():
		err = ErrNoAnswer
	case fault == simcloud.Empty:
		err = ErrEmptyAnswer
	}
	return fault, err
}

// Note logs a call with the status and the code that its caller sees.
func (g Gate) Note(c *Call, status int, code string, err error) {
	switch {
	case errors.Is(err, ErrNoAnswer):
		code = "Timeout"
	case errors.Is(err, ErrEmptyAnswer):
		code = "Empty"
	}
	g.Log.Add(Entry{
		Time: g.World.Clock.Now(), Product: c.Product, Action: c.Action, Region: c.Region,
		Account: c.Caller.Account, CallerType: c.Caller.Type, Caller: c.Caller.Name, Session: c.Caller.Session,
		Status: status, Code: code, RequestID: c.RequestID,
	})
}

// Drop ends the connection of a call without an answer, once its client has given up if
// the call hangs.
func Drop(fault simcloud.FaultKind, r *http.Request) {
	fault.Wait(r)
	panic(http.ErrAbortHandler) // net/http's way
}
