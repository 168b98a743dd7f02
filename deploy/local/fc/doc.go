// Package fc runs functions as Function Compute 3.0 does for runtime go1: real
// binaries as processes, fed through the runtime API, one event an instance; the limits
// of instances; time-outs and crashes; asynchronous invocations with retries, age limit
// and failure destination. It writes logs and sends to destinations only as far as the
// function's role may: see [Function.MayLog] and [Async.OnFailure].
//
// Two clocks: a process's time-out and x-fc-function-deadline are real time,
// retries and ages are virtual. An invocation holds a work token, so that no
// virtual time passes while a function runs.
//
// Events and timers that wake functions come from deploy/local/stack.
//
// Facts: fc-runtime-go-sdk v0.3.1, and Function Compute's pages on environment
// variables, error handling and result callbacks.
package fc
