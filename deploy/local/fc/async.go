package fc

import (
	"encoding/json"
	"fmt"
	"time"
)

// maxAsync is the largest payload of an asynchronous invocation.
const maxAsync = 128 << 10

// throttleLimit is how long an asynchronous invocation that found no capacity, or a
// disabled function, is tried again, at doubling waits from 0.5 s.
const throttleLimit = 5 * time.Hour

type event struct {
	d        *deployed
	cause    Cause
	queued   time.Time // virtual
	failures int
	throttle int
}

// InvokeAsync queues an event and returns. It refuses a payload above 128 KB.
func (r *Runtime) InvokeAsync(region, name string, c Cause) error {
	d, err := r.find(region, name)
	if err != nil {
		return err
	}
	if len(c.Payload) > maxAsync {
		return fmt.Errorf("invoking %s: the payload has %d bytes, allowed are %d", name, len(c.Payload), maxAsync)
	}
	c.async = true
	r.attempt(&event{d: d, cause: c, queued: r.o.Clock.Now()})
	return nil
}

// attempt runs the event on a goroutine of its own. The work token is taken
// before, so that no time passes in between.
func (r *Runtime) attempt(e *event) {
	r.mu.Lock()
	d, ok := r.functions[key{e.d.Region, e.d.Name}]
	r.mu.Unlock()
	if !ok {
		return // it was removed, and its events with it
	}
	e.d = d
	done := r.o.Clock.Begin()
	go func() {
		defer done()
		r.run(e.d, e.cause, e.failures+1, func(res Result, note *Invocation) {
			if res.ErrorType != "" {
				r.failed(e, res, note)
			}
		})
	}()
}

// failed plans the next attempt, or hands the event to its destination.
func (r *Runtime) failed(e *event, res Result, note *Invocation) {
	age := r.o.Clock.Now().Sub(e.queued)
	wait, again := e.wait(res.ErrorType, age)
	if again && age+wait > e.d.Async.MaxAge {
		res.ErrorType, again = Expired, false
	}
	if !again {
		r.giveUp(e, res, note)
		return
	}
	r.mu.Lock()
	note.Retry = true
	r.mu.Unlock()
	r.o.Clock.After(wait, func() { r.attempt(e) })
}

// wait is the pause before the next attempt. How long the platform waits after a
// failure of the function is not published; here it is 1 s, doubled each time.
func (e *event) wait(kind string, age time.Duration) (time.Duration, bool) {
	if kind == Exhausted || kind == Stopped {
		e.throttle++
		return 500 * time.Millisecond << min(e.throttle-1, 10), age < throttleLimit
	}
	e.failures++
	return time.Second << (e.failures - 1), e.failures <= e.d.Async.Retries
}

// record is what a destination receives.
type record struct {
	Timestamp      int64 `json:"timestamp"`
	RequestContext struct {
		RequestID              string `json:"requestId"`
		FunctionARN            string `json:"functionArn"`
		Condition              string `json:"condition"`
		ApproximateInvokeCount int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	RequestPayload  string `json:"requestPayload"`
	ResponseContext struct {
		StatusCode    int    `json:"statusCode"`
		FunctionError string `json:"functionError"`
	} `json:"responseContext"`
	ResponsePayload string `json:"responsePayload"`
}

func (r *Runtime) giveUp(e *event, res Result, note *Invocation) {
	if e.d.Async.OnFailure == nil {
		return
	}
	out := record{Timestamp: r.o.Clock.Now().UnixMilli(), RequestPayload: string(e.cause.Payload), ResponsePayload: string(res.Body)}
	out.RequestContext.RequestID, out.RequestContext.FunctionARN = res.RequestID, e.d.ARN()
	out.RequestContext.Condition, out.RequestContext.ApproximateInvokeCount = res.ErrorType, e.failures+e.throttle
	out.ResponseContext.StatusCode, out.ResponseContext.FunctionError = 200, res.ErrorType
	body, err := json.Marshal(out)
	if err == nil {
		err = e.d.Async.OnFailure(body)
	}
	if err != nil {
		r.refuse(note, fmt.Errorf("sending the record of the failure: %w", err))
	}
}
