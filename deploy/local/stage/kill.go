package stage

import (
	"sync"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/wire"
)

// KillAt ends a process of the function at its next call of an action, once: before
// that is carried out, or after and before its answer.
func (s *Stage) KillAt(function, action string, when fc.When) {
	next, once := s.Server.Witness, sync.Once{}
	s.Server.Witness = func(c *wire.Call, after bool) bool {
		if !after && c.Action == action && c.Caller.Name == "fleetwarden-"+function {
			once.Do(func() { s.Stack.Kill(function, 1, when) })
		}
		return next.Drops(c, after)
	}
}
