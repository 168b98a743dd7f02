package rampolicy

import (
	"errors"
	"fmt"
	"strings"
)

// condition is one operator, one key and its values. All conditions of a
// statement must hold; of the values of one, any may.
type condition struct {
	operator string
	key      string
	values   []string
}

func parseConditions(n node) ([]condition, error) {
	if n.kind != '{' {
		return nil, errors.New("must be an object")
	}
	var conditions []condition
	for i, operator := range n.names {
		keys := n.items[i]
		if keys.kind != '{' || len(keys.items) == 0 {
			return nil, fmt.Errorf("%s: must be an object that is not empty", operator)
		}
		for j, key := range keys.names {
			values, err := keys.items[j].values()
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", operator, key, err)
			}
			conditions = append(conditions, condition{operator, key, values})
		}
	}
	return conditions, nil
}

// values is list for the values of a condition, which may also be numbers and
// booleans without quotes, and empty strings.
func (n node) values() ([]string, error) {
	if n.kind != '[' {
		n = node{kind: '[', items: []node{n}}
	}
	if len(n.items) == 0 {
		return nil, errors.New("is empty")
	}
	values := make([]string, 0, len(n.items))
	for i, item := range n.items {
		switch {
		case item.kind == '"':
			values = append(values, item.text)
		case item.kind == 0 && item.raw != "null":
			values = append(values, item.raw)
		default:
			return nil, fmt.Errorf("[%d] must be a string, a number or a boolean", i)
		}
	}
	return values, nil
}

// holds judges the condition in a context. Operators are those of
// https://www.alibabacloud.com/help/en/ram/conditional-operator; the ones for
// numbers, dates and addresses are not judged. A key that the context does not
// hold, or holds as empty, or whose values disagree, leaves it open.
func (c condition) holds(context map[string][]string) truth {
	name, negated := strings.CutPrefix(c.operator, "StringNot")
	if negated {
		name = "String" + name
	}
	compare := comparison(name)
	known := context[c.key]
	if compare == nil || len(known) == 0 {
		return maybe
	}
	matched := 0
	for _, value := range known {
		if strings.Contains(value, "*") {
			return maybe // covers reads it as a wildcard
		}
		if c.matches(compare, value) {
			matched++
		}
	}
	switch matched {
	case len(known):
		return is(!negated)
	case 0:
		return is(negated)
	default:
		return maybe
	}
}

func (c condition) matches(compare func(want, got string) bool, got string) bool {
	for _, want := range c.values {
		if compare(want, got) {
			return true
		}
	}
	return false
}

// comparison returns the comparison behind an operator without its negation,
// or nil.
func comparison(operator string) func(want, got string) bool {
	switch operator {
	case "StringEquals":
		return func(want, got string) bool { return want == got }
	case "StringEqualsIgnoreCase", "Bool":
		return strings.EqualFold
	case "StringLike":
		return covers
	default:
		return nil
	}
}
