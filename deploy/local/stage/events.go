package stage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"fleetwarden/deploy/local/simcloud"
)

// tape keeps what was published, so that a story can play it again.
type tape struct {
	mu     sync.Mutex
	events []simcloud.Event
}

func (t *tape) record(e simcloud.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
}

// Published returns the events of a type that services published so far.
func (s *Stage) Published(kind string) []simcloud.Event {
	s.tape.mu.Lock()
	defer s.tape.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.tape.events), func(e simcloud.Event) bool { return e.Type != kind })
}

// Publish puts an event onto the bus, as if a service had.
func (s *Stage) Publish(e simcloud.Event) { s.Server.World.Publish(e) }

// Digest sums up the state that changes are made to: all products but the queues,
// which hold what waits, the buckets, which hold what we write about changes, and
// Security Center, whose view of the machines moves with time.
func (s *Stage) Digest() (string, error) {
	resp, err := http.Get(s.Server.URL() + "/_sim/world?digest=1")
	if err != nil {
		return "", fmt.Errorf("asking for the world's digest: %w", err)
	}
	defer resp.Body.Close()
	var d struct {
		Products map[string]string `json:"products"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&d); err != nil || len(d.Products) == 0 {
		return "", fmt.Errorf("reading the world's digest: %d products, %v", len(d.Products), err)
	}
	delete(d.Products, "mns")
	delete(d.Products, "oss")
	delete(d.Products, "sas")
	sum, err := json.Marshal(d.Products)
	return string(sum), err
}
