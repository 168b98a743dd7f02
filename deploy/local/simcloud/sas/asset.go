package sas

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
)

// asset is what Security Center holds about an instance. It is small, because a
// world has 100,000.
type asset struct {
	client client
	known  bool
	booted bool // what came with the launch has been seen to
	// last is when the agent was last online, Unix in milliseconds, unless it is now; 0:
	// never.
	last int64
}

// client is the agent, whatever its instance does.
type client uint8

const (
	uninstalled client = iota
	never              // uninstalled, and shown without a status
	online
	offline // installed, but down
	paused
)

// clients are the states by their names in [ecs.Agents].
var clients = map[string]client{
	"uninstalled": uninstalled, "never": never, "online": online, "offline": offline, "paused": paused, "unknown": uninstalled,
}

// status is ClientStatus and ClientSubStatus. The words are the documented
// values of the search criteria; which go together is documented for
// uninstalled and offline only, the rest is assumed. An agent that is not
// installed stays uninstalled when its instance stops.
func (a asset) status(m ecs.Machine) (status, sub string) {
	switch {
	case a.client == never:
		return "", ""
	case a.client == uninstalled:
		return "offline", "uninstalled"
	case !m.Running():
		return "offline", "stopped"
	case a.client == online:
		return "online", "online"
	case a.client == paused:
		return "pause", "pause"
	default:
		return "offline", "offline"
	}
}

// lastOnline is LastLoginTimestamp: now, where the agent is online.
func (a asset) lastOnline(m ecs.Machine, now time.Time) int64 {
	if a.client == online && m.Running() {
		return now.UnixMilli()
	}
	return a.last
}

// uuid is the id that Security Center gives an instance.
func uuid(id string) string {
	sum := sha256.Sum256([]byte("uuid " + id))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Launched implements ecs.Security.
func (s *Service) Launched(m ecs.Machine) {
	id := m.ID()
	s.assets[id] = asset{}
	s.w.Background(s.delays.Known, func() { s.change(id, func(a *asset) { a.known = true }) })
}

// Started implements ecs.Security: what SecurityEnhancementStrategy=Active has
// put on an instance comes online some time after its first boot.
func (s *Service) Started(m ecs.Machine) {
	id := m.ID()
	a := s.assets[id]
	if a.booted {
		return
	}
	a.booted = true
	s.assets[id] = a
	if m.Hardened() {
		s.comeOnline(id, s.delays.Boot)
	}
}

// Released implements ecs.Security.
func (s *Service) Released(m ecs.Machine) {
	delete(s.assets, m.ID())
	delete(s.runs, m.ID())
}

// Installer implements ecs.Security. A good code brings an agent online that is
// not installed. What it does to an installed one that is down is assumed:
// nothing.
func (s *Service) Installer(m ecs.Machine, codes []string) {
	if a := s.assets[m.ID()]; a.client <= never && s.accepts(m, codes) {
		s.comeOnline(m.ID(), s.installTime(m))
	}
}

// installTime spreads the default evenly over 60 to 300 s.
func (s *Service) installTime(m ecs.Machine) time.Duration {
	if s.delays.Install > 0 {
		return s.delays.Install
	}
	return time.Duration(60+m.Number()*97%241) * time.Second
}

// comeOnline lets an agent connect. An agent that connects makes its instance
// known (assumed).
func (s *Service) comeOnline(id string, after time.Duration) {
	s.w.After(after, func() {
		s.change(id, func(a *asset) {
			if a.client <= never {
				a.client = online
			}
			a.known, a.last = true, s.w.Clock.Now().UnixMilli()
		})
	})
}

// Seeded implements ecs.Security. An agent that is installed has just been online, and
// so has one that is taken away.
func (s *Service) Seeded(m ecs.Machine, agent string) {
	a := asset{client: clients[agent], known: agent != "unknown", booted: true, last: s.assets[m.ID()].last}
	if a.client > never || s.assets[m.ID()].client == online {
		a.last = s.w.Clock.Now().UnixMilli()
	}
	s.assets[m.ID()] = a
}

// SetAgent puts the agent of an instance into a state of [ecs.Agents], at once.
func (s *Service) SetAgent(account, id, agent string) error {
	s.w.Lock()
	defer s.w.Unlock()
	m, ok := s.servers.Machine(account, id)
	if !ok {
		return fmt.Errorf("setting an agent: account %s has no instance %s", account, id)
	}
	if _, ok := clients[agent]; !ok {
		return fmt.Errorf("setting the agent of %s: no state %q, there are %q", id, agent, ecs.Agents())
	}
	s.Seeded(m, agent)
	return nil
}

// change changes an asset that is still there. The caller holds the mutex.
func (s *Service) change(id string, f func(*asset)) {
	if a, ok := s.assets[id]; ok {
		f(&a)
		s.assets[id] = a
	}
}
