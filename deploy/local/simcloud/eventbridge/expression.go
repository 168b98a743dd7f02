package eventbridge

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
)

// parseExpression reads one element of a leaf: a value to be equal to, or an
// object with one operator.
func parseExpression(x any) (expression, error) {
	object, ok := x.(map[string]any)
	if !ok {
		return parseExact(x)
	}
	if len(object) != 1 {
		return nil, fmt.Errorf("an expression has %d operators, allowed is 1", len(object))
	}
	for operator, arg := range object {
		test, err := parseOperator(operator, arg)
		if err != nil {
			return nil, fmt.Errorf("operator %s: %w", operator, err)
		}
		return test, nil
	}
	return nil, fmt.Errorf("an expression without an operator")
}

func parseOperator(operator string, arg any) (expression, error) {
	switch operator {
	case "prefix":
		return onText(arg, strings.HasPrefix)
	case "suffix":
		return onText(arg, strings.HasSuffix)
	case "contains":
		return onText(arg, strings.Contains)
	case "anything-but":
		return parseAnythingBut(arg)
	case "numeric":
		return parseNumeric(arg)
	case "cidr":
		return parseCIDR(arg)
	case "exists":
		want, ok := arg.(bool)
		if !ok {
			return nil, fmt.Errorf("want true or false, not %v", arg)
		}
		return func(_ any, present bool) bool { return present == want }, nil
	}
	return nil, fmt.Errorf("no such operator")
}

// parseExact compares by JSON type and value; a null matches a present null
// only, never a missing field.
func parseExact(want any) (expression, error) {
	if _, ok := want.([]any); ok {
		return nil, fmt.Errorf("an array within the array of expressions")
	}
	if n, ok := want.(json.Number); ok {
		r, err := rational(n)
		if err != nil {
			return nil, err
		}
		return func(v any, _ bool) bool {
			n, ok := v.(json.Number)
			if !ok {
				return false
			}
			got, err := rational(n)
			return err == nil && got.Cmp(r) == 0
		}, nil
	}
	return func(v any, present bool) bool {
		switch v.(type) {
		case map[string]any, []any:
			return false
		}
		return present && v == want
	}, nil
}

func onText(arg any, test func(s, arg string) bool) (expression, error) {
	want, ok := arg.(string)
	if !ok {
		return nil, fmt.Errorf("want a string, not %v", arg)
	}
	return func(v any, _ bool) bool {
		s, ok := v.(string)
		return ok && test(s, want)
	}, nil
}

// parseAnythingBut takes a value, a list of values or {"prefix": …}. A missing
// field is not anything.
func parseAnythingBut(arg any) (expression, error) {
	list, ok := arg.([]any)
	if !ok {
		list = []any{arg}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("want at least one value")
	}
	var not []expression
	for _, x := range list {
		test, err := parseExcluded(x)
		if err != nil {
			return nil, err
		}
		not = append(not, test)
	}
	return func(v any, present bool) bool {
		for _, test := range not {
			if test(v, present) {
				return false
			}
		}
		return present
	}, nil
}

func parseExcluded(x any) (expression, error) {
	switch x := x.(type) {
	case string, json.Number:
		return parseExact(x)
	case map[string]any:
		if prefix, ok := x["prefix"]; ok && len(x) == 1 {
			return onText(prefix, strings.HasPrefix)
		}
	}
	return nil, fmt.Errorf("want strings, numbers or a prefix, not %v", x)
}

// parseNumeric takes pairs of a comparison and a number, all of which must hold.
func parseNumeric(arg any) (expression, error) {
	list, _ := arg.([]any)
	if len(list) == 0 || len(list)%2 != 0 {
		return nil, fmt.Errorf("want pairs of a comparison and a number, not %v", arg)
	}
	var all []func(*big.Rat) bool
	for i := 0; i < len(list); i += 2 {
		test, err := parseComparison(list[i], list[i+1])
		if err != nil {
			return nil, err
		}
		all = append(all, test)
	}
	return func(v any, _ bool) bool {
		n, ok := v.(json.Number)
		if !ok {
			return false
		}
		r, err := rational(n)
		for _, test := range all {
			if err != nil || !test(r) {
				return false
			}
		}
		return true
	}, nil
}

func parseComparison(sign, limit any) (func(*big.Rat) bool, error) {
	n, ok := limit.(json.Number)
	if !ok {
		return nil, fmt.Errorf("%v is not a number", limit)
	}
	than, err := rational(n)
	if err != nil {
		return nil, err
	}
	holds, ok := map[any]func(cmp int) bool{
		"=":  func(c int) bool { return c == 0 },
		"!=": func(c int) bool { return c != 0 },
		"<":  func(c int) bool { return c < 0 },
		"<=": func(c int) bool { return c <= 0 },
		">":  func(c int) bool { return c > 0 },
		">=": func(c int) bool { return c >= 0 },
	}[textOf(sign)]
	if !ok {
		return nil, fmt.Errorf("%v is not a comparison", sign)
	}
	return func(r *big.Rat) bool { return holds(r.Cmp(than)) }, nil
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

// rational is exact. Exponents are bounded, because 1e999999999 would be a
// number of a gigabyte.
func rational(n json.Number) (*big.Rat, error) {
	f, err := n.Float64()
	if err != nil || f != 0 && (f < 1e-300 && f > -1e-300) || len(n) > 400 {
		return nil, fmt.Errorf("the number %.40s is out of range", n)
	}
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return nil, fmt.Errorf("%.40s is not a number", n)
	}
	return r, nil
}

func parseCIDR(arg any) (expression, error) {
	prefix, err := netip.ParsePrefix(textOf(arg))
	if err != nil || !prefix.Addr().Is4() {
		return nil, fmt.Errorf("want an IPv4 block, not %v", arg)
	}
	return func(v any, _ bool) bool {
		addr, err := netip.ParseAddr(textOf(v))
		return err == nil && prefix.Contains(addr)
	}, nil
}
