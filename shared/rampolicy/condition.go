package rampolicy

import (
	"errors"
	"fmt"
	"strings"
)

// condition is one operator, one key and its values. All conditions of a statement must
// hold; one matching value suffices.
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

// values is list for the values of a condition, which may also be empty strings, and
// numbers and booleans without quotes.
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

// holds evaluates the condition in a context. Operators are those of
// https://www.alibabacloud.com/help/en/ram/conditional-operator; those for numbers, dates
// and addresses are not evaluated. The answer is maybe for a key that the context lacks or
// has empty, for values of the context that disagree, and for a value with wildcards that
// matches in part.
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
	all, some := yes, no
	for _, value := range known {
		t := c.matches(compare, value)
		all, some = min(all, t), max(some, t)
	}
	switch {
	case all != some:
		return maybe
	case negated:
		return yes - all
	}
	return all
}

func (c condition) matches(compare func(want, got string) truth, got string) truth {
	t := no
	for _, want := range c.values {
		t = max(t, compare(want, got))
	}
	return t
}

// comparison returns the comparison of an operator, without its negation, or nil.
func comparison(operator string) func(want, got string) truth {
	switch operator {
	case "StringEquals":
		return equals
	case "StringEqualsIgnoreCase", "Bool":
		return func(want, got string) truth { return equals(strings.ToLower(want), strings.ToLower(got)) }
	case "StringLike":
		return func(want, got string) truth {
			switch {
			case covers(want, got):
				return yes
			case overlaps(want, got):
				return maybe
			}
			return no
		}
	default:
		return nil
	}
}

func equals(want, got string) truth {
	if strings.ContainsAny(got, "*?") && overlaps(want, got) {
		return maybe
	}
	return is(want == got)
}
