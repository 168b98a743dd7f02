package rampolicy

import (
	"errors"
	"fmt"
)

// Document is a parsed RAM policy. In a list of documents, nil is an attached policy that
// could not be read or parsed: it may allow or deny anything.
type Document struct {
	statements []*statement
}

// statement is one statement of a policy or of a trust document.
type statement struct {
	deny        bool
	actions     []string // lower case
	notAction   bool
	resources   []string // empty in a trust document
	notResource bool
	conditions  []condition
	principals  []principal // trust documents only
	// strange names what this package cannot evaluate; the statement may or may
	// not apply.
	strange string
	raw     string
}

type principal struct {
	kind string // Service, RAM, Federated; empty for a bare string
	id   string
}

// Parse reads a RAM policy: Version "1", Statement an object or an array, each with Effect,
// one of Action and NotAction, one of Resource and NotResource, and optionally Condition. A
// single string may replace a list. The error names the position. An element of another
// name, and a variable (${…}), make their statement [Unsure], since they may narrow it.
func Parse(doc string) (*Document, error) {
	statements, err := parse(doc, (*statement).checkPolicy)
	if err != nil {
		return nil, fmt.Errorf("parsing policy: %w", err)
	}
	return &Document{statements}, nil
}

func (s *statement) checkPolicy() error {
	if len(s.resources) == 0 {
		return errors.New("neither Resource nor NotResource")
	}
	if len(s.principals) > 0 {
		return errors.New("a Principal belongs in a trust document")
	}
	return nil
}

// parse reads the statements of a document and checks each.
func parse(doc string, check func(*statement) error) ([]*statement, error) {
	top, err := readJSON(doc)
	if err != nil {
		return nil, err
	}
	if top.kind != '{' {
		return nil, errors.New("must be an object")
	}
	var version string
	var list *node
	for i, name := range top.names {
		switch name {
		case "Version":
			version = top.items[i].text
		case "Statement":
			list = &top.items[i]
		default:
			return nil, fmt.Errorf("unknown element %q", name)
		}
	}
	if version != "1" {
		return nil, errors.New(`Version must be "1"`)
	}
	if list == nil {
		return nil, errors.New("no Statement")
	}
	return parseStatements(*list, check)
}

func parseStatements(n node, check func(*statement) error) ([]*statement, error) {
	if n.kind == '{' {
		n = node{kind: '[', items: []node{n}}
	}
	if n.kind != '[' {
		return nil, errors.New("Statement must be an object or an array")
	}
	statements := make([]*statement, len(n.items))
	for i, item := range n.items {
		s := &statement{}
		err := s.parse(item)
		if err == nil {
			err = check(s)
		}
		if err != nil {
			return nil, fmt.Errorf("Statement[%d]: %w", i, err)
		}
		statements[i] = s
	}
	return statements, nil
}

func (s *statement) parse(n node) error {
	if n.kind != '{' {
		return errors.New("must be an object")
	}
	s.raw = n.raw
	if n.variable {
		s.strange = "a variable"
	}
	effect := ""
	for i, name := range n.names {
		if name == "Effect" {
			effect = n.items[i].text
			continue
		}
		if err := s.element(name, n.items[i]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if effect != "Allow" && effect != "Deny" {
		return errors.New("Effect must be Allow or Deny")
	}
	if len(s.actions) == 0 {
		return errors.New("neither Action nor NotAction")
	}
	s.deny = effect == "Deny"
	return nil
}

func (s *statement) element(name string, n node) (err error) {
	switch name {
	case "Action", "NotAction":
		if len(s.actions) > 0 {
			return errors.New("both Action and NotAction")
		}
		s.notAction = name == "NotAction"
		s.actions, err = n.list()
		for i := range s.actions {
			s.actions[i] = lower(s.actions[i])
		}
	case "Resource", "NotResource":
		if len(s.resources) > 0 {
			return errors.New("both Resource and NotResource")
		}
		s.notResource = name == "NotResource"
		s.resources, err = n.list()
	case "Condition":
		s.conditions, err = parseConditions(n)
	case "Principal":
		s.principals, err = parsePrincipals(n)
		if n.kind == '"' {
			s.strange = "a Principal without a kind"
		}
	default:
		s.strange = "the element " + name
	}
	return err
}

func parsePrincipals(n node) ([]principal, error) {
	if n.kind == '"' {
		return []principal{{"", n.text}}, nil
	}
	if n.kind != '{' || len(n.items) == 0 {
		return nil, errors.New("must be an object that is not empty")
	}
	var principals []principal
	for i, kind := range n.names {
		ids, err := n.items[i].list()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		for _, id := range ids {
			principals = append(principals, principal{kind, id})
		}
	}
	return principals, nil
}
