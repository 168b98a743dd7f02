package events

import (
	"bytes"
	"strings"

	"fleetwarden/shared/fleet"
)

// dryRun is the error code of a request that was only tried.
const dryRun = "DryRunOperation"

// trail reads a trail record. Only names that we act on are looked into; a rule
// may well deliver more.
func (r *reader) trail(rec *record) bool {
	ev := r.event(KindUnknown, rec)
	ev.Name = r.text(rec.EventName)
	r.caller(&ev, rec)
	switch ev.Name {
	case "RunInstances", "CreateInstance":
		if r.ecs(rec) {
			return r.emit(r.launch(ev, rec))
		}
	case "ModifyImageSharePermission":
		if r.ecs(rec) {
			return r.emit(r.imageShare(ev, rec))
		}
	case "CreateResourceShare", "AssociateResourceShare", "DisassociateResourceShare",
		"UpdateResourceShare", "DeleteResourceShare", "AcceptResourceShareInvitation":
		return r.emit(r.resourceShare(ev, rec))
	}
	return r.emit(ev, nil)
}

// ecs reports whether the record is of ECS: other products, such as ENS, have a
// RunInstances of their own.
func (r *reader) ecs(rec *record) bool {
	if rec.ServiceName.there() {
		return bytes.EqualFold(r.plain(rec.ServiceName), []byte("Ecs"))
	}
	return bytes.HasPrefix(r.plain(r.env.Type), []byte("ecs:"))
}

// caller names the role session that made the call. userName is "role:session"
// then, principalId "roleId:session".
func (r *reader) caller(ev *Event, rec *record) {
	if string(r.plain(rec.Identity.Type)) != "assumed-role" {
		return
	}
	ev.Role, ev.Session, _ = strings.Cut(r.text(rec.Identity.UserName), ":")
	if ev.Session == "" {
		_, ev.Session, _ = strings.Cut(r.text(rec.Identity.PrincipalID), ":")
	}
}

// call is what the record claims, without the parameters.
func (r *reader) call(ev *Event, rec *record) *fleet.Call {
	return &fleet.Call{
		EventID:      r.text(rec.EventID),
		Name:         ev.Name,
		Type:         r.text(rec.EventType),
		Time:         ev.Time,
		Caller:       r.identity(rec),
		ErrorCode:    r.text(rec.ErrorCode),
		ErrorMessage: r.keep(cut(r.plain(rec.ErrorMessage), maxErrorText)),
	}
}

// identity is the caller as "type/userName".
func (r *reader) identity(rec *record) string {
	var room [2*maxText + 1]byte
	who := append(room[:0], cut(r.plain(rec.Identity.Type), maxText)...)
	if name := cut(r.plain(rec.Identity.UserName), maxText); len(name) > 0 {
		who = append(append(who, '/'), name...)
	}
	return r.keep(who)
}

// parameters shows v each request parameter by its RPC name. It reports whether
// there were any that could be read.
func (r *reader) parameters(rec *record, v visitor) bool {
	s := rec.Parameters
	if !s.there() {
		s = rec.ParameterText
	}
	return r.flatten(s, v) == nil
}

// flatten shows v the leaves of the value at s.
func (r *reader) flatten(s span, v visitor) error {
	if !s.there() {
		return wrong("", "missing")
	}
	return r.flat.flatten(r.src[s.from:s.to], v)
}
