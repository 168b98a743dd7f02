package sas

import (
	"iter"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Servers is what Security Center asks ECS. The caller holds the world's mutex.
type Servers interface {
	Machine(account, id string) (ecs.Machine, bool)
	Machines(account, region string, place uint64) iter.Seq2[uint64, ecs.Machine]
}

// Service is Security Center in all accounts of a world. The world's mutex
// guards it.
type Service struct {
	w       *simcloud.World
	servers Servers
	delays  Delays
	assets  map[string]asset  // by instance id, which is unique in the world
	codes   map[string][]code // by account, oldest first
	runs    map[string]run    // one-click installations by instance id
	records int64
}

// Delays are how long things take, in virtual time. None is published; the
// defaults follow the vendor's "about five minutes" for an installation and for
// what the console shows.
type Delays struct {
	// Known is from a launch until Security Center knows the instance.
	Known time.Duration
	// Refresh is the same from RefreshAssets on.
	Refresh time.Duration
	// Boot is from the first Running until the agent is online that came with
	// SecurityEnhancementStrategy=Active.
	Boot time.Duration
	// Install is from the end of the installer until the agent is online. The
	// default, 0, is 60 to 300 s, different from instance to instance.
	Install time.Duration
}

// New returns Security Center without assets. Connect it to ECS by
// [ecs.Service.SetSecurity].
func New(w *simcloud.World, servers Servers) *Service {
	return &Service{
		w: w, servers: servers,
		delays: Delays{Known: 5 * time.Minute, Refresh: 30 * time.Second, Boot: 3 * time.Minute},
		assets: map[string]asset{}, codes: map[string][]code{}, runs: map[string]run{},
	}
}

// SetDelays replaces the delays, for what begins from now on.
func (s *Service) SetDelays(d Delays) {
	s.w.Lock()
	defer s.w.Unlock()
	s.delays = d
}

// Enter implements wire.Guarded. The actions' prefix is documented, yundun-sas; that the
// resource is * is assumed.
func (s *Service) Enter(c *wire.Call) (sync.Locker, error) {
	return s.w, c.Allow("yundun-sas:"+c.Action, "*")
}

// invalid is 400 InvalidParameter. Security Center's error tables could not be
// read, so all of its codes are assumed.
func invalid(format string, args ...any) error {
	return wire.Errorf(400, "InvalidParameter", format, args...)
}

// Empty is an answer that holds nothing but its request id.
type Empty struct{}
