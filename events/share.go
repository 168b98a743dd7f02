package events

import (
	"bytes"

	"fleetwarden/shared/fleet"

	"github.com/go-json-experiment/json/jsontext"
)

// imageShare reads ModifyImageSharePermission. A failed one counts as well: the
// share role may be what it lacks.
func (r *reader) imageShare(ev Event, rec object) (Event, error) {
	ev.Kind = fleet.EventImageShare
	ev.Call = r.call(&ev, rec)
	if ev.Call.ErrorCode == dryRun {
		ev.Ignored = "a dry run shares nothing"
		return ev, nil
	}
	if parameters := r.parameters(rec); parameters != "" {
		ev.Call.Share = new(fleet.Share)
		for name, v := range r.leaves(rec, parameters) {
			r.imageParameter(ev.Call.Share, name, v)
		}
	}
	return withShares(ev, shareKinds{images: true})
}

// resourceShare reads the calls of Resource Sharing. AssociateResourceShare with
// nothing but targets shares all that the share holds, and names none of it;
// then, and whenever the record does not say, both kinds are checked.
func (r *reader) resourceShare(ev Event, rec object) (Event, error) {
	ev.Kind = fleet.EventResourceShare
	ev.Call = r.call(&ev, rec)
	switch {
	case ev.Call.ErrorCode != "":
		ev.Ignored = "the call failed"
		return ev, nil
	case ev.Name == "AcceptResourceShareInvitation":
		ev.Ignored = "the recipient's side of a share; the sharer's is what needs a role"
		return ev, nil
	}
	var p shareParameters
	parameters := r.parameters(rec)
	if parameters != "" {
		for name, v := range r.leaves(rec, parameters) {
			p.read(name, r.plain(v))
		}
	}
	all := shareKinds{snapshots: true, images: true}
	switch {
	case parameters == "", p.kinds == (shareKinds{}), p.targets && ev.Name != "CreateResourceShare":
		return withShares(ev, all)
	case p.kinds.none():
		ev.Ignored = "it shares neither snapshots nor images"
		return ev, nil
	}
	return withShares(ev, p.kinds)
}

// imageParameter reads a parameter of ModifyImageSharePermission.
func (r *reader) imageParameter(share *fleet.Share, name []byte, v jsontext.Value) {
	list, _, _ := bytes.Cut(name, []byte("."))
	switch string(list) {
	case "ImageId":
		share.ImageID = r.text(v)
	case "AddAccount":
		share.Add = withAccount(share.Add, r.text(v))
	case "RemoveAccount":
		share.Remove = withAccount(share.Remove, r.text(v))
	}
}

// maxAccounts is how many accounts of a request are kept: ten times what ECS obeys.
const maxAccounts = 100

// withAccount appends id unless it cannot be an account, or there are enough: these are
// claims that select from what is approved and observed.
func withAccount(to []fleet.AccountID, id string) []fleet.AccountID {
	if account := fleet.AccountID(id); account.Valid() && len(to) < maxAccounts {
		return append(to, account)
	}
	return to
}

// shareParameters are those of a Resource Sharing call. How the records spell
// its lists is not published: as numbered names, as a true list, or as a list in
// JSON text.
type shareParameters struct {
	kinds   shareKinds
	targets bool
}

func (p *shareParameters) read(name, text []byte) {
	list, rest, _ := bytes.Cut(name, []byte("."))
	switch string(list) {
	case "Resources":
		if bytes.HasSuffix(rest, []byte(".ResourceType")) {
			p.kinds.add(string(text))
		}
	case "ResourceArns": // "acs:ecs:region:account:snapshot/id"
		snapshot, image := bytes.Contains(text, []byte(":snapshot/")), bytes.Contains(text, []byte(":image/"))
		p.kinds.snapshots = p.kinds.snapshots || snapshot
		p.kinds.images = p.kinds.images || image
		p.kinds.other = p.kinds.other || len(text) > 0 && !snapshot && !image
	case "Targets":
		p.targets = p.targets || len(text) > 0
	}
}
