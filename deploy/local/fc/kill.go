package fc

import "fleetwarden/deploy/local/simcloud/wire"

// When is a moment of an API call.
type When bool

// The moments at which a process can be killed.
const (
	// Before the call is carried out.
	Before When = false
	// After it was carried out, before its answer is sent.
	After When = true
)

type kill struct {
	function string
	left     int
	when     When
	call     *wire.Call // the one that was counted down to
}

// Kill ends the process of a function with SIGKILL exactly at its nth API
// request from now on, counted over all its instances. It works once.
func (r *Runtime) Kill(function string, n int, when When) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kills = append(r.kills, &kill{function: function, left: n, when: when})
}

// Spare forgets the kills that are still to come.
func (r *Runtime) Spare() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kills = nil
}

// Witness sees every API request; see wire.Witness. The caller's STS session names the
// process, also where the keys are of a role that an earlier invocation of it assumed.
func (r *Runtime) Witness(c *wire.Call, after bool) bool {
	i := r.doomed(c, When(after))
	if i == nil {
		return false
	}
	i.kill()
	return true
}

// doomed counts the request and returns the instance that must die with it.
func (r *Runtime) doomed(c *wire.Call, when When) *instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.sessions[c.Caller.Session]
	if i == nil {
		i = r.sessions[c.Caller.Source]
	}
	if i == nil {
		return nil
	}
	for n, k := range r.kills {
		if k.function != i.f.Name {
			continue
		}
		if when == Before {
			if k.left--; k.left == 0 {
				k.call = c
			}
		}
		if k.call == c && k.when == when {
			r.kills = append(r.kills[:n], r.kills[n+1:]...)
			i.gone = true
			return i
		}
	}
	return nil
}
