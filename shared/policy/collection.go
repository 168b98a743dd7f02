package policy

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// field is one key of an object.
type field struct {
	key   string
	value value
	// doc is the description for editors.
	doc string
	// must: the key is required.
	must bool
}

// object is a mapping with known keys.
type object struct {
	fields []field
	// some are keys of which at least one is required.
	some []string
	// removed are keys of earlier versions, each with advice.
	removed map[string]string
}

func (o object) load(l *loader, n node) {
	if n.Kind != yaml.MappingNode {
		l.wrongType(n, "a mapping", "")
		return
	}
	seen := map[string]bool{}
	for _, e := range l.entries(n) {
		i := slices.IndexFunc(o.fields, func(f field) bool { return f.key == e.key.Value })
		if why, ok := o.removed[e.key.Value]; ok && i < 0 {
			l.problem(e.key, "", "%s", why)
			continue
		}
		if i < 0 {
			l.problem(e.key, suggest(e.key.Value, o.keys()), "unknown key")
			continue
		}
		seen[e.key.Value] = true
		o.fields[i].value.load(l, e.value)
	}
	o.complete(l, n, seen)
}

// complete reports missing required keys.
func (o object) complete(l *loader, n node, seen map[string]bool) {
	for _, f := range o.fields {
		if f.must && !seen[f.key] {
			l.problem(n, "", "%s is missing", f.key)
		}
	}
	if len(o.some) > 0 && !slices.ContainsFunc(o.some, func(key string) bool { return seen[key] }) {
		l.problem(n, "", "selects nothing; say at least one of %s", options(o.some))
	}
}

func (o object) keys() []string {
	keys := make([]string, len(o.fields))
	for i, f := range o.fields {
		keys[i] = f.key
	}
	return keys
}

func (o object) appendJSON(to []byte) []byte {
	to = append(to, '{')
	begun := len(to)
	for _, f := range o.fields {
		if f.value.blank() {
			continue
		}
		if len(to) > begun {
			to = append(to, ',')
		}
		to = append(appendString(to, f.key), ':')
		to = f.value.appendJSON(to)
	}
	return append(to, '}')
}

func (o object) blank() bool {
	return !slices.ContainsFunc(o.fields, func(f field) bool { return !f.value.blank() })
}

// entry is one key of a mapping with its value; both carry the value's path.
type entry struct{ key, value node }

// entries returns the keys of a mapping, after reporting invalid and repeated ones.
func (l *loader) entries(n node) []entry {
	var entries []entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		e := entry{n.key(key, key), n.key(key, value)}
		switch {
		case key.Kind != yaml.ScalarNode:
			l.problem(node{key, n.path}, "", "a key has to be a name")
		case seen[key.Value]:
			l.problem(e.key, "", "the key comes twice")
		default:
			seen[key.Value] = true
			entries = append(entries, e)
		}
	}
	return entries
}

// list is a list of values of one type.
type list[T any] struct {
	to *[]T
	// item binds one element.
	item func(*T) value
	// fresh is an element before its keys are read.
	fresh T
	// least is the smallest number of elements, most the largest; 0: any number.
	least, most int
}

func (v list[T]) load(l *loader, n node) {
	if n.Kind != yaml.SequenceNode {
		l.wrongType(n, "a list", "")
		return
	}
	if len(n.Content) < v.least {
		l.problem(n, "", "the list is empty")
	}
	l.atMost(n, len(n.Content), v.most)
	items := make([]T, len(n.Content))
	for i := range items {
		items[i] = v.fresh
		v.item(&items[i]).load(l, n.item(i))
	}
	*v.to = items
}

// atMost reports a collection with too many elements.
func (l *loader) atMost(n node, elements, most int) {
	if most > 0 && elements > most {
		l.problem(n, "", "it has %d elements, and may have %d", elements, most)
	}
}

func (v list[T]) appendJSON(to []byte) []byte {
	to = append(to, '[')
	for i := range *v.to {
		if i > 0 {
			to = append(to, ',')
		}
		to = v.item(&(*v.to)[i]).appendJSON(to)
	}
	return append(to, ']')
}

func (v list[T]) blank() bool { return len(*v.to) == 0 }

// inAudit is a list of selectors beside a mode, which has to be audit.
type inAudit struct {
	list[Selector]
	mode *Mode
}

func (v inAudit) load(l *loader, n node) {
	v.list.load(l, n)
	l.later = append(l.later, func() {
		if *v.mode != Audit {
			l.problem(n, "set mode: audit, or delete the key", "it has a meaning beside mode: audit alone, and the mode is %s", *v.mode)
		}
	})
}

// dict is a mapping whose keys the operator chooses.
type dict[T any] struct {
	to   *map[string]T
	keys form
	item func(*T) value
	// fresh is an element before its keys are read.
	fresh T
	// least is the smallest number of keys, most the largest; 0: any number.
	least, most int
}

func (v dict[T]) load(l *loader, n node) {
	if n.Kind != yaml.MappingNode {
		l.wrongType(n, "a mapping", "")
		return
	}
	if len(n.Content) < 2*v.least {
		l.problem(n, "", "the mapping is empty")
	}
	l.atMost(n, len(n.Content)/2, v.most)
	items := map[string]T{}
	for _, e := range l.entries(n) {
		if !v.keys.fits(e.key.Value) {
			l.problem(e.key, "", "want %s as the key", v.keys.name)
		}
		item := v.fresh
		v.item(&item).load(l, e.value)
		items[e.key.Value] = item
	}
	*v.to = items
}

func (v dict[T]) appendJSON(to []byte) []byte {
	to = append(to, '{')
	for i, key := range slices.Sorted(maps.Keys(*v.to)) {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(appendString(to, key), ':')
		item := (*v.to)[key]
		to = v.item(&item).appendJSON(to)
	}
	return append(to, '}')
}

func (v dict[T]) blank() bool { return len(*v.to) == 0 }
