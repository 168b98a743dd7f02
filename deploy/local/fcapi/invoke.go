package fcapi

import (
	"context"
	"net/http"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/wire"
)

// DisableRequest is the request of DisableFunctionInvocation. AbortOngoingRequest is
// taken, and does nothing: what runs is run to its end.
type DisableRequest struct {
	FunctionRequest
	Body *struct {
		AbortOngoingRequest *bool  `json:"abortOngoingRequest,omitempty"`
		Reason              string `json:"reason,omitempty"`
	}
}

// Success is the answer of the native stop.
type Success struct {
	Success bool `json:"success"`
}

// DisableFunctionInvocation refuses all invocations from now on.
func (a *API) DisableFunctionInvocation(c *wire.Call, in *DisableRequest) (*Success, error) {
	reason := ""
	if in.Body != nil {
		reason = in.Body.Reason
	}
	return a.restrict(c, in.FunctionName, true, reason)
}

// EnableFunctionInvocation lets invocations through again.
func (a *API) EnableFunctionInvocation(c *wire.Call, in *FunctionRequest) (*Success, error) {
	return a.restrict(c, in.FunctionName, false, "")
}

func (a *API) restrict(c *wire.Call, name string, disable bool, reason string) (*Success, error) {
	f, err := a.find(c, name)
	if err != nil {
		return nil, err
	}
	changed := *f
	changed.Function.InvocationRestriction = &Restriction{Disable: disable, Reason: reason, LastModifiedTime: a.now()}
	return &Success{true}, a.apply(changed)
}

// InvokeFunctionRequest is the request of InvokeFunction.
type InvokeFunctionRequest struct {
	QualifiedRequest
	InvocationType string `param:"x-fc-invocation-type"` // Sync or Async
	LogType        string `param:"x-fc-log-type"`        // None or Tail
	Body           []byte
}

// InvokeFunction runs a function, or queues an event for it.
func (a *API) InvokeFunction(c *wire.Call, in *InvokeFunctionRequest) (*wire.Raw, error) {
	if err := a.mayInvoke(c, in); err != nil {
		return nil, err
	}
	switch in.InvocationType {
	case "Async":
		if err := a.o.Platform.InvokeAsync(c.Region, in.FunctionName, in.Body); err != nil {
			return nil, invalid("%v", err)
		}
		return &wire.Raw{Status: http.StatusAccepted}, nil
	case "", "Sync":
		res, err := a.o.Platform.Invoke(context.Background(), c.Region, in.FunctionName, in.Body)
		if err != nil {
			return nil, invalid("%v", err)
		}
		return answer(res), nil
	}
	return nil, invalid("x-fc-invocation-type is Sync or Async")
}

// mayInvoke checks all that is known before the function is run, which is done without the
// mutex held: a function may ask this API.
func (a *API) mayInvoke(c *wire.Call, in *InvokeFunctionRequest) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, err := a.find(c, in.FunctionName)
	if err != nil {
		return err
	}
	if in.LogType != "" && in.LogType != "None" {
		return invalid("simcloud returns no logs: x-fc-log-type is None")
	}
	if r := f.Function.InvocationRestriction; r != nil && r.Disable {
		return wire.Errorf(http.StatusForbidden, "FunctionInvocationDisabled", "function '%s' is disabled: %s", in.FunctionName, r.Reason)
	}
	return onlyLatest(in.Qualifier)
}

// answer is 200 also for a function's failure, which a header
// reports; 429 where it found no instance.
func answer(res fc.Result) *wire.Raw {
	out := &wire.Raw{Status: http.StatusOK, Body: res.Body, Header: http.Header{
		"Content-Type": {"application/octet-stream"}, "X-Fc-Request-Id": {res.RequestID},
	}}
	if res.ErrorType != "" {
		out.Header.Set("X-Fc-Error-Type", res.ErrorType)
	}
	if res.ErrorType == fc.Exhausted {
		out.Status = http.StatusTooManyRequests
	}
	return out
}
