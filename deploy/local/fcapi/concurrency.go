package fcapi

import (
	"net/http"

	"fleetwarden/deploy/local/simcloud/wire"
)

// GetConcurrencyConfig shows how many instances are a function's own.
func (a *API) GetConcurrencyConfig(c *wire.Call, in *FunctionRequest) (*Concurrency, error) {
	f, err := a.findConcurrency(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return &Concurrency{f.Function.FunctionArn, int64(*f.Reserved)}, nil
}

// findConcurrency is find for a function with a configuration. The caller holds the mutex.
func (a *API) findConcurrency(c *wire.Call, name string) (*function, error) {
	f, err := a.find(c, name)
	if err == nil && f.Reserved == nil {
		err = wire.Errorf(http.StatusNotFound, "OnDemandConfigNotFound", "concurrency config does not exist in function '%s'", name)
	}
	return f, err
}

// PutConcurrencyConfigRequest is the request of PutConcurrencyConfig.
type PutConcurrencyConfigRequest struct {
	FunctionRequest
	Body *struct {
		ReservedConcurrency *int64 `json:"reservedConcurrency,omitempty"`
	}
}

// PutConcurrencyConfig sets instances apart for a function; 0 stops it.
func (a *API) PutConcurrencyConfig(c *wire.Call, in *PutConcurrencyConfigRequest) (*Concurrency, error) {
	f, err := a.find(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	n := in.Body.ReservedConcurrency
	if n == nil || *n < 0 {
		return nil, invalid("reservedConcurrency is missing or below 0")
	}
	changed := *f
	changed.Reserved = new(int(*n))
	return &Concurrency{f.Function.FunctionArn, *n}, a.apply(changed)
}

// DeleteConcurrencyConfig gives a function's own instances back.
func (a *API) DeleteConcurrencyConfig(c *wire.Call, in *FunctionRequest) (*wire.Raw, error) {
	f, err := a.findConcurrency(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	changed := *f
	changed.Reserved = nil
	return wire.NoContent(), a.apply(changed)
}
