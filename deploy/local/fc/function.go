package fc

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Function is a deployed function.
type Function struct {
	Account string
	Region  string
	Name    string
	// Code is the folder with the unpacked zip; Handler the binary in it.
	Code    string
	Handler string
	Role    string // the RAM role's name
	Memory  int    // MB; passed to the function, not enforced
	// CPU is the number of processors, such as 0.35; 0 for as many as this machine has.
	// GOMAXPROCS limits Go to it; speed is not enforced.
	CPU     float64
	Timeout time.Duration
	// Reserved is how many instances the function may have, which no other function can
	// take; nil for its share of what the account has not reserved. With 0 it is never invoked.
	Reserved *int
	Env      map[string]string
	Async    Async
	// Disabled functions refuse every invocation. An event that was queued before is tried
	// again as one that found no instance.
	Disabled bool
	// MayLog says why the platform may not write into the function's log store; nil: it
	// may. It is asked before each writing.
	MayLog func() error
	// Logged is given the lines that were written there; may be nil.
	Logged func(Lines)
	// Measured is given each call that ran, as request metrics have it; nil where they are off.
	Measured func(Metrics)
}

// Metrics are what is measured of one call.
type Metrics struct {
	RequestID, Instance string
	Async, Cold         bool
	Duration            time.Duration
	ErrorType           string // empty for success, else FunctionTimeoutError or FunctionUnhandledError
}

// Lines are whole lines of an instance, in a file of the log store.
type Lines struct {
	Instance, Path string
	Offset, Length int64
}

// Async is how asynchronous invocations are retried and where they end.
type Async struct {
	// Retries after a failure of the function, 0–8.
	Retries int
	// MaxAge is how old an event may become; 0 is a day.
	MaxAge time.Duration
	// OnFailure takes the record of an invocation that was given up, or says why it could
	// not be sent; nil drops it.
	OnFailure func(record []byte) error
}

// ARN names the function as destination records do.
func (f *Function) ARN() string {
	return fmt.Sprintf("acs:fc:%s:%s:functions/%s", f.Region, f.Account, f.Name)
}

// The default of instances of all functions of an account in a region, and how many of
// them the customer's own functions, which are not run here, hold all the time.
const (
	maxInstances = 100
	foreign      = 20
)

// environment is what Function Compute sets for an instance, after the
// function's own variables.
func (f *Function) environment(api, instance string, c Credentials) []string {
	env := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "TZ=UTC"}
	if f.CPU > 0 {
		env = append(env, "GOMAXPROCS="+strconv.Itoa(int(math.Ceil(f.CPU))))
	}
	for k, v := range f.Env {
		env = append(env, k+"="+v)
	}
	return append(env,
		"FC_RUNTIME_API="+api,
		"FC_ACCOUNT_ID="+f.Account,
		"FC_REGION="+f.Region,
		"FC_FUNCTION_NAME="+f.Name,
		"FC_FUNCTION_HANDLER="+f.Handler,
		"FC_FUNCTION_MEMORY_SIZE="+strconv.Itoa(f.Memory),
		"FC_FUNCTION_VERSION=LATEST",
		"FC_FUNC_CODE_PATH="+f.Code,
		"FC_INSTANCE_ID="+instance,
		"ALIBABA_CLOUD_ACCESS_KEY_ID="+c.AccessKeyID,
		"ALIBABA_CLOUD_ACCESS_KEY_SECRET="+c.AccessKeySecret,
		"ALIBABA_CLOUD_SECURITY_TOKEN="+c.SecurityToken,
	)
}

// Credentials are a role's, for one invocation.
type Credentials struct{ AccessKeyID, AccessKeySecret, SecurityToken string }

// Kinds of failure, as X-Fc-Error-Type names them.
const (
	// Handled: the handler returned an error.
	Handled = "HandledInvocationError"
	// Unhandled: the handler panicked, ran out of time, or its process ended.
	Unhandled = "UnhandledInvocationError"
	// Exhausted: too many invocations at the same time, HTTP 429.
	Exhausted = "FunctionResourceExhausted"
	// Stopped: the function was disabled after its event had been queued.
	Stopped = "FunctionInvocationDisabled"
	// Expired: an asynchronous event grew older than its maximum age.
	Expired = "MaximumEventAgeExceeded"
)

// Invocation is one attempt to run a function, as GET /_sim/invocations shows it.
type Invocation struct {
	Function  string `json:"function"`
	Region    string `json:"region"`
	RequestID string `json:"requestId"`
	Trigger   string `json:"trigger"`
	// Attempt counts from 1; above it is a retry of an asynchronous invocation.
	Attempt    int       `json:"attempt"`
	Start      time.Time `json:"start"` // virtual
	End        time.Time `json:"end"`   // virtual; zero while it runs
	DurationMs float64   `json:"durationMs"`
	// Result is the answer's beginning; Error the body of a failure.
	Result    string `json:"result,omitempty"`
	ErrorType string `json:"errorType,omitempty"`
	Error     string `json:"error,omitempty"`
	// Retry says that another attempt follows.
	Retry bool `json:"retry"`
	// Refused is what the platform could not do in the function's name, and why: it writes
	// logs and sends to destinations with the function's role.
	Refused string `json:"refused,omitempty"`
	// Log is the end of what the instance wrote meanwhile, at most 64 KB.
	Log string `json:"log,omitempty"`
}

// Result is the outcome of an invocation. ErrorType is empty for success; then
// Body is the function's answer, else the error as JSON.
type Result struct {
	RequestID string
	Body      []byte
	ErrorType string
	late      bool // it ran out of time
}
