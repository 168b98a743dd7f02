package fc

import (
	"encoding/json"
	"fmt"
	"time"
)

// running is an invocation under way.
type running struct {
	id       string
	f        *deployed
	instance *instance
	payload  []byte
	creds    Credentials
	attempt  int
	deadline time.Time // real
	note     *Invocation
	done     chan Result // has room for one
	async    bool
	cold     bool // its instance was started for it
	admitted bool // it has an instance to run in, or was refused
	counted  bool // Close waits for it
}

// finish ends the invocation once; later outcomes are dropped.
func (x *running) finish(kind string, body []byte) { x.close(Result{Body: body, ErrorType: kind}) }

func (x *running) close(res Result) {
	res.RequestID = x.id
	select {
	case x.done <- res:
	default:
	}
}

// fail ends the invocation with an error as the platform words it.
func (x *running) fail(kind, message string) { x.finish(kind, worded(kind, message)) }

func worded(kind, message string) []byte {
	body, _ := json.Marshal(map[string]string{"errorMessage": message, "errorType": kind}) // strings cannot fail
	return body
}

// run makes one attempt and calls then with its end. It waits for the process in real
// time, while virtual time stands still; see [Runtime.Lengthen] for what may follow.
func (r *Runtime) run(d *deployed, c Cause, attempt int, then func(Result, *Invocation)) {
	defer r.o.Clock.Begin()()
	x := r.begin(d, c, attempt)
	began := time.Now()
	if err := r.start(x); err != nil {
		x.fail(Unhandled, err.Error())
	}
	limit := time.AfterFunc(time.Until(x.deadline), func() { r.expire(x) })
	res := <-x.done
	limit.Stop()
	took := time.Since(began)
	if x.instance != nil {
		r.refuse(x.note, x.instance.ship(false))
	}
	length := r.length(x)
	end := func() {
		r.end(x, res, took)
		x.measure(res, took+length)
		then(res, x.note)
	}
	if length > 0 {
		r.uncount(x) // once closed, the clock may never get there
		r.o.Clock.After(length, end)
		return
	}
	end()
}

// Lengthen has each later invocation of the function last for d of virtual time: its
// process works at the beginning, and its instance is free again, and its end known, only
// after that. Zero ends it. So passes that last overlap, which those of no virtual length
// never do. A synchronous invocation then ends only if something else moves the clock.
func (r *Runtime) Lengthen(function string, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lengths[function] = d
}

// length is how much longer an invocation lasts that has done its work.
func (r *Runtime) length(x *running) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x.instance == nil {
		return 0 // it was refused
	}
	return r.lengths[x.f.Name]
}

// uncount has Close wait for the invocation no more.
func (r *Runtime) uncount(x *running) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x.counted {
		x.counted = false
		r.work.Done()
	}
}

// begin notes the attempt, and admits it if the function may have one more instance.
func (r *Runtime) begin(d *deployed, c Cause, attempt int) *running {
	now := r.o.Clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serial++
	id := fmt.Sprintf("1-%08x-%012x", now.Unix(), r.serial)
	x := &running{
		id: id, f: d, deadline: time.Now().Add(d.Timeout), payload: c.Payload, async: c.async, attempt: attempt, done: make(chan Result, 1),
		note: &Invocation{Function: d.Name, Region: d.Region, RequestID: id, Trigger: c.Trigger, Attempt: attempt, Start: now},
	}
	r.history = append(r.history, x.note)
	if x.admitted = !d.Disabled && r.room(d); x.admitted {
		d.active++
	}
	if !r.closed {
		x.counted = true
		r.work.Add(1)
	}
	return x
}

// room reports whether a function may have one more instance: of those reserved for it,
// or of those that its account has left in the region. The caller holds the mutex.
func (r *Runtime) room(d *deployed) bool {
	if d.Reserved != nil {
		return d.active < *d.Reserved
	}
	left := maxInstances - foreign
	for _, other := range r.functions {
		switch {
		case other.Account != d.Account || other.Region != d.Region:
		case other.Reserved != nil:
			left -= *other.Reserved
		default:
			left -= other.active
		}
	}
	return left > 0
}

// start gives the invocation credentials and an instance.
func (r *Runtime) start(x *running) error {
	if x.f.Disabled {
		x.fail(Stopped, "the function is disabled")
		return nil
	}
	if !x.admitted {
		x.fail(Exhausted, "the concurrency limit of the function is reached")
		return nil
	}
	session := "fc-" + x.id
	creds, err := r.o.Issue(&x.f.Function, session)
	if err != nil {
		return fmt.Errorf("taking the function's role: %w", err)
	}
	x.creds = creds
	return r.assign(x, session)
}

// expire ends an invocation that ran out of time, together with its process.
func (r *Runtime) expire(x *running) {
	x.close(Result{ErrorType: Unhandled, Body: worded(Unhandled, fmt.Sprintf("Function timed out after %d seconds", int(x.f.Timeout/time.Second))), late: true})
	r.mu.Lock()
	i := x.instance
	if i != nil {
		i.gone = true
	}
	r.mu.Unlock()
	if i != nil {
		i.kill()
	}
}

// refuse notes what the platform could not do in the function's name; nil for nothing.
func (r *Runtime) refuse(note *Invocation, err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if note.Refused != "" {
		note.Refused += "; "
	}
	note.Refused += err.Error()
}

// end notes the outcome and frees the place.
func (r *Runtime) end(x *running, res Result, took time.Duration) {
	now := r.o.Clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if x.counted {
		defer r.work.Done()
	}
	if x.admitted {
		x.f.active--
	}
	n := x.note
	n.End, n.DurationMs = now, float64(took.Microseconds())/1000
	n.ErrorType = res.ErrorType
	if res.ErrorType == "" {
		n.Result = string(res.Body[:min(len(res.Body), maxKept)])
	} else {
		n.Error = string(res.Body[:min(len(res.Body), maxKept)])
	}
	if i := x.instance; i != nil {
		n.Log = i.log.since(i.from[x.id])
		delete(i.running, x.id)
		delete(i.from, x.id)
		if i.gone && !r.closed {
			r.work.Go(i.kill) // it was replaced meanwhile
		}
	}
}

// measure has the platform write what it measured of a call that had an instance. What it may
// not write is lost, as lines are.
func (x *running) measure(res Result, took time.Duration) {
	if x.instance == nil || x.f.Measured == nil || x.f.MayLog != nil && x.f.MayLog() != nil {
		return
	}
	m := Metrics{RequestID: x.id, Instance: x.instance.id, Async: x.async, Cold: x.cold, Duration: took}
	switch {
	case res.late:
		m.ErrorType = "FunctionTimeoutError"
	case res.ErrorType != "":
		m.ErrorType = "FunctionUnhandledError"
	}
	x.f.Measured(m)
}

// maxKept bounds what is kept of an answer.
const maxKept = 16 << 10
