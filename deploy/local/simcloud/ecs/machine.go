package ecs

import (
	"iter"
	"time"
)

// Security is notified by ECS of what Security Center learns. It is called with the world's
// mutex held. A Machine is not kept: its instance may be released.
type Security interface {
	// Launched: the instance exists, Pending.
	Launched(m Machine)
	// Started: it has become Running, for the first time or again.
	Started(m Machine)
	// Released: it is gone.
	Released(m Machine)
	// Installer: Security Center's installer ran on it with those codes, of
	// which none, some or all may be codes at all.
	Installer(m Machine, codes []string)
	// Seeded: it is there, known to Security Center, with its agent in a state
	// of [Agents].
	Seeded(m Machine, agent string)
}

// Agents are the states of Security Center's agent that a seed may ask for:
// online; uninstalled; never, which is uninstalled and shown without a status;
// offline, which is installed but down; paused; and unknown, an instance that
// Security Center does not know yet.
func Agents() []string {
	return []string{"online", "uninstalled", "never", "offline", "paused", "unknown"}
}

// noSecurity is Security Center where there is none.
type noSecurity struct{}

func (noSecurity) Launched(Machine)            {}
func (noSecurity) Started(Machine)             {}
func (noSecurity) Released(Machine)            {}
func (noSecurity) Installer(Machine, []string) {}
func (noSecurity) Seeded(Machine, string)      {}

// SetSecurity plugs Security Center in. Call it before the world is used.
func (s *Service) SetSecurity(x Security) { s.security = x }

// Machine is an instance as Security Center sees it. Use it with the world's
// mutex held only.
type Machine struct {
	sp *space
	i  *instance
}

// Account is the owner.
func (m Machine) Account() string { return m.sp.account }

// Region is the region's id.
func (m Machine) Region() string { return m.sp.region }

// ID is the instance's id.
func (m Machine) ID() string { return m.i.id }

// Name is the instance's name.
func (m Machine) Name() string { return m.i.name }

// OS is linux or windows.
func (m Machine) OS() string { return m.i.spec.image.os }

// OSName is the system's name in words.
func (m Machine) OSName() string { return m.i.spec.image.osName }

// VPC is the VPC's id; empty in the classic network.
func (m Machine) VPC() string { return m.i.spec.vpc }

// Address is the private address.
func (m Machine) Address() string { return m.i.address() }

// Running reports whether the status is Running.
func (m Machine) Running() bool { return m.i.status == running }

// Classic reports whether it is in the classic network.
func (m Machine) Classic() bool { return m.i.spec.classic }

// Assisted reports whether Cloud Assistant sends heartbeats.
func (m Machine) Assisted() bool { return m.i.beats() }

// Created is when it was launched.
func (m Machine) Created() time.Time { return m.i.created }

// Number counts the instances of an account and region from 1.
func (m Machine) Number() int { return int(m.i.number) - firstAddress }

// Hardened reports whether its launch asked for SecurityEnhancementStrategy
// Active and runs a public image, for which alone it is documented to work.
func (m Machine) Hardened() bool {
	return m.i.spec.hardening == "Active" && m.i.spec.image.owner == ""
}

// Machines yields the instances of an account and region behind a place, each
// with its own place. The caller holds the world's mutex.
func (s *Service) Machines(account, region string, place uint64) iter.Seq2[uint64, Machine] {
	return func(yield func(uint64, Machine) bool) {
		sp := s.spaces[where{account, region}]
		if sp == nil {
			return
		}
		for at, i := range sp.instances.After(place) {
			if !yield(at, Machine{sp, i}) {
				return
			}
		}
	}
}

// Machine finds an instance of an account in any region. The caller holds the
// world's mutex.
func (s *Service) Machine(account, id string) (Machine, bool) {
	return s.find(account, s.w.Regions, id)
}
