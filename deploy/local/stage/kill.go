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
	next, once := s.Server.Witness, sync.Once{}
	s.Server.Witness = func(c *wire.Call, after bool) bool {
		if caller, _ := stack.FunctionOf(c.Caller); !after && c.Action == action && caller == function {
			once.Do(func() { s.Stack.Kill(function, 1, when) })
		}
		return next.Drops(c, after)
	}
}
