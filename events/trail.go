package events

import (
	"bytes"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// dryRun is the error code of a request that was only tried.
const dryRun = "DryRunOperation"

// trail reads a trail record. Only names that we act on are looked into; a rule
// may well deliver more.
func (r *reader) trail(rec *record) bool {
	ev := r.event(fleet.EventUnknown, rec)
	ev.Name = r.text(rec.EventName)
	r.caller(&ev, rec)
	if call, ok := fleet.LaunchCallOf(ev.Name); ok {
		return r.ofECS(ev, rec, func() (Event, error) { return r.launch(ev, rec, call) })
	}
	switch ev.Name {
	case "ModifyImageSharePermission":
		return r.ofECS(ev, rec, func() (Event, error) { return r.imageShare(ev, rec) })
	case "CreateResourceShare", "AssociateResourceShare", "DisassociateResourceShare",
		"UpdateResourceShare", "DeleteResourceShare", "AcceptResourceShareInvitation":
		return r.emit(r.resourceShare(ev, rec))
	}
	return r.emit(ev, nil)
}

// ofECS reads a record that is about us if it is of ECS: other products, such as ENS,
// have a RunInstances of their own. Of a record that does not name its product nothing
// can be said.
func (r *reader) ofECS(ev Event, rec *record, read func() (Event, error)) bool {
	switch service := r.service(rec); {
	case len(service) == 0:
		return r.fail(bad("serviceName", ""), nil)
	case bytes.EqualFold(service, []byte(fleet.LaunchService)):
		return r.emit(read())
	}
	return r.emit(ev, nil)
}

// service is the product's name: serviceName, else what the CloudEvent's type begins
// with, else the first label of eventSource ("ecs.cn-hangzhou.aliyuncs.com",
// "ecs-cn-hangzhou-share.aliyuncs.com").
func (r *reader) service(rec *record) []byte {
	if name := r.plain(rec.ServiceName); len(name) > 0 {
		return name
	}
	if product, _, ok := bytes.Cut(r.plain(r.env.Type), []byte(":")); ok {
		return product
	}
	host := r.plain(rec.EventSource)
	if end := bytes.IndexAny(host, ".-"); end > 0 {
		return host[:end]
	}
	return host
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
	code := r.text(rec.ErrorCode)
	if code == "null" { // so a query of Simple Log Service shows what is missing
		code = ""
	}
	return &fleet.Call{
		EventID:      r.first(rec.EventID, rec.RequestID), // they are mostly the same
		Name:         ev.Name,
		Type:         r.text(rec.EventType),
		Time:         utc(ev.Time),
		Caller:       r.identity(rec),
		ErrorCode:    code,
		ErrorMessage: r.keep(cut(r.plain(rec.ErrorMessage), maxErrorText)),
	}
}

// utc is a time in RFC 3339, which is what readers of a call compare; one that cannot be
// read stays as it was written.
func utc(text string) string {
	if strings.HasSuffix(text, "Z") {
		return text
	}
	at, err := fleet.ParseTime(text)
	if err != nil {
		return text
	}
	return at.UTC().Format(time.RFC3339)
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
// there were any that could be read: a purchase on a buy page is recorded without
// parameters, whatever was asked for.
func (r *reader) parameters(rec *record, v visitor) bool {
	for _, s := range [...]span{rec.Parameters, rec.ParameterText} {
		if r.flatten(s, v) && r.flat.leaves > 0 {
			return true
		}
	}
	return r.columns(rec, inParameters, v)
}

// flatten shows v the leaves of the value at s; false if there is none that can be read.
func (r *reader) flatten(s span, v visitor) bool {
	return s.there() && r.flat.flatten(r.src[s.from:s.to], v) == nil
}

// columns shows v the leaves of the columns that begin with of; false if there are none.
func (r *reader) columns(rec *record, of string, v visitor) (found bool) {
	for _, c := range rec.Columns {
		if name, ok := strings.CutPrefix(c.name, of); ok {
			r.flat.walk(name, r.src[c.value.from:c.value.to], v)
			found = true
		}
	}
	return found
}
