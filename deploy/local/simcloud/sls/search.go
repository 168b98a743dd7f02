package sls

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// test reports whether a line fits.
type test func(*searched) bool

// searched is a line in the form that tests read.
type searched struct {
	fields map[string]string
	leaves map[string]string // of message; nil until they are needed
}

// compile reads a search: a word, a quoted text or field: value, joined by and, or, not and
// parentheses; "a not b" is "a and not b". Of the operators, not binds closest and or
// loosest. Empty and * are all lines.
func compile(query string, x *Index) (test, error) {
	words, err := split(query)
	if err != nil {
		return nil, err
	}
	p := &parser{words: words, index: x}
	if len(words) == 0 {
		return all, nil
	}
	t, err := p.or()
	if err == nil && len(p.words) > 0 {
		err = errQuery("%q is not expected there", p.words[0].text)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func all(*searched) bool { return true }

// word is a part of a query.
type word struct {
	text   string
	quoted bool
}

func (w word) is(text string) bool { return !w.quoted && strings.EqualFold(w.text, text) }

// split takes a query apart into words, quoted texts, colons and parentheses.
func split(query string) (out []word, err error) {
	for rest := strings.TrimSpace(query); rest != ""; rest = strings.TrimSpace(rest) {
		switch c := rest[0]; {
		case c == '(' || c == ')' || c == ':':
			out, rest = append(out, word{text: rest[:1]}), rest[1:]
		case c == '"':
			text, after, err := unquote(rest[1:])
			if err != nil {
				return nil, err
			}
			out, rest = append(out, word{text, true}), after
		default:
			n := strings.IndexAny(rest, " \t\r\n():\"")
			if n < 0 {
				n = len(rest)
			}
			if text := rest[:n]; strings.ContainsAny(text, `|<>=?'\`) || strings.Contains(text, "*") && text != "*" {
				return nil, errQuery("%q: simcloud has words, quoted texts and field: value, and no SQL, comparisons or patterns", text)
			}
			out, rest = append(out, word{text: rest[:n]}), rest[n:]
		}
	}
	return out, nil
}

// unquote reads a text up to its closing quote.
func unquote(rest string) (text, after string, err error) {
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '"':
			return b.String(), rest[i+1:], nil
		case '\\':
			if i++; i == len(rest) {
				return "", "", errQuery("a quoted text has no end")
			}
		}
		b.WriteByte(rest[i])
	}
	return "", "", errQuery("a quoted text has no end")
}

// maxDepth bounds how deep parentheses and nots are nested.
const maxDepth = 50

type parser struct {
	words []word
	index *Index
	depth int
}

func (p *parser) take(text string) bool {
	if len(p.words) > 0 && p.words[0].is(text) {
		p.words = p.words[1:]
		return true
	}
	return false
}

func (p *parser) or() (test, error) {
	left, err := p.and()
	for err == nil && p.take("or") {
		var right test
		before := left
		right, err = p.and()
		left = func(s *searched) bool { return before(s) || right(s) }
	}
	return left, err
}

func (p *parser) and() (test, error) {
	left, err := p.unary()
	for err == nil && (p.take("and") || len(p.words) > 0 && p.words[0].is("not")) {
		var right test
		before := left
		right, err = p.unary()
		left = func(s *searched) bool { return before(s) && right(s) }
	}
	return left, err
}

func (p *parser) unary() (test, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errQuery("it is nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("not"):
		t, err := p.unary()
		return func(s *searched) bool { return !t(s) }, err
	case p.take("("):
		t, err := p.or()
		if err == nil && !p.take(")") {
			err = errQuery("a parenthesis is not closed")
		}
		return t, err
	}
	return p.term()
}

func (p *parser) term() (test, error) {
	w, err := p.value()
	if err != nil || !p.take(":") {
		return w.anywhere, err
	}
	if w.quoted || !p.index.has(w.text) {
		return nil, errQuery("key (%s) is not config as key value config, if symbol : is in your log, please wrap : with quotation mark \"", w.text)
	}
	v, err := p.value()
	return func(s *searched) bool { return v.in(s.field(w.text)) }, err
}

// value takes a word that is no operator.
func (p *parser) value() (word, error) {
	if len(p.words) == 0 {
		return word{}, errQuery("it ends too early")
	}
	w := p.words[0]
	if slices.ContainsFunc([]string{"(", ")", ":", "and", "or", "not"}, w.is) {
		return w, errQuery("%q is not expected there", w.text)
	}
	p.words = p.words[1:]
	return w, nil
}

// in reports whether a value has all parts of the word, as the delimiters part both; without
// regard to case. The word * fits every value that is there.
func (w word) in(value string) bool {
	if w.is("*") {
		return value != ""
	}
	has, want := parts(value), parts(w.text)
	return len(want) > 0 && !slices.ContainsFunc(want, func(p string) bool { return !slices.Contains(has, p) })
}

func parts(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(token, r) })
}

// anywhere reports whether one field of the line has the word.
func (w word) anywhere(s *searched) bool {
	if w.is("*") {
		return true
	}
	for name, v := range s.fields {
		if name != "__time__" && w.in(v) {
			return true
		}
	}
	return false
}

func cutPrefix(field string) (leaf string, ok bool) { return strings.CutPrefix(field, jsonField+".") }

// field is the value of a field or of a leaf; empty for none.
func (s *searched) field(name string) string {
	leaf, ok := cutPrefix(name)
	if !ok {
		return s.fields[name]
	}
	if s.leaves == nil {
		s.leaves = map[string]string{}
		var v any
		d := json.NewDecoder(strings.NewReader(s.fields[jsonField]))
		d.UseNumber()
		if d.Decode(&v) == nil { // a line that is no JSON has no leaves
			flatten(s.leaves, "", v)
		}
	}
	return s.leaves[leaf]
}

func flatten(into map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			flatten(into, strings.TrimPrefix(path+"."+name, "."), x)
		}
	case []any, nil: // the members of arrays are not indexed
	default:
		into[path] = fmt.Sprint(v)
	}
}
