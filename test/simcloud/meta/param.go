package meta

import (
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
