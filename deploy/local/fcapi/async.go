package fcapi

import (
	"net/http"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// GetAsyncInvokeConfig shows how asynchronous invocations are retried and where they end;
// where the defaults hold, there is none.
func (a *API) GetAsyncInvokeConfig(c *wire.Call, in *QualifiedRequest) (*AsyncConfig, error) {
	f, err := a.findAsync(c, *in)
	if err != nil {
		return nil, err
	}
	out := *f.async
	return &out, nil
}

// findAsync is find for a function with a configuration. The caller holds the mutex.
func (a *API) findAsync(c *wire.Call, in QualifiedRequest) (*function, error) {
	f, err := a.find(c, in.FunctionName)
	if err == nil {
		err = onlyLatest(in.Qualifier)
	}
	if err == nil && f.async == nil {
		err = wire.Errorf(http.StatusNotFound, "AsyncConfigNotExists", "async config does not exist in function '%s'", in.FunctionName)
	}
	return f, err
}

// PutAsyncInvokeConfigRequest is the request of PutAsyncInvokeConfig.
type PutAsyncInvokeConfigRequest struct {
	QualifiedRequest
	Body *AsyncInput
}

// PutAsyncInvokeConfig replaces the configuration. The service writes to a destination
// with the function's role, and refuses one that this role may not write to.
func (a *API) PutAsyncInvokeConfig(c *wire.Call, in *PutAsyncInvokeConfigRequest) (*AsyncConfig, error) {
	if err := in.Body.check(); err != nil {
		return nil, err
	}
	f, err := a.find(c, in.FunctionName)
	if err == nil {
		err = onlyLatest(in.Qualifier)
	}
	if err == nil {
		err = a.reach(f, in.Body.DestinationConfig)
	}
	if err != nil {
		return nil, err
	}
	changed, now := *f, a.now()
	changed.async = &AsyncConfig{AsyncInput: *in.Body, FunctionArn: f.Function.FunctionArn, CreatedTime: now, LastModifiedTime: now}
	if f.async != nil {
		changed.async.CreatedTime = f.async.CreatedTime
	}
	changed.Async = in.Body
	out := *changed.async
	return &out, a.apply(changed)
}

// check compares with the documented ranges: 0 to 8 retries, 1 s to 7 days.
func (in *AsyncInput) check() error {
	if n := in.MaxAsyncRetryAttempts; n != nil && (*n < 0 || *n > 8) {
		return invalid("maxAsyncRetryAttempts is 0 to 8")
	}
	if n := in.MaxAsyncEventAgeInSeconds; n != nil && (*n < 1 || *n > 604800) {
		return invalid("maxAsyncEventAgeInSeconds is 1 to 604800")
	}
	return nil
}

// reach reports whether the function's role may send to the destinations, which are
// queues here: acs:mns:<region>:<account>:/queues/<name>/messages.
func (a *API) reach(f *function, to *Destinations) error {
	if to == nil {
		return nil
	}
	for _, d := range []*Destination{to.OnFailure, to.OnSuccess} {
		if d == nil || d.Destination == "" {
			continue
		}
		if !strings.HasPrefix(d.Destination, "acs:mns:") || !strings.HasSuffix(d.Destination, "/messages") {
			return invalid("destination %q is no queue: simcloud serves acs:mns:<region>:<account>:/queues/<name>/messages", d.Destination)
		}
		_, role, _ := strings.Cut(text(f.Function.Role), ":role/")
		who := wire.Identity{Account: f.Account, Type: "AssumedRoleUser", Name: role, Session: "fc"}
		if !a.o.RAM.Allowed(who, "mns:SendMessage", d.Destination, nil) {
			return invalid("the role of function '%s' lacks mns:SendMessage on %s", f.Function.FunctionName, d.Destination)
		}
	}
	return nil
}

// DeleteAsyncInvokeConfig brings the defaults back.
func (a *API) DeleteAsyncInvokeConfig(c *wire.Call, in *QualifiedRequest) (*wire.Raw, error) {
	f, err := a.findAsync(c, *in)
	if err != nil {
		return nil, err
	}
	changed := *f
	changed.async, changed.Async = nil, nil
	return wire.NoContent(), a.apply(changed)
}
