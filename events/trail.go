package events

import (
	"bytes"
	"strings"
	"time"

	"fleetwarden/shared/fleet"

	"github.com/go-json-experiment/json/jsontext"
)

// dryRun is the error code of a request that was only tried.
const dryRun = "DryRunOperation"

// trail reads a trail record. Only names that we act on are looked into; a rule
// may well deliver more.
func (r *reader) trail(rec object) bool {
	ev := r.event(fleet.EventUnknown, rec)
	ev.Name = r.text(rec.get("eventName"))
	r.caller(&ev)
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
func (r *reader) ofECS(ev Event, rec object, read func() (Event, error)) bool {
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
func (r *reader) service(rec object) []byte {
	if name := r.plain(rec.get("serviceName")); len(name) > 0 {
		return name
	}
	if product, _, ok := bytes.Cut(r.plain(r.env.get("type")), []byte(":")); ok {
		return product
	}
	host := r.plain(rec.get("eventSource"))
	if end := bytes.IndexAny(host, ".-"); end > 0 {
		return host[:end]
	}
	return host
}

// identity is who made a call.
type identity struct{ kind, userName, principalID, accountID jsontext.Value }

func (r *reader) identity(rec object) (who identity) {
	for name, v := range r.leaves(rec, "userIdentity") {
		switch string(name) {
		case "type":
			who.kind = v
		case "userName":
			who.userName = v
		case "principalId":
			who.principalID = v
		case "accountId":
			who.accountID = v
		}
	}
	return who
}

// caller names the role session that made the call. userName is "role:session"
// then, principalId "roleId:session".
func (r *reader) caller(ev *Event) {
	if r.text(r.who.kind) != "assumed-role" {
		return
	}
	ev.Role, ev.Session, _ = strings.Cut(r.text(r.who.userName), ":")
	if ev.Session == "" {
		_, ev.Session, _ = strings.Cut(r.text(r.who.principalID), ":")
	}
}

// call is what the record claims, without the parameters.
func (r *reader) call(ev *Event, rec object) *fleet.Call {
	code := r.text(rec.get("errorCode"))
	if code == "null" { // so a query of Simple Log Service shows what is missing
		code = ""
	}
	return &fleet.Call{
		EventID:      r.first(rec, "eventId", "requestId"), // they are mostly the same
		Name:         ev.Name,
		Type:         r.text(rec.get("eventType")),
		Time:         utc(ev.Time),
		Caller:       strings.TrimSuffix(r.text(r.who.kind)+"/"+r.text(r.who.userName), "/"),
		ErrorCode:    code,
		ErrorMessage: r.keep(cut(r.plain(rec.get("errorMessage")), maxErrorText)),
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

// parameters is the member of a record that holds the request parameters; "" where
// a record has none that can be read: a purchase on a buy page is recorded without,
// whatever was asked for.
func (r *reader) parameters(rec object) string {
	for _, of := range [...]string{"requestParameters", "requestParameterJson"} {
		for range r.leaves(rec, of) {
			return of
		}
	}
	return ""
}
