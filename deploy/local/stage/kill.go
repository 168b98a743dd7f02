package stage

import (
	"sync"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
)

// KillAt ends a process of the function at its next call of an action, once: before
// that is carried out, or after and before its answer.
func (s *Stage) KillAt(function, action string, when fc.When) {
	s.KillWhen(function, func(c *wire.Call) bool { return c.Action == action }, 1, when)
}

// KillWhen is KillAt for the nth call of some kind from now, counted over all processes of
// the function.
func (s *Stage) KillWhen(function string, is func(*wire.Call) bool, n int, when fc.When) {
	var mu sync.Mutex
	next := s.Server.Witness()
	s.Server.SetWitness(func(c *wire.Call, after bool) bool {
		if caller, _ := stack.FunctionOf(c.Caller); !after && caller == function && is(c) {
			mu.Lock()
			if n--; n == 0 {
				s.Stack.Kill(function, 1, when)
			}
			mu.Unlock()
		}
		return next.Drops(c, after)
	})
}
