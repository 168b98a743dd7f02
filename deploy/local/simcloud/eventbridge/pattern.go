package eventbridge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// maxExpressions is the most expressions one field of a pattern may have.
const maxExpressions = 5

// Pattern is a compiled event pattern: an object nested as the event is, with an
// array of expressions at each leaf. All fields must match; of a leaf's
// expressions, one is enough. The pattern {} matches every event.
type Pattern struct {
	root fields
	text string
}

// Text is the pattern as it was given.
func (p *Pattern) Text() string { return p.text }

type fields map[string]node

// node is either nested fields or a leaf's expressions.
type node struct {
	fields fields
	any    []expression
}

// expression tests a value; present is false for a missing field, whose value is
// nil as a JSON null's is.
type expression func(v any, present bool) bool

// ParsePattern compiles a pattern. It refuses what is not of the documented
// syntax, naming the field.
func ParsePattern(text []byte) (*Pattern, error) {
	v, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("reading the pattern: %w", err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("reading the pattern: it is not a JSON object")
	}
	root, err := parseFields("", object)
	if err != nil {
		return nil, fmt.Errorf("reading the pattern: %w", err)
	}
	return &Pattern{root, string(text)}, nil
}

func parseFields(path string, object map[string]any) (fields, error) {
	out := fields{}
	for name, v := range object {
		at := name
		if path != "" {
			at = path + "." + name
		}
		n, err := parseNode(at, v)
		if err != nil {
			return nil, err
		}
		out[name] = n
	}
	return out, nil
}

func parseNode(path string, v any) (node, error) {
	switch v := v.(type) {
	case map[string]any:
		nested, err := parseFields(path, v)
		return node{fields: nested}, err
	case []any:
		if len(v) == 0 || len(v) > maxExpressions {
			return node{}, fmt.Errorf("%s has %d expressions, allowed are 1 to %d", path, len(v), maxExpressions)
		}
		var n node
		for _, x := range v {
			test, err := parseExpression(x)
			if err != nil {
				return node{}, fmt.Errorf("%s: %w", path, err)
			}
			n.any = append(n.any, test)
		}
		return n, nil
	}
	return node{}, fmt.Errorf("%s is neither an object nor an array", path)
}

// Match reports whether the event, a JSON object, matches. What is no JSON
// object matches nothing.
func (p *Pattern) Match(event []byte) bool {
	object, ok := decodeObject(event)
	return ok && p.root.match(object)
}

func decodeObject(event []byte) (object map[string]any, ok bool) {
	v, err := decode(event)
	if err != nil {
		return nil, false
	}
	object, ok = v.(map[string]any)
	return object, ok
}

func (f fields) match(object map[string]any) bool {
	for name, n := range f {
		v, present := object[name]
		if n.fields != nil {
			nested, _ := v.(map[string]any)
			if !n.fields.match(nested) {
				return false
			}
			continue
		}
		if !n.match(v, present) {
			return false
		}
	}
	return true
}

// match: of an array in the event, one matching element is enough.
func (n node) match(v any, present bool) bool {
	values := []any{v}
	if list, ok := v.([]any); ok && len(list) > 0 {
		values = list
	}
	for _, test := range n.any {
		for _, v := range values {
			if test(v, present) {
				return true
			}
		}
	}
	return false
}

// decode reads exactly one JSON value and keeps numbers as they are.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return v, nil
}
