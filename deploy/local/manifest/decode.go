package manifest

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decode reads n into the struct v points to, and refuses keys that it lacks.
func decode(n *yaml.Node, v any) error {
	if err := known(n, reflect.TypeOf(v)); err != nil {
		return err
	}
	return n.Decode(v)
}

// known reports the first key of n that t has no field for.
func known(n *yaml.Node, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[yaml.Node]():
		return nil
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		return knownEach(n.Content, t.Elem())
	case t.Kind() == reflect.Map && n.Kind == yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			if err := known(n.Content[i], t.Elem()); err != nil {
				return err
			}
		}
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		return knownFields(n, t)
	case t.Kind() == reflect.Struct && n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		return at(n, "%q is not supported here: it must be a mapping", n.Value)
	}
	return nil
}

func knownEach(list []*yaml.Node, t reflect.Type) error {
	for _, n := range list {
		if err := known(n, t); err != nil {
			return err
		}
	}
	return nil
}

func knownFields(n *yaml.Node, t reflect.Type) error {
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); name != "" && name != "-" {
			fields[name] = t.Field(i).Type
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		field, ok := fields[key.Value]
		if !ok {
			return at(key, "unknown key %q", key.Value)
		}
		if err := known(n.Content[i+1], field); err != nil {
			return err
		}
	}
	return nil
}

// child is the value of a key; the mapping itself if it has none, so that an
// error has a line in any case.
func child(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		next := n
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				next = n.Content[i+1]
			}
		}
		n = next
	}
	return n
}

func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, append([]any{n.Line}, args...)...)
}
