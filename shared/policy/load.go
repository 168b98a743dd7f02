package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the largest policy file that [Load] takes, in bytes.
const MaxSize = 256 << 10

// Load reads a policy file: YAML, or the JSON that [Policy.JSON] writes, which
// is YAML too and takes a third of the time. The name is only for messages.
//
// Load is strict. Its error is a [Problems] with every mistake of the file: an
// unknown or repeated key, a missing one, a value of the wrong type or out of
// range, an anchor, an alias, an explicit tag, a second document.
func Load(name string, data []byte) (*Policy, error) {
	l := newLoader(name)
	wellFormed := l.fill(deployed(data))
	canonical := l.keys.appendJSON(make([]byte, 0, len(data)))
	if !wellFormed || !bytes.Equal(canonical, data) { // it is not what was deployed
		l = newLoader(name)
		if root := l.parse(data); root != nil && l.plain(root) {
			l.fill(root)
		}
		canonical = l.keys.appendJSON(canonical[:0])
	}
	if len(l.problems) > 0 {
		l.problems.sort()
		return nil, l.problems
	}
	l.policy.Digest = digest(canonical)
	return l.policy, nil
}

// loader fills a policy and collects the problems of the file.
type loader struct {
	file     string
	policy   *Policy
	keys     object // of the policy
	problems Problems
	// named has the values that must be unique.
	named map[string]bool
	// later has checks that need the whole policy.
	later []func()
}

func newLoader(file string) *loader {
	p := defaults()
	return &loader{file: file, policy: p, keys: p.root(), named: map[string]bool{}}
}

// fill reads the policy from its document, and reports whether that had no problem.
func (l *loader) fill(root *yaml.Node) bool {
	if root == nil {
		return false
	}
	l.keys.load(l, node{Node: root})
	for _, check := range l.later {
		check()
	}
	return len(l.problems) == 0
}

// node is a piece of the file and its path.
type node struct {
	*yaml.Node
	path string
}

// key returns v with the path of its key k.
func (n node) key(k, v *yaml.Node) node {
	if n.path == "" {
		return node{v, k.Value}
	}
	return node{v, n.path + "." + k.Value}
}

func (n node) item(i int) node {
	return node{n.Content[i], n.path + "[" + strconv.Itoa(i) + "]"}
}

func (l *loader) problem(n node, hint, format string, args ...any) {
	l.at(n.Line, n.Column, Problem{Path: legible(n.path), Message: fmt.Sprintf(format, args...), Hint: hint})
}

// at reports a problem at a position from the parser, which has none for omitted content.
func (l *loader) at(line, column int, p Problem) {
	p.File, p.Line, p.Column = l.file, max(line, 1), max(column, 1)
	l.problems = append(l.problems, p)
}

// parse returns the root of the only document, or nil after reporting why not.
func (l *loader) parse(data []byte) *yaml.Node {
	if !l.readable(data) {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		l.at(1, 1, Problem{Message: "the file is empty", Hint: "it starts with version: 1"})
		return nil
	} else if err != nil {
		l.syntax(err)
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		l.at(second.Line, second.Column, Problem{Message: "a second document; a policy is one document"})
	} else if !errors.Is(err, io.EOF) {
		l.syntax(err)
	}
	return document.Content[0]
}

// readable reports what the parser would refuse without a position.
func (l *loader) readable(data []byte) bool {
	if len(data) > MaxSize {
		l.at(1, 1, Problem{Message: fmt.Sprintf("%d bytes; a policy has at most %d", len(data), MaxSize)})
		return false
	}
	line, start := 1, 0
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == '\n':
			line, start = line+1, i+1
		case r == utf8.RuneError && size == 1:
			l.at(line, 1+utf8.RuneCount(data[start:i]), Problem{Message: "not UTF-8"})
			return false
		case unwritable(r):
			l.at(line, 1+utf8.RuneCount(data[start:i]), Problem{Message: fmt.Sprintf("control character %U", r)})
			return false
		}
		i += size
	}
	return true
}

// unwritable reports whether YAML forbids a literal character, or it is an invisible mark.
func unwritable(r rune) bool { return unprintable(r) && !strings.ContainsRune("\t\n\r\u0085", r) }

func unprintable(r rune) bool {
	return unicode.IsControl(r) || strings.ContainsRune("\ufeff\ufffe\uffff", r)
}

// syntax reports an error of the YAML library, which returns text only. It counts the lines of
// its scanner's errors from 1, of its parser's from 0, and omits line 0.
func (l *loader) syntax(err error) {
	yamlError := regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)`)
	fromParser := regexp.MustCompile(`^did not find expected (<|node|'-'|key|',')|^found (undefined|duplicate|incompatible)`)
	parts := yamlError.FindStringSubmatch(err.Error())
	line, _ := strconv.Atoi(parts[1])
	if fromParser.MatchString(parts[2]) {
		line++
	}
	l.at(line, 1, Problem{Message: "not YAML: " + parts[2]})
}

// plain reports references to other parts of the file, and constructs that could make a
// small file large. A file with any of them is not read further.
func (l *loader) plain(n *yaml.Node) bool {
	before := len(l.problems)
	switch {
	case n.Kind == yaml.AliasNode:
		l.at(n.Line, n.Column, Problem{Message: "an alias; write the value out"})
	case n.Anchor != "":
		l.at(n.Line, n.Column, Problem{Message: "an anchor; a policy has no aliases"})
	case n.Style&yaml.TaggedStyle != 0:
		l.at(n.Line, n.Column, Problem{Message: "an explicit tag; a policy has none"})
	}
	plain := len(l.problems) == before
	for _, child := range n.Content {
		plain = l.plain(child) && plain
	}
	return plain
}

// wrongType reports a value of the wrong type.
func (l *loader) wrongType(n node, want, hint string) {
	l.problem(n, hint, "want %s, found %s", want, kindOf(n.Node))
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!bool", "!!int", "!!float":
		return n.Value
	default:
		return quote(n.Value)
	}
}
