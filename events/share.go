package events

import (
	"bytes"

	"fleetwarden/shared/fleet"

	"github.com/go-json-experiment/json/jsontext"
)

// imageShare reads ModifyImageSharePermission. A failed one counts as well: the
// share role may be what it lacks.
func (r *reader) imageShare(ev Event, rec *record) (Event, error) {
	ev.Kind = fleet.EventImageShare
	ev.Call = r.call(&ev, rec)
	if ev.Call.ErrorCode == dryRun {
		ev.Ignored = "a dry run shares nothing"
		return ev, nil
	}
	p := imageParameters{r: r, share: new(fleet.Share)}
	if r.parameters(rec, &p) {
		ev.Call.Share = p.share
	}
	return withShares(ev, shareKinds{images: true})
}

// resourceShare reads the calls of Resource Sharing. AssociateResourceShare with
// nothing but targets shares all that the share holds, and names none of it;
// then, and whenever the record does not say, both kinds are looked at.
func (r *reader) resourceShare(ev Event, rec *record) (Event, error) {
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
	p := shareParameters{r: r}
	readable := r.parameters(rec, &p)
	all := shareKinds{snapshots: true, images: true}
	switch {
	case !readable, p.kinds == (shareKinds{}), p.targets && ev.Name != "CreateResourceShare":
		return withShares(ev, all)
	case p.kinds.none():
		ev.Ignored = "it shares neither snapshots nor images"
		return ev, nil
	}
	return withShares(ev, p.kinds)
}

// imageParameters reads those of ModifyImageSharePermission.
type imageParameters struct {
	r     *reader
	share *fleet.Share
}

func (p *imageParameters) visit(name []byte, v jsontext.Value) {
	list, _, _ := bytes.Cut(name, []byte("."))
	switch string(list) {
	case "ImageId":
		p.share.ImageID = p.r.value(v)
	case "AddAccount":
		p.share.Add = p.account(p.share.Add, v)
	case "RemoveAccount":
		p.share.Remove = p.account(p.share.Remove, v)
	}
}

// maxAccounts is how many accounts of a request are kept: ten times what ECS obeys.
const maxAccounts = 100

// account appends v unless it cannot be an account, or there are enough: these are
// claims that select from what is approved and observed.
func (p *imageParameters) account(to []fleet.AccountID, v jsontext.Value) []fleet.AccountID {
	if id := fleet.AccountID(p.r.value(v)); id.Valid() && len(to) < maxAccounts {
		return append(to, id)
	}
	return to
}

// shareParameters reads those of a Resource Sharing call. How the records spell
// its lists is not published: as numbered names, as a true list, or as a list in
// JSON text.
type shareParameters struct {
	r       *reader
	kinds   shareKinds
	targets bool
}

func (p *shareParameters) visit(name []byte, v jsontext.Value) {
	list, rest, _ := bytes.Cut(name, []byte("."))
	switch string(list) {
	case "Resources":
		if bytes.HasSuffix(rest, []byte(".ResourceType")) {
			p.kinds.add(string(plain(&p.r.scratch, v)))
		}
	case "ResourceArns":
		p.arn(v)
	case "Targets":
		p.targets = p.targets || len(plain(&p.r.scratch, v)) > 0
	}
}

// arn takes an "acs:ecs:region:account:snapshot/id".
func (p *shareParameters) arn(v jsontext.Value) {
	text := plain(&p.r.scratch, v)
	snapshot, image := bytes.Contains(text, []byte(":snapshot/")), bytes.Contains(text, []byte(":image/"))
	p.kinds.snapshots = p.kinds.snapshots || snapshot
	p.kinds.images = p.kinds.images || image
	p.kinds.other = p.kinds.other || len(text) > 0 && !snapshot && !image
}
