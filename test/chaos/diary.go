package main

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stack"
)

// deed is something that a function did: a write that reached the cloud, with what it changed
// of an instance, if it changed one.
type deed struct {
	at              time.Time
	function        string
	product, action string
	id              string
	before, after   ecs.InstanceState
}

// diary sees all writes of the functions.
type diary struct {
	mu      sync.Mutex
	server  *server.Server
	pending map[*wire.Call]map[string]ecs.InstanceState
	deeds   []deed
	clicks  map[string]int // one-click installations that were asked for, by instance
	whole   sync.Map       // functions, by a call that had all rights of a member's role
}

// keep starts a diary.
func keep(s *server.Server) *diary {
	d, next := &diary{server: s, pending: map[*wire.Call]map[string]ecs.InstanceState{}, clicks: map[string]int{}}, s.Witness()
	s.SetWitness(func(c *wire.Call, after bool) bool {
		d.see(c, after)
		return next.Drops(c, after)
	})
	return d
}

// writes reports whether a call changes the world, beside queues, ledger and sessions.
func writes(c *wire.Call) bool {
	if c.Product == "mns" || c.Product == "oss" || c.Product == "sts" {
		return false
	}
	return !slices.ContainsFunc([]string{"Describe", "Get", "List", "Lookup", "Check"}, func(verb string) bool { return strings.HasPrefix(c.Action, verb) })
}

func (d *diary) see(c *wire.Call, after bool) {
	function, ours := stack.FunctionOf(c.Caller)
	if ours && c.Caller.Name == stack.Member && c.Caller.SessionPolicy == "" {
		d.whole.Store(function, c.Action)
	}
	if !ours || !writes(c) {
		return
	}
	states := map[string]ecs.InstanceState{}
	if c.Product == "ecs" {
		for _, id := range named(c.Params) {
			states[id], _ = d.server.ECS.Instance(c.Caller.Account, c.Region, id)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !after {
		d.pending[c] = states
		return
	}
	if c.Action == "OperateAgentClientInstall" {
		for _, id := range strings.Split(c.Params["InstanceIds"], ",") {
			d.clicks[id]++
		}
	}
	before := d.pending[c]
	delete(d.pending, c)
	if len(states) == 0 {
		d.deeds = append(d.deeds, deed{at: c.Now, function: function, product: c.Product, action: c.Action})
	}
	for id, now := range states {
		d.deeds = append(d.deeds, deed{c.Now, function, c.Product, c.Action, id, before[id], now})
	}
}

// named are the instances that a call names.
func named(params map[string]string) []string {
	var ids []string
	if json.Unmarshal([]byte(params["InstanceIds"]), &ids) == nil {
		return ids
	}
	for name, value := range params {
		if name == "InstanceId" || strings.HasPrefix(name, "InstanceId.") || strings.HasPrefix(name, "ResourceId.") {
			ids = append(ids, value)
		}
	}
	return ids
}

// of returns the deeds that fit.
func (d *diary) of(fits func(deed) bool) []deed {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []deed
	for _, x := range d.deeds {
		if fits(x) {
			out = append(out, x)
		}
	}
	return out
}

// gained reports whether the deed gave the instance a role.
func (x deed) gained() bool { return x.id != "" && x.before.Role != x.after.Role && x.after.Role != "" }

// lostRole reports whether the deed took a role away.
func (x deed) lostRole() bool {
	return x.id != "" && x.before.Role != x.after.Role && x.before.Role != ""
}

// stops reports whether the deed stopped the instance.
func (x deed) stops() bool {
	return strings.HasPrefix(x.action, "StopInstance") && x.before.Status == "Running" && x.after.Status != "Running"
}

// tags reports whether the deed tagged the instance with one of our tags on violations.
func (x deed) tags() bool {
	return x.before.Tags[tagViolation] != x.after.Tags[tagViolation] || x.before.Tags[tagStopped] != x.after.Tags[tagStopped]
}
