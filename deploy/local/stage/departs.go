package stage

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"fleetwarden/deploy/local/simcloud/wire"
)

// departures count, by API, the calls that were seen, and in which ways their parameters
// depart from the published metadata.
type departures struct {
	mu    sync.Mutex
	calls map[string]int
	found map[string]int
}

func (d *departures) note(c *wire.Call, departs []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.calls == nil {
		d.calls, d.found = map[string]int{}, map[string]int{}
	}
	api := c.Product + ":" + c.Action
	d.calls[api]++
	for _, what := range departs {
		d.found[fmt.Sprintf("%s called %s with %s", c.Caller.Name, api, what)]++
	}
}

// Departures lists in which ways the parameters of calls were not as published, whoever
// called: unknown, missing, mistyped or withdrawn ones. calls counts all calls of RPC
// products by API.
func (s *Stage) Departures() (list []string, calls map[string]int) {
	s.departures.mu.Lock()
	defer s.departures.mu.Unlock()
	return slices.Sorted(maps.Keys(s.departures.found)), maps.Clone(s.departures.calls)
}
