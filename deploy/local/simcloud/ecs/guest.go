package ecs

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// guest is how the inside of an instance behaves, as far as Cloud Assistant can
// tell. Instances share guests: replace one, never change it.
type guest struct {
	assistant presence
	version   string
	outcome   Outcome
}

// presence is how Cloud Assistant is there.
type presence uint8

const (
	// present: it sends heartbeats whenever the instance runs.
	present presence = iota
	// silent: it is installed but sends nothing, as behind a closed security
	// group or with a stopped service.
	silent
	absent
)

var presences = [...]string{"running", "silent", "absent"}

func (p presence) String() string { return presences[p] }

// parsePresence is the presence of a name; empty for running.
func parsePresence(name string) (presence, error) {
	at := slices.Index(presences[:], cmp.Or(name, present.String()))
	if at < 0 {
		return 0, fmt.Errorf("no Cloud Assistant %q, there are %q", name, presences)
	}
	return presence(at), nil
}

// Outcome is what becomes of commands on an instance.
type Outcome string

// The outcomes.
const (
	Succeeds Outcome = "" // exit code 0, and the effect that the script has
	NoEffect Outcome = "noEffect"
	Fails    Outcome = "fails" // exit code 1, without an effect
	// NoSite: as Fails, with the exit code 205. DescribeInvocations' ExitCode is that of the
	// script (API reference of ECS); scripts of an operator may mean something by theirs.
	NoSite Outcome = "noSite"
	Hangs  Outcome = "hangs" // until its timeout
	// Undelivered: it does not reach the instance although Cloud Assistant
	// sends heartbeats.
	Undelivered Outcome = "undelivered"
)

// exits are the exit codes of commands that fail.
var exits = map[Outcome]int{Fails: 1, NoSite: 205}

func (o Outcome) check() error {
	switch o {
	case Succeeds, NoEffect, Fails, NoSite, Hangs, Undelivered:
		return nil
	}
	return fmt.Errorf("no outcome %q of commands", o)
}

// versionOf is the version that comes with an image. It is assumed to be newer
// than the one from which metadata tokens are served (2.2.3.857 on Linux,
// 2.1.3.857 on Windows, 2.4.3.857 on ARM).
func versionOf(img *image) string {
	switch {
	case img.os == windowsOS:
		return "2.1.3.1012"
	case img.arch == "arm64":
		return "2.4.3.1012"
	default:
		return "2.2.3.1012"
	}
}

const windowsOS = "windows"

// newGuest is the guest of a new instance: public images carry Cloud Assistant
// (documented for those since 2017-12-01); that an account's own do is assumed.
func newGuest(img *image) *guest { return &guest{version: versionOf(img)} }

// silence is after how long without a heartbeat CloudAssistantStatus turns
// false: two minutes, by the vendor's description of the API.
const silence = 2 * time.Minute

// beats reports whether Cloud Assistant sends heartbeats now. The caller holds
// the mutex.
func (i *instance) beats() bool {
	return i.up && i.status == running && i.guest.assistant == present
}

// rest notes the last heartbeat of an instance before anything that may end its
// heartbeats. The caller holds the mutex.
func (i *instance) rest(now time.Time) {
	if i.beats() {
		i.seen = now.Unix()
	}
}

// lastBeat is the last heartbeat; zero for none. The caller holds the mutex.
func (i *instance) lastBeat(now time.Time) time.Time {
	switch {
	case i.beats():
		return now
	case i.seen == 0:
		return time.Time{}
	default:
		return time.Unix(i.seen, 0).UTC()
	}
}

// answers reports whether CloudAssistantStatus is true. It stays so for a while
// after the last heartbeat.
func (i *instance) answers(now time.Time) bool {
	last := i.lastBeat(now)
	return i.guest.version != "" && !last.IsZero() && now.Sub(last) < silence
}

// Profile is how the inside of an instance is to behave. Empty fields mean a
// sound instance: Cloud Assistant of its image's version that runs, commands
// that succeed.
type Profile struct {
	// Assistant is running, silent or absent.
	Assistant string
	// Version of Cloud Assistant; an absent one has none.
	Version string
	Outcome Outcome
}

func (p Profile) guest(img *image) (*guest, error) {
	at, err := parsePresence(p.Assistant)
	if err == nil {
		err = p.Outcome.check()
	}
	if err != nil {
		return nil, err
	}
	g := &guest{assistant: at, version: cmp.Or(p.Version, versionOf(img)), outcome: p.Outcome}
	if at == absent {
		g.version = ""
	}
	return g, nil
}

// SetProfile changes how the inside of an instance behaves, from now on. A Cloud
// Assistant that comes to life on a running instance sends a heartbeat at once.
func (s *Service) SetProfile(account, id string, p Profile) error {
	s.w.Lock()
	defer s.w.Unlock()
	m, ok := s.Machine(account, id)
	if !ok {
		return fmt.Errorf("setting a profile: account %s has no instance %s", account, id)
	}
	g, err := p.guest(m.i.spec.image)
	if err != nil {
		return fmt.Errorf("setting the profile of %s: %w", id, err)
	}
	m.i.rest(s.w.Clock.Now())
	m.i.guest = g
	if g.assistant == present && m.i.status == running && !m.i.up {
		s.w.Clock.After(0, func() { s.heartbeat(m.sp, []*instance{m.i}) })
	}
	return nil
}
