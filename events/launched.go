package events

import (
	"bytes"
	"strings"

	"fleetwarden/shared/fleet"
)

// instanceType is the type of an instance in the lists of resources of a record.
const instanceType = "ACS::ECS::Instance"

// launched returns like with the id of each new instance: those of the response,
// else those that the record refers to, else those among its resources' names. A failed
// call created none of the resources that it names: then only the response counts. Its
// error is about ids that it left out.
func (r *reader) launched(rec object, like fleet.Ref) ([]fleet.Ref, error) {
	ids := idReader{r: r, like: like, refs: make([]fleet.Ref, 0, roomFor(like.Call.Launch))}
	ids.within(rec, "responseElements")
	if like.Call.ErrorCode != "" {
		return ids.refs, ids.err
	}
	if !ids.found {
		ids.within(rec, "referencedResources")
	}
	if !ids.found {
		ids.where = "resourceName"
		ids.named(r.text(rec.get("resourceType")), string(r.plain(rec.get("resourceName"))))
	}
	return ids.refs, ids.err
}

// roomFor is how many instances a launch asks for, as far as that is believed.
func roomFor(l *fleet.Launch) int {
	if l == nil {
		return 1
	}
	return min(max(l.Amount, 1), fleet.MaxBatch)
}

// idReader collects instance ids as refs, from the member of a record called where.
type idReader struct {
	r     *reader
	like  fleet.Ref
	where string

	refs  []fleet.Ref
	found bool
	err   error
}

// within takes the ids in a member; one that cannot be read holds none.
func (i *idReader) within(rec object, where string) {
	i.where = where
	for name, v := range i.r.leaves(rec, where) {
		if !launchedID(name) {
			continue
		}
		for id := range bytes.SplitSeq(i.r.plain(v), []byte(",")) {
			i.add(bytes.TrimSpace(id))
		}
	}
}

// launchedID reports whether a leaf of that name holds the id of a new instance: of
// RunInstances, CreateInstance and CreateAutoProvisioningGroup, and of
// referencedResources.
func launchedID(name []byte) bool {
	for _, list := range [...]string{"InstanceIdSets", "InstanceId", instanceType} {
		if rest, ok := bytes.CutPrefix(name, []byte(list)); ok && (len(rest) == 0 || rest[0] == '.') {
			return true
		}
	}
	return bytes.HasPrefix(name, []byte("LaunchResults.")) && bytes.Contains(name, []byte(".InstanceIds"))
}

// named takes the ids among names, in which types are joined by semicolons, and the ids
// of one type by commas; types are those types, in the same order. Without them, ids are
// known by their shape.
func (i *idReader) named(types, names string) {
	groups, kinds := strings.Split(names, ";"), strings.Split(types, ";")
	for n, group := range groups {
		kind := ""
		if len(kinds) == len(groups) {
			kind = strings.TrimSpace(kinds[n])
		}
		if kind != "" && kind != instanceType {
			continue
		}
		for id := range strings.SplitSeq(group, ",") {
			if id = strings.TrimSpace(id); kind != "" || fleet.ValidInstanceID(id) {
				i.add([]byte(id))
			}
		}
	}
}

func (i *idReader) add(id []byte) {
	if len(id) == 0 {
		return
	}
	i.found = true
	i.like.ID = i.r.keep(cut(id, maxText))
	switch {
	case fleet.ValidInstanceID(i.like.ID):
		i.refs = append(i.refs, i.like)
	case i.err == nil:
		i.err = bad(i.where, i.like.ID)
	}
}

// canary returns the token of a call by which an operator checks that events arrive: a dry run of
// an image that does not exist, so that one like it hides no launch. It is "" for any other call.
func (r *reader) canary(rec object) string {
	var token, image, dry string
	for name, v := range r.leaves(rec, r.parameters(rec)) {
		switch string(name) {
		case "ClientToken":
			token = r.text(v)
		case "ImageId":
			image = r.text(v)
		case "DryRun":
			dry = r.text(v)
		}
	}
	if image != fleet.CanaryImage || !strings.EqualFold(dry, "true") || !strings.HasPrefix(token, fleet.CanaryPrefix) || !fleet.Plain(token) {
		return ""
	}
	return token
}
