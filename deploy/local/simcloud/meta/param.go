package meta

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// MaxIndex is the largest N that is accepted in Name.N.
const MaxIndex = 1000

// TypeOf returns the type of a parameter as it came on the wire, such as
// Tag.1.Key or SystemDisk.Category, and whether the action takes it.
func (a *Action) TypeOf(wire string) (string, bool) {
	if p, ok := find(a.Params, wire); ok {
		return leaf(p)
	}
	// The gateway takes these for every action.
	switch wire {
	case "RegionId", "OwnerId", "OwnerAccount", "ResourceOwnerId", "ResourceOwnerAccount":
		return "String", true
	}
	return within(a.Params, wire)
}

// leaf is the type of a parameter given by its bare name. A list given without
// an index comes as JSON text: the SDKs send RAM's tags that way.
func leaf(p *Param) (string, bool) {
	switch p.Type {
	case "RepeatList", "Struct":
		return "", false
	case "Array":
		return "Json", true
	}
	return p.Type, true
}

func within(params []Param, wire string) (string, bool) {
	head, rest, dotted := strings.Cut(wire, ".")
	p, ok := find(params, head)
	if !ok || !dotted {
		return "", false
	}
	switch p.Type {
	case "Struct":
		return below(p, rest)
	case "RepeatList", "Array", "Json":
		index, rest, deeper := strings.Cut(rest, ".")
		if !isIndex(index) {
			return "", false
		}
		if !deeper {
			return "String", len(p.Sub) == 0
		}
		return below(p, rest)
	}
	return "", false
}

// below looks rest up among p's members. The metadata leaves out the members of
// some structures; there, any is taken.
func below(p *Param, rest string) (string, bool) {
	if rest == "" {
		return "", false
	}
	if len(p.Sub) == 0 {
		return "String", true
	}
	if q, ok := find(p.Sub, rest); ok {
		return leaf(q)
	}
	return within(p.Sub, rest)
}

func find(params []Param, name string) (*Param, bool) {
	for i := range params {
		if params[i].Name == name {
			return &params[i], true
		}
	}
	return nil, false
}

func isIndex(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && n <= MaxIndex && s[0] != '0' && s[0] != '+'
}

// Missing returns the first required parameter that is absent or empty, or "".
func (a *Action) Missing(params map[string]string) string {
	for i := range a.Params {
		p := &a.Params[i]
		if p.Required && !present(p.Name, params) {
			return p.Name
		}
	}
	return ""
}

func present(name string, params map[string]string) bool {
	if params[name] != "" {
		return true
	}
	for k := range params {
		if strings.HasPrefix(k, name+".") {
			return true
		}
	}
	return false
}

// Valid reports whether v can be of a type; an empty value is of each.
func Valid(typ, v string) bool {
	if v == "" {
		return true
	}
	var err error
	switch typ {
	case "Integer":
		_, err = strconv.ParseInt(v, 10, 32)
	case "Long":
		_, err = strconv.ParseInt(v, 10, 64)
	case "Float":
		_, err = strconv.ParseFloat(v, 64)
	case "Boolean":
		return strings.EqualFold(v, "true") || strings.EqualFold(v, "false")
	case "Json":
		return json.Valid([]byte(v))
	}
	return err == nil
}

// Departs lists in which ways parameters are not as published: unknown, mistyped, missing
// or withdrawn ones, in order of their names. It quotes no value.
func (a *Action) Departs(params map[string]string) (out []string) {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		typ, known := a.TypeOf(name)
		q, _ := find(a.Params, name)
		switch {
		case !known:
			out = append(out, "unknown parameter "+name)
		case !Valid(typ, params[name]):
			out = append(out, fmt.Sprintf("parameter %s is not of type %s", name, typ))
		case q != nil && q.Withdrawn:
			out = append(out, "withdrawn parameter "+name)
		}
	}
	if name := a.Missing(params); name != "" {
		out = append(out, "missing parameter "+name)
	}
	return out
}
