package rampolicy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxDocument is the largest document that is read, in bytes. A custom policy has at most
// 6144 characters; for system policies and trust documents no limit is published, so this
// one is generous.
const MaxDocument = 64 << 10

// maxDepth is twice the depth of a document: a condition's value is 6 deep.
const maxDepth = 12

// node is one JSON value with its bytes. encoding/json would drop duplicate names and the
// text.
type node struct {
	kind  byte // one of { [ " and, for anything else, 0
	text  string
	items []node
	names []string // of items, in an object
	raw   string
	// variable is true if there is "${" in a string in it.
	variable bool
}

type reader struct {
	dec *json.Decoder
	src string
}

func readJSON(doc string) (node, error) {
	if len(doc) > MaxDocument {
		return node{}, fmt.Errorf("%d bytes are more than %d", len(doc), MaxDocument)
	}
	if !utf8.ValidString(doc) {
		return node{}, errors.New("not UTF-8")
	}
	r := reader{dec: json.NewDecoder(strings.NewReader(doc)), src: doc}
	r.dec.UseNumber()
	n, err := r.value(0)
	if err != nil {
		return node{}, fmt.Errorf("byte %d: %w", r.dec.InputOffset(), err)
	}
	end := r.dec.InputOffset()
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return node{}, fmt.Errorf("byte %d: something follows the document", end)
	}
	return n, nil
}

func (r *reader) value(depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	before := r.dec.InputOffset()
	token, err := r.dec.Token()
	if err != nil {
		return node{}, noEOF(err)
	}
	n := node{}
	switch t := token.(type) {
	case json.Delim:
		n.kind = byte(t)
		if err := r.items(&n, depth); err != nil {
			return node{}, err
		}
	case string:
		n.kind, n.text, n.variable = '"', t, strings.Contains(t, "${")
	}
	n.raw = strings.TrimLeft(r.src[before:r.dec.InputOffset()], " \t\r\n,:")
	return n, nil
}

func (r *reader) items(n *node, depth int) error {
	for r.dec.More() {
		if n.kind == '{' {
			if err := r.name(n); err != nil {
				return err
			}
		}
		item, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
		n.variable = n.variable || item.variable
	}
	_, err := r.dec.Token()
	return noEOF(err)
}

func (r *reader) name(n *node) error {
	token, err := r.dec.Token()
	if err != nil {
		return noEOF(err)
	}
	name, ok := token.(string)
	if !ok {
		return errors.New("a name must be a string")
	}
	if slices.Contains(n.names, name) {
		return fmt.Errorf("name %q occurs twice", name)
	}
	n.names = append(n.names, name)
	return nil
}

// noEOF makes io.EOF inside a value an error.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// list returns a string, or an array of strings, as a list. An empty list or string is
// refused: "NotAction": [] would mean everything.
func (n node) list() ([]string, error) {
	if n.kind == '"' {
		n = node{kind: '[', items: []node{n}}
	}
	if n.kind != '[' {
		return nil, errors.New("must be a string or an array of strings")
	}
	if len(n.items) == 0 {
		return nil, errors.New("is empty")
	}
	list := make([]string, 0, len(n.items))
	for i, item := range n.items {
		if item.kind != '"' || item.text == "" {
			return nil, fmt.Errorf("[%d] must be a string that is not empty", i)
		}
		list = append(list, item.text)
	}
	return list, nil
}
