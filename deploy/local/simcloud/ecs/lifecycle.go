package ecs

import (
	"encoding/json"
	"fmt"
	"time"

	"fleetwarden/deploy/local/simcloud"
)

// move is a step of an instance's life.
type move struct {
	to    status
	after time.Duration
}

// The steps. How long they take no document says; assumed.
var (
	begins    = move{starting, 2 * time.Second}
	comesUp   = move{running, 8 * time.Second}
	isCreated = move{stopped, 3 * time.Second} // CreateInstance does not start it
	shutsDown = move{stopped, 10 * time.Second}
)

// toHeartbeat is how long Cloud Assistant's first heartbeat follows Running;
// assumed.
const toHeartbeat = 20 * time.Second

// firstAddress: the first addresses are the network's own.
const firstAddress = 10

// create puts n instances of a plan into the space, Pending. The caller holds the
// mutex.
func (s *Service) create(sp *space, p *plan, n int) []*instance {
	made := make([]*instance, n)
	now := s.w.Clock.Now()
	for i := range made {
		in := &instance{id: s.w.NewID("i-"), spec: p.spec, role: p.role, tags: p.tags, meta: p.meta, guest: p.guest, created: now}
		sp.numbers++
		in.number = sp.numbers + firstAddress
		in.name = p.nameOf(in.id, i)
		if p.system != nil {
			in.system = s.makeDisk(sp, in, p.system)
		}
		for _, d := range p.data {
			in.data = append(in.data, s.makeDisk(sp, in, d))
		}
		sp.instances.Put(in.id, in)
		made[i] = in
	}
	return made
}

// nameOf is the name of the i-th instance: its id by default; with UniqueSuffix
// 001, 002, … are added.
func (p *plan) nameOf(id string, i int) string {
	switch {
	case p.name == "":
		return id
	case p.unique:
		return fmt.Sprintf("%s%03d", p.name, i+1)
	default:
		return p.name
	}
}

func (s *Service) makeDisk(sp *space, holder *instance, d *diskSpec) *disk {
	made := &disk{id: s.w.NewID("d-"), holder: holder, spec: d, created: holder.created}
	sp.disks.Put(made.id, made)
	return made
}

// boot takes new instances from Pending over Starting to Running.
func (s *Service) boot(sp *space, ins []*instance) {
	s.launched(sp, ins)
	s.step(sp, ins, begins, func(ins []*instance) { s.start(sp, ins) })
}

// launched says that new instances exist. The caller holds the mutex.
func (s *Service) launched(sp *space, ins []*instance) {
	for _, i := range ins {
		s.security.Launched(Machine{sp, i})
	}
	s.raise(sp, ins, pending)
}

// start takes Starting instances to Running and then lets Cloud Assistant send
// its first heartbeat.
func (s *Service) start(sp *space, ins []*instance) {
	s.step(sp, ins, comesUp, func(ins []*instance) {
		s.booted(sp, ins)
		s.w.Clock.After(toHeartbeat, func() { s.heartbeat(sp, ins) })
	})
}

// step moves those of the instances that are then still there, publishes their status,
// and continues with them. No call but a release takes an instance out of a status that it
// is only passing through, so no two steps are under way for one instance.
func (s *Service) step(sp *space, ins []*instance, m move, then func([]*instance)) {
	s.w.Clock.After(m.after, func() {
		s.w.Lock()
		var moved []*instance
		for _, i := range ins {
			if sp.instances.Get(i.id) == i {
				i.status = m.to
				moved = append(moved, i)
			}
		}
		s.w.Unlock()
		s.publishStates(sp, moved, m.to)
		if then != nil && len(moved) > 0 {
			then(moved)
		}
	})
}

// booted does what happens inside instances that have become Running: user data
// runs at the first boot. Security Center is notified.
func (s *Service) booted(sp *space, ins []*instance) {
	s.w.Lock()
	defer s.w.Unlock()
	for _, i := range ins {
		if sp.instances.Get(i.id) != i {
			continue
		}
		i.started = s.w.Clock.Now().Unix()
		if !i.booted {
			i.booted = true
			s.firstBoot(Machine{sp, i})
		}
		s.security.Started(Machine{sp, i})
	}
}

// heartbeat starts Cloud Assistant on instances that run and have it, and raises
// the first heartbeat of those that had none.
func (s *Service) heartbeat(sp *space, ins []*instance) {
	s.w.Lock()
	var ids []string
	for _, i := range ins {
		if i.status != running || i.guest.assistant != present || sp.instances.Get(i.id) != i {
			continue
		}
		i.up = true
		if !i.beat {
			i.beat = true
			ids = append(ids, i.id)
		}
	}
	s.w.Unlock()
	for _, id := range ids {
		s.publish(sp, "ecs:CloudAssistant:FirstHeartbeat", map[string]string{"instanceId": id})
	}
}

// raise publishes a status as soon as time moves: a call is answered before its
// events are on their way. The caller may hold the mutex.
func (s *Service) raise(sp *space, ins []*instance, to status) {
	s.w.Clock.After(0, func() { s.publishStates(sp, ins, to) })
}

func (s *Service) publishStates(sp *space, ins []*instance, to status) {
	for _, i := range ins {
		s.publish(sp, "ecs:Instance:StateChange", map[string]string{
			"resourceId": i.id, "resourceType": "ALIYUN::ECS::Instance", "state": to.String(),
		})
	}
}

// publish raises an event of ECS. The subject's tail is a number and no
// instance id, as in the published sample; that heartbeats carry instanceId is
// assumed. The caller does not hold the mutex.
func (s *Service) publish(sp *space, kind string, data map[string]string) {
	raw, err := json.Marshal(data)
	if err != nil {
		return // a map of strings can always be written
	}
	s.w.Publish(simcloud.Event{
		Account: sp.account, Region: sp.region, Source: "acs.ecs", Type: kind,
		Subject: fmt.Sprintf("acs.ecs:%s:%s:%d", sp.region, sp.account, s.events.Add(1)),
		Data:    raw,
	})
}
