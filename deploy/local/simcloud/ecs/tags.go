package ecs

import (
	"iter"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud"
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

// tagKind is a type of resources that can have tags.
type tagKind struct {
	trail string // as trail records write the type
	tags  func(sp *space, id string) *tags
	rows  func(sp *space) rows[tagRow]
}

// tagKinds are the types that are part of this cloud.
var tagKinds = map[string]tagKind{
	"instance":       kindOf("Instance", func(sp *space) *simcloud.Table[instance] { return &sp.instances }, func(i *instance) (string, *tags) { return i.id, &i.tags }),
	"disk":           kindOf("Disk", func(sp *space) *simcloud.Table[disk] { return &sp.disks }, func(d *disk) (string, *tags) { return d.id, &d.tags }),
	"image":          kindOf("Image", func(sp *space) *simcloud.Table[image] { return &sp.images }, func(i *image) (string, *tags) { return i.id, &i.tags }),
	"snapshot":       kindOf("Snapshot", func(sp *space) *simcloud.Table[snapshot] { return &sp.snapshots }, func(x *snapshot) (string, *tags) { return x.id, &x.tags }),
	"launchtemplate": kindOf("LaunchTemplate", func(sp *space) *simcloud.Table[template] { return &sp.templates }, func(t *template) (string, *tags) { return t.id, &t.tags }),
}

func kindOf[T any](trail string, table func(*space) *simcloud.Table[T], view func(*T) (string, *tags)) tagKind {
	return tagKind{
		trail: "ACS::ECS::" + trail,
		tags: func(sp *space, id string) *tags {
			v := table(sp).Get(id)
			if v == nil {
				return nil
			}
			_, t := view(v)
			return t
		},
		rows: func(sp *space) rows[tagRow] {
			return func(place uint64) iter.Seq2[uint64, *tagRow] {
				return func(yield func(uint64, *tagRow) bool) {
					for at, v := range table(sp).After(place) {
						if id, t := view(v); !yield(at, &tagRow{id, *t}) {
							return
						}
					}
				}
			}
		},
	}
}

// kind finds a type of resources.
func kind(name string) (tagKind, error) {
	k, ok := tagKinds[name]
	if !ok {
		return k, wire.Errorf(404, "InvalidResourceType.NotFound", "The ResourceType provided does not exist in our records: %s.", name)
	}
	return k, nil
}
