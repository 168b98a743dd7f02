package ram

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// State is all roles and custom policies in a fixed order, without times and
// ids: equal states mean equal rights.
func (r *RAM) State() any {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := []string{}
	for _, id := range slices.Sorted(maps.Keys(r.accounts)) {
		a := r.accounts[id]
		for _, name := range slices.Sorted(maps.Keys(a.roles)) {
			out = append(out, id+" "+a.roles[name].line())
		}
		for _, name := range slices.Sorted(maps.Keys(a.policies)) {
			if p := a.policies[name]; p.kind == "Custom" {
				out = append(out, id+" "+p.line())
			}
		}
	}
	return out
}

func (x *role) line() string {
	var names []string
	for _, a := range x.attached {
		names = append(names, policyKey(a.policy.kind, a.policy.name))
	}
	slices.Sort(names)
	return fmt.Sprintf("role %s trust=%s max=%d policies=%s tags=%s", x.name, x.trust, x.maxSession, strings.Join(names, ","), tagLine(x.tags))
}

func (p *policy) line() string {
	var versions []string
	for _, v := range p.versions {
		versions = append(versions, fmt.Sprintf("%s default=%t %s", v.id, v.isDefault, v.text))
	}
	return fmt.Sprintf("policy %s %s tags=%s", p.name, strings.Join(versions, "; "), tagLine(p.tags))
}

func tagLine(tags map[string]string) string {
	var out []string
	for k, v := range tags {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}
