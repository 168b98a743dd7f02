package main

import (
	"context"
	"os"
	"sync"
	"sync/atomic"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
)

// cut ends the operator's tool at a call that a step named, as a lost terminal does.
type cut struct {
	mu   sync.Mutex
	step *Step // of kind Kill; nil for none
	left int   // fitting calls until then
	call *wire.Call
	tool *os.Process
	done bool // to the tool that runs, or ran last
	// interrupted: it was done by Ctrl-C.
	interrupted bool
}

// arm has the next tool die as a step says.
func (c *cut) arm(s *Step) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.step, c.call = s, nil
	if s != nil {
		c.left = max(s.Call, s.Writes, 1)
	}
}

// begin is for a tool that has just started.
func (c *cut) begin(tool *os.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tool, c.done = tool, false
}

// took reports whether the tool that ran last was ended, and whether by Ctrl-C.
func (c *cut) took() (done, interrupted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tool = nil
	return c.done, c.done && c.interrupted
}

// see is a wire.Witness for calls of the tool.
func (c *cut) see(call *wire.Call, after bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if function, _ := stack.FunctionOf(call.Caller); c.step == nil || c.tool == nil || function != "backfill" {
		return false
	}
	if !after && c.call == nil && c.step.meets(call) {
		if c.left--; c.left == 0 {
			c.call = call
		}
	}
	if c.call != call || c.step.After != after {
		return false
	}
	c.done, c.interrupted, c.step = true, c.step.Interrupt, nil
	if c.interrupted {
		_ = c.tool.Signal(os.Interrupt)
		return false
	}
	_ = c.tool.Kill() // one that has ended cannot be ended again
	return true
}

// meets reports whether a call counts for a step of kind Kill.
func (s *Step) meets(c *wire.Call) bool {
	switch {
	case s.Action != "":
		return c.Action == s.Action
	case s.Writes > 0:
		return writes(c)
	}
	return true
}

// kill has a process of a function, or the operator's tool, die.
func (p *player) kill(_ context.Context, s Step) error {
	if s.Function == "backfill" {
		p.cut.arm(&s)
		return nil
	}
	p.m.faulty = true
	p.m.forgetful = p.m.forgetful || s.Function == "sweep"
	var calls atomic.Int64
	n := max(s.Call, s.Writes, 1)
	p.KillWhen(s.Function, func(c *wire.Call) bool {
		meets := s.meets(c)
		if meets && calls.Add(1) == int64(n) {
			p.deaths.Store(c.Now, s.Function)
		}
		return meets
	}, n, fc.When(s.After))
	return nil
}
