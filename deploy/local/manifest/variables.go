package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// resolver replaces ${…} in the values of a document, from top to bottom. The
// variables under vars stand at the top and are resolved when they are asked
// for.
type resolver struct {
	options Options
	dir     string
	vars    *yaml.Node
	// begun holds the values that are being resolved (false) or are (true), so
	// that each is resolved once and a circle is noticed.
	begun map[*yaml.Node]bool
}

func (r *resolver) resolve(n *yaml.Node) error {
	if n.Kind == yaml.MappingNode && r.vars == nil {
		if v := child(n, "vars"); v != n {
			r.vars = v
		}
	}
	switch n.Kind {
	case yaml.ScalarNode:
		return r.scalar(n)
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			if err := r.resolve(n.Content[i]); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			if err := r.resolve(c); err != nil {
				return err
			}
		}
	case yaml.AliasNode:
		return at(n, "YAML aliases are not supported")
	}
	return nil
}

// scalar resolves one value. If it is one expression as a whole it may become
// what the expression yields, also a mapping; else it stays text.
func (r *resolver) scalar(n *yaml.Node) error {
	if !strings.Contains(n.Value, "${") {
		return nil
	}
	if done, begun := r.begun[n]; done {
		return nil
	} else if begun {
		return at(n, "the variables in %q refer to each other", n.Value)
	}
	r.begun[n] = false
	defer func() { r.begun[n] = true }()
	var out strings.Builder
	rest := n.Value
	for {
		before, tail, found := strings.Cut(rest, "${")
		out.WriteString(before)
		if !found {
			break
		}
		e := expression{text: tail}
		v, err := e.parse(r)
		if err == nil && !e.take("}") {
			err = fmt.Errorf("expected } at %q", e.text)
		}
		if err != nil {
			return at(n, "resolving %q: %v", n.Value, err)
		}
		if n.Value == "${"+tail && e.text == "" && v.Kind != yaml.ScalarNode {
			line := n.Line
			*n = *v
			n.Line = line
			return nil
		}
		out.WriteString(v.Value)
		rest = e.text
	}
	n.Value, n.Tag, n.Style = out.String(), "!!str", yaml.DoubleQuotedStyle
	return nil
}

// expression is what stands between ${ and }: a call such as env('X', 'd'), or
// a path such as vars.region.
type expression struct{ text string }

func (e *expression) take(s string) bool {
	e.text = strings.TrimLeft(e.text, " ")
	rest, ok := strings.CutPrefix(e.text, s)
	if ok {
		e.text = rest
	}
	return ok
}

func (e *expression) parse(r *resolver) (*yaml.Node, error) {
	e.text = strings.TrimLeft(e.text, " ")
	for _, quote := range []string{"'", `"`} {
		if e.take(quote) {
			s, rest, ok := strings.Cut(e.text, quote)
			if !ok {
				return nil, fmt.Errorf("a string without its end")
			}
			e.text = rest
			return text(s), nil
		}
	}
	end := strings.IndexFunc(e.text, func(c rune) bool { return strings.ContainsRune("(), }", c) })
	if end <= 0 {
		return nil, fmt.Errorf("expected a variable at %q", e.text)
	}
	name := e.text[:end]
	e.text = e.text[end:]
	if !e.take("(") {
		return r.path(name)
	}
	args, err := e.arguments(r)
	if err != nil {
		return nil, err
	}
	return r.call(name, args)
}

func (e *expression) arguments(r *resolver) ([]*yaml.Node, error) {
	var args []*yaml.Node
	for !e.take(")") {
		if len(args) > 0 && !e.take(",") {
			return nil, fmt.Errorf("expected , or ) at %q", e.text)
		}
		v, err := e.parse(r)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	return args, nil
}

func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
}

// path is vars.a.b; what is not there is an error, as it is for s verify.
func (r *resolver) path(name string) (*yaml.Node, error) {
	parts := strings.Split(name, ".")
	if parts[0] != "vars" || r.vars == nil || len(parts) < 2 {
		return nil, fmt.Errorf("unknown variable %s", name)
	}
	n := r.vars
	for _, p := range parts[1:] {
		next := child(n, p)
		if next == n {
			return nil, fmt.Errorf("%s not found", name)
		}
		n = next
	}
	return n, r.resolve(n)
}

func (r *resolver) call(name string, args []*yaml.Node) (*yaml.Node, error) {
	most := map[string]int{"env": 2, "file": 1, "json": 1, "config": 1}[name]
	if most == 0 {
		return nil, fmt.Errorf("unknown function %s", name)
	}
	if len(args) == 0 || len(args) > most {
		return nil, fmt.Errorf("%s takes 1 to %d arguments, not %d", name, most, len(args))
	}
	switch name {
	case "env":
		return r.env(args)
	case "file":
		b, err := os.ReadFile(filepath.Join(r.dir, args[0].Value))
		if err != nil {
			return nil, err
		}
		return text(string(b)), nil
	case "json":
		return fromJSON(args[0].Value)
	}
	if args[0].Value != "AccountID" {
		return nil, fmt.Errorf("unknown config %s", args[0].Value)
	}
	return text(r.options.Account), nil
}

func (r *resolver) env(args []*yaml.Node) (*yaml.Node, error) {
	if v, ok := r.options.Env(args[0].Value); ok {
		return text(v), nil
	}
	if len(args) == 1 {
		return nil, fmt.Errorf("the environment has no %s, and no default is given", args[0].Value)
	}
	return args[1], nil
}

// fromJSON reads JSON, which is YAML, into nodes.
func fromJSON(s string) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(s), &doc); err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	if len(doc.Content) != 1 {
		return nil, fmt.Errorf("reading JSON: no value")
	}
	return doc.Content[0], nil
}
