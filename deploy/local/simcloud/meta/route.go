package meta

import (
	"net/url"
	"slices"
	"strings"
)

// Rooted reports whether the API is addressed by its path.
func (a *Action) Rooted() bool { return a.Path != "" }

// takeBody sets the body of a rooted API apart from its parameters.
func (a *Action) takeBody() {
	if !a.Rooted() {
		return
	}
	a.Params = slices.DeleteFunc(a.Params, func(p Param) bool {
		if p.Position != "Body" {
			return false
		}
		a.Body = &p
		return true
	})
}

// Route returns the API at a path, which is escaped, with the parameters in it.
func (p *Product) Route(method, path string) (*Action, map[string]string, bool) {
	got := strings.Split(path, "/")
	for _, a := range p.Actions {
		if a.Rooted() && a.Method == method {
			if params, ok := match(strings.Split(a.Path, "/"), got); ok {
				return a, params, true
			}
		}
	}
	return nil, nil, false
}

// match compares a path with a pattern, in which [name] stands for one segment that is
// not empty.
func match(pattern, path []string) (map[string]string, bool) {
	if len(pattern) != len(path) {
		return nil, false
	}
	params := map[string]string{}
	for i, want := range pattern {
		name, variable := strings.CutPrefix(want, "[")
		if !variable {
			if want != path[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(path[i])
		if err != nil || value == "" {
			return nil, false
		}
		params[strings.TrimSuffix(name, "]")] = value
	}
	return params, true
}
