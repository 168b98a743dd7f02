package main

import (
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/stack"
)

// model is what is known of the world from outside: who made what, and what others than the
// functions did to it last.
type model struct {
	instances []*instance
	shares    []*share
	// lost says that events may have been lost: then only a replay or a sweep finds what
	// they said. faulty: a call of a function may have gone wrong, or a process died. denied:
	// it was refused for good, which no later look within the same event heals. forgetful: the
	// sweep may not have kept or read what it remembers.
	lost, faulty, denied, forgetful bool
	// leaps is how often time may have passed between what was allowed and what was done, and
	// before the cloud carried out what was due.
	leaps int
	// troubles are the faults that were set and the processes that died.
	troubles []trouble
	// hurried are the times in which the clock runs fast, for an operator's command.
	hurried []span
	// calm is when the faults ended.
	calm time.Time
}

// trouble is what may have gone wrong in a time: a fault or, if there is none, the death of a
// function's process; to is zero while it lasts.
type trouble struct {
	from, to time.Time
	fault    simcloud.Fault
	died     string
}

// ends notes that the faults of now end.
func (m *model) ends(now time.Time) {
	for n := range m.troubles {
		if t := &m.troubles[n]; t.to.IsZero() {
			t.to = now
		}
	}
}

// expect notes what faults may do from now on.
func (m *model) expect(s Step, now time.Time) {
	m.ends(now)
	m.faulty = m.faulty || len(s.Faults) > 0
	m.lost = m.lost || s.Events.Lose > 0
	for _, f := range s.Faults {
		m.troubles = append(m.troubles, trouble{from: now, fault: f})
		m.denied = m.denied || f.Kind == simcloud.Deny
		m.forgetful = m.forgetful || f.Role == "fleetwarden-sweep" && (f.Product == "oss" || f.Product == "" && f.Action == "" || strings.HasSuffix(f.Action, "Object"))
	}
}

// met reports whether something may have gone wrong for a function at an action of a product
// in some time: the role of members is that of all functions. Without an action: at any call.
func (m *model) met(function, product, action string, from, to time.Time) bool {
	return slices.ContainsFunc(m.troubles, func(t trouble) bool {
		f := t.fault
		whose := f.Role == "fleetwarden-"+function || f.Role == stack.Member
		at := action == "" || f.Action == action || f.Action == "" && (f.Product == "" || f.Product == product)
		return (t.died == function || t.died == "" && whose && at) && !t.from.After(to) && (t.to.IsZero() || !t.to.Before(from))
	})
}

// memberFails reports whether calls with the role of members may go wrong now.
func (m *model) memberFails() bool {
	return slices.ContainsFunc(m.troubles, func(t trouble) bool { return t.fault.Role == stack.Member && t.to.IsZero() })
}

type instance struct {
	id, account, region string
	group, kind, tag    string
	live                bool // launched, with events
	outside             bool // in a region that is not guarded
	left                bool // in a region that is not guarded any more
	disk                string
	// role is what others gave it last, began what it was launched with; "" for none.
	role, began string
	// edits is how often others changed its role after its launch.
	edits     int
	again     bool   // it was started since
	agent     string // what others made of it last; "" for what its launch brings
	agentAt   time.Time
	breaks    int // how often others broke the agent
	assistant string
	released  bool
	born      time.Time
	spans     []span // when it broke rules of trusted-instance
}

// span is a time in which an instance breaks a rule; to is zero while it does.
type span struct {
	rule     string
	from, to time.Time
}

// trusted reports whether it is meant to be trusted: a family whose name ends in t, or a
// virtual TPM.
func (i *instance) trusted() bool { return i.kind != "ordinary" }

// judged reports whether control trusted-instance has something to say of it.
func (i *instance) judged() bool { return i.trusted() && i.tag != "lab" && !i.outside }

// alone reports whether nothing may be changed of it: by its tag or place, or since Auto
// Scaling owns it.
func (i *instance) alone() bool { return i.tag == "lab" || i.outside || i.kind == "scaled" }

// turn notes that the instance breaks a rule from now on, or no more.
func (i *instance) turn(rule string, breaks bool, now time.Time) {
	at := slices.IndexFunc(i.spans, func(s span) bool { return s.rule == rule && s.to.IsZero() })
	switch {
	case breaks && at < 0:
		i.spans = append(i.spans, span{rule: rule, from: now})
	case !breaks && at >= 0:
		i.spans[at].to = now
	}
}

// breaks reports whether it breaks a rule now.
func (i *instance) broken(rule string) bool {
	return slices.ContainsFunc(i.spans, func(s span) bool { return s.rule == rule && s.to.IsZero() })
}

type share struct {
	name, kind, with, id string
	account, region      string
	resourceShare        string
	wanted               bool
	asked, ended         time.Time
	kept                 bool // could be used when its region was not guarded any more
}

func (m *model) group(name string) []*instance {
	return slices.DeleteFunc(slices.Clone(m.instances), func(i *instance) bool { return i.group != name || i.released })
}

func (m *model) byID(id string) *instance {
	for _, i := range m.instances {
		if i.id == id {
			return i
		}
	}
	return nil
}

// share is the newest share of a name.
func (m *model) share(name string) *share {
	for _, s := range slices.Backward(m.shares) {
		if s.name == name {
			return s
		}
	}
	return nil
}

func (m *model) shared(name, with string) *share {
	for _, s := range m.shares {
		if s.name == name && s.with == with {
			return s
		}
	}
	return nil
}
