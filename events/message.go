package events

import (
	"bytes"
	"strconv"

	"fleetwarden/shared/fleet"

	"github.com/go-json-experiment/json"
)

// message reads one of our own inbox messages. It is checked like any other
// payload: whoever may write to the queue may have written it.
func (r *reader) message() bool {
	body := r.at
	version, err := strconv.Atoi(string(r.plain(r.env.get("v"))))
	switch {
	case err != nil || version < 1:
		return r.fail(wrong("v", "not a version"), nil)
	case version > fleet.MessageVersion:
		return r.fail(ErrNewer, bytes.Clone(body))
	}
	var m fleet.Message
	if json.Unmarshal(body, &m, lenient) != nil {
		return r.fail(wrong("message", "a member has the wrong type"), nil)
	}
	return r.emit(messageEvent(r.outerID, m))
}

func messageEvent(id string, m fleet.Message) (Event, error) {
	ev := Event{Kind: fleet.EventMessage, ID: id, Account: m.Scope.Account, Region: m.Scope.Region, Call: m.Call}
	switch {
	case !m.Scope.Account.Valid():
		return ev, bad("scope.account", string(m.Scope.Account))
	case !validRegion(m):
		return ev, bad("scope.region", string(m.Scope.Region))
	case !validKind(m.Kind):
		return ev, bad("kind", string(m.Kind))
	case m.Try < 0:
		return ev, bad("try", strconv.Itoa(m.Try))
	case len(m.Run) > maxRun:
		return ev, bad("run", m.Run)
	case len(m.IDs) == 0:
		return ev, bad("ids", "")
	}
	var err error
	for _, ref := range m.Refs() {
		if validRefID(ref.Kind, ref.ID) {
			ev.Refs = append(ev.Refs, ref)
		} else if err == nil {
			err = bad("ids", ref.ID)
		}
	}
	return ev, err
}

// validRegion: a message about what has no region has none, and one that wakes a sweep may be
// about regions that could not be listed.
func validRegion(m fleet.Message) bool {
	switch m.Scope.Region {
	case "":
		return globalKind(m.Kind)
	case fleet.UnlistedRegions:
		return m.Kind == fleet.KindFleet
	}
	return m.Scope.Region.Valid()
}
