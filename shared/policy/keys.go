package policy

import "slices"

// Key is one key of a policy file.
type Key struct {
	// Path is where it stands, such as controls.agent.mode; keys of the elements of a list
	// stand below its path and [], those of named elements below NAME.
	Path string `json:"path"`
	// Value is what the policy says, as JSON; empty for a key of elements.
	Value string `json:"value,omitempty"`
	Doc   string `json:"doc"`
	Must  bool   `json:"must,omitempty"`
}

// Keys returns the keys of a policy file, in the order of its documentation, with what p says.
func (p *Policy) Keys() []Key { return p.root().below("", true) }

// below returns the keys of an object; said says that their values are those of a policy.
func (o object) below(path string, said bool) (out []Key) {
	for _, f := range o.fields {
		k := Key{Path: path + f.key, Doc: f.doc, Must: f.must}
		inner, isObject := f.value.(interface{ below(string, bool) []Key })
		if said && !isObject && !f.value.blank() {
			k.Value = string(f.value.appendJSON(nil))
		}
		out = append(out, k)
		if isObject {
			out = append(out, inner.below(k.Path+".", said)...)
		} else if l, ok := f.value.(interface{ element() (value, string) }); ok {
			element, at := l.element()
			if inner, ok := element.(interface{ below(string, bool) []Key }); ok {
				out = append(out, inner.below(k.Path+at+".", false)...)
			}
		}
	}
	return out
}

func (v list[T]) element() (value, string) {
	fresh := v.fresh
	return v.item(&fresh), "[]"
}

// Changed are the keys whose values differ in two policies, with that of each.
func Changed(before, after *Policy) (out [][2]Key) {
	was, is := before.Keys(), after.Keys()
	for _, k := range is {
		i := slices.IndexFunc(was, func(o Key) bool { return o.Path == k.Path })
		if was[i].Value != k.Value {
			out = append(out, [2]Key{was[i], k})
		}
	}
	return out
}
