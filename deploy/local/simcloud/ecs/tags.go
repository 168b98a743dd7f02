package ecs

import (
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/wire"
)

// supportVTPM is the system tag of trusted instances. Its value is assumed.
var supportVTPM = tag{"acs:ecs:supportVtpm", "true"}

// tag is one tag.
type tag struct{ key, value string }

// tags are sorted by key. They are shared between resources: change them with
// set and unset, which copy.
type tags []tag

func byKey(t tag, key string) int { return strings.Compare(t.key, key) }

// get returns the value of a key and whether it is there.
func (t tags) get(key string) (string, bool) {
	i, ok := slices.BinarySearchFunc(t, key, byKey)
	if !ok {
		return "", false
	}
	return t[i].value, true
}

func (t tags) set(more ...tag) tags {
	t = slices.Clone(t)
	for _, m := range more {
		i, ok := slices.BinarySearchFunc(t, m.key, byKey)
		if ok {
			t[i] = m
		} else {
			t = slices.Insert(t, i, m)
		}
	}
	return t
}

func (t tags) unset(keys ...string) tags {
	return slices.DeleteFunc(slices.Clone(t), func(x tag) bool { return slices.Contains(keys, x.key) })
}

// match reports whether all of the wanted tags are there. An empty value
// matches any, as with Tag.N.Key alone.
func (t tags) match(want []TagParam) bool {
	for _, w := range want {
		v, ok := t.get(w.Key)
		if !ok || (w.Value != "" && v != w.Value) {
			return false
		}
	}
	return true
}

// TagParam is Tag.N of a request.
type TagParam struct{ Key, Value string }

// newTags checks the tags of a request: at most 20, keys up to 128 characters,
// none starting with acs: or aliyun. The codes are assumed.
func newTags(in []TagParam) ([]tag, error) {
	if len(in) > 20 {
		return nil, invalid("InvalidParameter.TagNum", "The number of tags exceeds the limit of 20.")
	}
	out := make([]tag, 0, len(in))
	for _, p := range in {
		if p.Key == "" || len(p.Key) > 128 || reserved(p.Key) {
			return nil, invalid("InvalidTagKey.Malformed", "The specified Tag.n.Key is not valid: %s.", p.Key)
		}
		if len(p.Value) > 128 || reserved(p.Value) {
			return nil, invalid("InvalidTagValue.Malformed", "The specified Tag.n.Value is not valid.")
		}
		out = append(out, tag{p.Key, p.Value})
	}
	return out, nil
}

func reserved(s string) bool {
	return strings.HasPrefix(s, "acs:") || strings.HasPrefix(s, "aliyun") ||
		strings.Contains(s, "http://") || strings.Contains(s, "https://")
}

// TagSet is Tags of a response.
type TagSet struct{ Tag []TagItem }

// TagItem is a tag of a resource in a response.
type TagItem struct{ TagKey, TagValue string }

func (t tags) response() TagSet {
	s := TagSet{Tag: make([]TagItem, len(t))}
	for i, x := range t {
		s.Tag[i] = TagItem{x.key, x.value}
	}
	return s
}

// tagged finds the tags of a resource. Types other than instance, disk, image,
// snapshot and launchtemplate are not part of this cloud. The caller holds the mutex.
func (sp *space) tagged(kind, id string) (*tags, error) {
	switch kind {
	case "instance":
		if i := sp.instances.Get(id); i != nil {
			return &i.tags, nil
		}
	case "disk":
		if d := sp.disks.Get(id); d != nil {
			return &d.tags, nil
		}
	case "image":
		if i := sp.images.Get(id); i != nil {
			return &i.tags, nil
		}
	case "snapshot":
		if x := sp.snapshots.Get(id); x != nil {
			return &x.tags, nil
		}
	case "launchtemplate":
		if t := sp.templates.Get(id); t != nil {
			return &t.tags, nil
		}
	default:
		return nil, wire.Errorf(404, "InvalidResourceType.NotFound", "The ResourceType provided does not exist in our records: %s.", kind)
	}
	return nil, wire.Errorf(404, "InvalidResourceId.NotFound", "The specified ResourceIds are not found in our records: %s.", id)
}
