package ram

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// effect is what documents say together about one request.
type effect int

const (
	silent effect = iota // no statement fits: denied
	allowed
	refused // an explicit Deny fits
)

// ask is one question to a policy.
type ask struct {
	action   string
	resource string
	keys     map[string]string // condition keys
}

// evaluate says what the documents say together: an explicit Deny wins over any
// Allow, and nothing allowed is denied.
func evaluate(docs []*document, q ask) effect {
	out := silent
	for _, d := range docs {
		for i := range d.Statement {
			s := &d.Statement[i]
			if !s.fits(q) {
				continue
			}
			if s.Effect == "Deny" {
				return refused
			}
			out = allowed
		}
	}
	return out
}

func (s *statement) fits(q ask) bool {
	if len(s.NotAction) > 0 {
		if anyAction(s.NotAction, q.action) {
			return false
		}
	} else if !anyAction(s.Action, q.action) {
		return false
	}
	if len(s.NotResource) > 0 {
		if anyResource(s.NotResource, q.resource) {
			return false
		}
	} else if !anyResource(s.Resource, q.resource) {
		return false
	}
	return s.conditionsHold(q.keys)
}

// trusts reports whether a trust document lets the principal assume the role.
// kind is Service, RAM or Federated.
func (d *document) trusts(kind, principal string, keys map[string]string) bool {
	out := false
	for i := range d.Statement {
		s := &d.Statement[i]
		acts := anyAction(s.Action, "sts:AssumeRole")
		if len(s.NotAction) > 0 {
			acts = !anyAction(s.NotAction, "sts:AssumeRole")
		}
		fits := acts &&
			slices.ContainsFunc(s.Principal[kind], func(p string) bool { return like(p, principal) }) &&
			s.conditionsHold(keys)
		if fits && s.Effect == "Deny" {
			return false
		}
		out = out || fits
	}
	return out
}

// anyAction compares action codes without regard to case.
func anyAction(patterns words, action string) bool {
	action = strings.ToLower(action)
	return slices.ContainsFunc(patterns, func(p string) bool { return like(strings.ToLower(p), action) })
}

// anyResource compares resource names. An empty region in a pattern, as ARNs of
// RAM have it (acs:ram::<account>:role/<name>), stands for any.
func anyResource(patterns words, resource string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if parts := strings.SplitN(p, ":", 4); len(parts) == 4 && parts[2] == "" {
			parts[2] = "*"
			p = strings.Join(parts, ":")
		}
		return like(p, resource)
	})
}

// like matches a pattern where * stands for any text and ? for one byte.
func like(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// conditionsHold: all operators and all keys must hold; of one key's values, one
// is enough.
func (s *statement) conditionsHold(keys map[string]string) bool {
	for name, wants := range s.Condition {
		op := operators[name]
		for key, values := range wants {
			got, present := lookupKey(keys, key)
			if !op.holds(got, present, values) {
				return false
			}
		}
	}
	return true
}

// lookupKey compares condition keys without regard to case.
func lookupKey(keys map[string]string, key string) (string, bool) {
	if v, ok := keys[key]; ok {
		return v, true
	}
	for k, v := range keys {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

// operator is a condition operator. A negated one holds when none of the values
// matches, and so also when the request does not have the key.
type operator struct {
	match  func(want, got string) bool
	negate bool
}

func (o operator) holds(got string, present bool, values words) bool {
	some := present && slices.ContainsFunc(values, func(w string) bool { return o.match(w, got) })
	return some != o.negate
}

// operators are the documented condition operators
// (https://www.alibabacloud.com/help/en/ram/conditional-operator). A document with
// another one is malformed, so none is ever ignored.
var operators = map[string]operator{
	"StringEquals":              {equal, false},
	"StringNotEquals":           {equal, true},
	"StringEqualsIgnoreCase":    {strings.EqualFold, false},
	"StringNotEqualsIgnoreCase": {strings.EqualFold, true},
	"StringLike":                {like, false},
	"StringNotLike":             {like, true},
	"Bool":                      {strings.EqualFold, false},
	"NumericEquals":             {numeric(func(g, w float64) bool { return g == w }), false},
	"NumericNotEquals":          {numeric(func(g, w float64) bool { return g == w }), true},
	"NumericLessThan":           {numeric(func(g, w float64) bool { return g < w }), false},
	"NumericLessThanEquals":     {numeric(func(g, w float64) bool { return g <= w }), false},
	"NumericGreaterThan":        {numeric(func(g, w float64) bool { return g > w }), false},
	"NumericGreaterThanEquals":  {numeric(func(g, w float64) bool { return g >= w }), false},
	"DateEquals":                {dated(func(g, w time.Time) bool { return g.Equal(w) }), false},
	"DateNotEquals":             {dated(func(g, w time.Time) bool { return g.Equal(w) }), true},
	"DateLessThan":              {dated(func(g, w time.Time) bool { return g.Before(w) }), false},
	"DateLessThanEquals":        {dated(func(g, w time.Time) bool { return !g.After(w) }), false},
	"DateGreaterThan":           {dated(func(g, w time.Time) bool { return g.After(w) }), false},
	"DateGreaterThanEquals":     {dated(func(g, w time.Time) bool { return !g.Before(w) }), false},
	"IpAddress":                 {inNetwork, false},
	"NotIpAddress":              {inNetwork, true},
}

func equal(want, got string) bool { return want == got }

func numeric(cmp func(got, want float64) bool) func(want, got string) bool {
	return func(want, got string) bool {
		w, err1 := strconv.ParseFloat(want, 64)
		g, err2 := strconv.ParseFloat(got, 64)
		return err1 == nil && err2 == nil && cmp(g, w)
	}
}

// dated compares times in ISO 8601, such as 2026-01-05T00:00:00Z.
func dated(cmp func(got, want time.Time) bool) func(want, got string) bool {
	return func(want, got string) bool {
		w, err1 := time.Parse(time.RFC3339, want)
		g, err2 := time.Parse(time.RFC3339, got)
		return err1 == nil && err2 == nil && cmp(g, w)
	}
}

func inNetwork(want, got string) bool {
	ip, err := netip.ParseAddr(got)
	if err != nil {
		return false
	}
	if network, err := netip.ParsePrefix(want); err == nil {
		return network.Contains(ip)
	}
	one, err := netip.ParseAddr(want)
	return err == nil && one == ip
}
