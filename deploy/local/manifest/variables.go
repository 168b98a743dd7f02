package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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

// expression is one of those that s.yaml has: vars.NAME, or a function of one or two strings.
var expression = regexp.MustCompile(`\$\{ *(?:vars\.([\w.]+)|(\w+)\( *['"]([^'"]*)['"] *(, *['"]([^'"]*)['"] *)?\)) *\}`)

// scalar resolves the expressions in one value. A value that is one variable, and nothing else,
// becomes what the variable is, such as a list; any other stays text.
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
	var failed error
	if whole := expression.FindStringSubmatch(n.Value); whole != nil && whole[0] == n.Value && whole[1] != "" {
		v, err := r.variable(whole[1])
		if err == nil && v.Kind != yaml.ScalarNode {
			line := n.Line
			*n = *v
			n.Line = line
			return nil
		}
		failed = err
	}
	if failed == nil && strings.Contains(expression.ReplaceAllString(n.Value, ""), "${") {
		failed = errors.New("only ${vars.NAME} and ${function('argument')} are supported here")
	}
	text := expression.ReplaceAllStringFunc(n.Value, func(e string) string {
		v, err := r.value(expression.FindStringSubmatch(e))
		if failed == nil {
			failed = err
		}
		return v
	})
	if failed != nil {
		return at(n, "resolving %q: %v", n.Value, failed)
	}
	n.Value, n.Tag, n.Style = text, "!!str", yaml.DoubleQuotedStyle
	return nil
}

// value returns the value of an expression, given the pattern's groups.
func (r *resolver) value(part []string) (string, error) {
	name, function, argument, more := part[1], part[2], part[3], part[4] != ""
	if name != "" {
		v, err := r.variable(name)
		if err == nil && v.Kind != yaml.ScalarNode {
			err = fmt.Errorf("vars.%s is not text", name)
		}
		if err != nil {
			return "", err
		}
		return v.Value, nil
	}
	switch {
	case function == "env":
		v, ok := r.options.Env(argument)
		if !ok && !more {
			return "", fmt.Errorf("the environment has no %s, and no default is given", argument)
		}
		if !ok {
			v = part[5]
		}
		return v, nil
	case function == "file" && !more:
		b, err := os.ReadFile(filepath.Join(r.dir, argument))
		return string(b), err
	case function == "config" && argument == "AccountID" && !more:
		return r.options.Account, nil
	case function == "config":
		return "", fmt.Errorf("unknown config %s", argument)
	}
	return "", fmt.Errorf("%s is no function of one argument that is known", function)
}

// variable is one of vars; what is not there is an error, as it is for s verify.
func (r *resolver) variable(path string) (*yaml.Node, error) {
	n := cmp.Or(r.vars, &yaml.Node{})
	for _, name := range strings.Split(path, ".") {
		next := child(n, name)
		if next == n {
			return nil, fmt.Errorf("vars.%s not found", path)
		}
		n = next
	}
	return n, r.resolve(n)
}
