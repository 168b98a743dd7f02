package undo_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// failure is an error as the cloud's clients return it.
type failure struct{ class fleet.Class }

func (f failure) Error() string      { return f.class.String() }
func (f failure) Class() fleet.Class { return f.class }

// life is how long a process lives: it dies at a write, before it or right after.
type life struct {
	// left counts the writes before the one at which it dies; negative: it lives on.
	left  int
	after bool
	dead  bool
}

// write carries a write out, if the process gets so far.
func (l *life) write(do func() error) error {
	if err := l.read(); err != nil {
		return err
	}
	if l.left == 0 {
		l.dead = true
		if l.after {
			if err := do(); err != nil {
				return err
			}
		}
		return failure{fleet.Canceled}
	}
	l.left--
	return do()
}

func (l *life) read() error {
	if l.dead {
		return failure{fleet.Canceled}
	}
	return nil
}

// memory is a ledger's store.
type memory struct {
	*life
	objects map[string][]byte
}

func (m *memory) Put(_ context.Context, name string, body []byte) error {
	return m.write(func() error {
		if _, ok := m.objects[name]; ok {
			return failure{fleet.Exists}
		}
		m.objects[name] = slices.Clone(body)
		return nil
	})
}

func (m *memory) Get(_ context.Context, name string) ([]byte, error) {
	body, ok := m.objects[name]
	if !ok {
		return nil, failure{fleet.NotFound}
	}
	return body, m.read()
}

func (m *memory) List(_ context.Context, prefix, after string) (names []string, more bool, err error) {
	for _, name := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(name, prefix) && name > after {
			names = append(names, name)
		}
	}
	return names, false, m.read()
}

type machine struct {
	role, status string
	tags         map[string]string
}

// cloud is an account in memory.
type cloud struct {
	*life
	machines map[string]*machine
	roles    map[string]*fleet.Role
	tags     map[string]map[string]string // of roles
	policies map[string]string
	// fails counts how often an API's next calls are throttled.
	fails map[string]int
	wrote []string
}

func newCloud(l *life) *cloud {
	c := &cloud{life: l, machines: map[string]*machine{}, roles: map[string]*fleet.Role{}, tags: map[string]map[string]string{}, policies: map[string]string{}, fails: map[string]int{}}
	for _, name := range []string{systrust, fleet.ImageShareRole, fleet.SnapshotShareRole} {
		c.roles[name] = &fleet.Role{Name: name, Trust: trusting("1000000000000009")}
		c.tags[name] = map[string]string{}
	}
	return c
}

// do is one write.
func (c *cloud) do(api string, what func() error) error {
	if c.fails[api] > 0 {
		c.fails[api]--
		return failure{fleet.Throttled}
	}
	return c.write(func() error {
		c.wrote = append(c.wrote, api)
		return what()
	})
}

// state spells the world out.
func (c *cloud) state() map[string]string {
	out := map[string]string{}
	for id, m := range c.machines {
		out[id] = fmt.Sprint(m.role, " ", m.status, " ", m.tags)
	}
	for name, r := range c.roles {
		out[name] = fmt.Sprint(r.Trust, c.tags[name])
		for _, p := range r.Policies {
			out[name+" has "+p.Name] = "yes"
		}
	}
	maps.Copy(out, c.policies)
	return out
}

func (c *cloud) RoleNames(_ context.Context, _ fleet.Region, ids []string) (map[string]string, error) {
	out := map[string]string{}
	for _, id := range ids {
		if m := c.machines[id]; m != nil {
			out[id] = m.role
		}
	}
	return out, c.read()
}

func (c *cloud) Listings(_ context.Context, _ fleet.Region, ids []string) (map[string]fleet.Listing, error) {
	out := map[string]fleet.Listing{}
	for _, id := range ids {
		if m := c.machines[id]; m != nil {
			out[id] = fleet.Listing{Status: m.status, Tags: maps.Clone(m.tags)}
		}
	}
	return out, c.read()
}

// many is one call for several instances.
func (c *cloud) many(api string, ids []string, each func(*machine) error) (map[string]fleet.BatchAnswer, error) {
	out := map[string]fleet.BatchAnswer{}
	err := c.do(api, func() error {
		for _, id := range ids {
			m := c.machines[id]
			if m == nil {
				out[id] = fleet.BatchAnswer{Err: failure{fleet.NotFound}}
				continue
			}
			out[id] = fleet.BatchAnswer{RequestID: "r-" + id, Err: each(m)}
		}
		return nil
	})
	return out, err
}

func (c *cloud) AttachRole(_ context.Context, _ fleet.Region, role string, ids []string) (map[string]fleet.BatchAnswer, error) {
	return c.many("AttachRole", ids, func(m *machine) error {
		if m.role != "" {
			return failure{fleet.Invalid}
		}
		m.role = role
		return nil
	})
}

func (c *cloud) DetachRole(_ context.Context, _ fleet.Region, role string, ids []string) (map[string]fleet.BatchAnswer, error) {
	return c.many("DetachRole", ids, func(m *machine) error {
		if m.role != role {
			return failure{fleet.NotFound}
		}
		m.role = ""
		return nil
	})
}

func (c *cloud) Stop(_ context.Context, _ fleet.Region, ids []string) (map[string]fleet.BatchAnswer, error) {
	return c.many("Stop", ids, func(m *machine) error { m.status = "Stopped"; return nil })
}

func (c *cloud) Start(_ context.Context, _ fleet.Region, ids []string) (map[string]fleet.BatchAnswer, error) {
	return c.many("Start", ids, func(m *machine) error { m.status = "Running"; return nil })
}

func (c *cloud) Tag(_ context.Context, _ fleet.Region, key, value string, ids []string) error {
	_, err := c.many("Tag", ids, func(m *machine) error { m.tags[key] = value; return nil })
	return err
}

func (c *cloud) Untag(_ context.Context, _ fleet.Region, key string, ids []string) error {
	_, err := c.many("Untag", ids, func(m *machine) error { delete(m.tags, key); return nil })
	return err
}

func (c *cloud) Bare(_ context.Context, name string) (fleet.Role, error) {
	r := c.roles[name]
	if r == nil {
		return fleet.Role{Name: name, Missing: true}, c.read()
	}
	return fleet.Role{Name: name, Trust: r.Trust}, c.read()
}

func (c *cloud) Role(ctx context.Context, name string) (fleet.Role, error) {
	role, err := c.Bare(ctx, name)
	if r := c.roles[name]; r != nil {
		for _, p := range r.Policies {
			p.Document = c.policies[p.Name]
			role.Policies = append(role.Policies, p)
		}
	}
	return role, err
}

func (c *cloud) Policy(_ context.Context, p fleet.Policy) (string, error) {
	doc, ok := c.policies[p.Name]
	if !ok {
		return "", failure{fleet.NotFound}
	}
	return doc, c.read()
}

func (c *cloud) Fresh(ctx context.Context, p fleet.Policy) (string, error) { return c.Policy(ctx, p) }

func (c *cloud) RoleTags(_ context.Context, name string) (map[string]string, error) {
	return maps.Clone(c.tags[name]), c.read()
}

func (c *cloud) CreateRole(_ context.Context, name, trust, _ string) error {
	return c.do("CreateRole", func() error { c.roles[name] = &fleet.Role{Name: name, Trust: trust}; return nil })
}

func (c *cloud) SetTrust(_ context.Context, name, trust string) error {
	return c.do("SetTrust", func() error { c.roles[name].Trust = trust; return nil })
}

func (c *cloud) TagRole(_ context.Context, name, key, value string) error {
	return c.do("TagRole", func() error { c.tags[name][key] = value; return nil })
}

func (c *cloud) UntagRole(_ context.Context, name, key string) error {
	return c.do("UntagRole", func() error { delete(c.tags[name], key); return nil })
}

func (c *cloud) CreatePolicy(_ context.Context, name, document, _ string) error {
	return c.do("CreatePolicy", func() error {
		if _, ok := c.policies[name]; ok {
			return failure{fleet.Exists}
		}
		c.policies[name] = document
		return nil
	})
}

func (c *cloud) SetPolicy(_ context.Context, name, document string) error {
	return c.do("SetPolicy", func() error { c.policies[name] = document; return nil })
}

func (c *cloud) AttachPolicy(_ context.Context, role string, p fleet.Policy) error {
	return c.do("AttachPolicy", func() error {
		r := c.roles[role]
		if slices.ContainsFunc(r.Policies, func(x fleet.Policy) bool { return x.Name == p.Name }) {
			return failure{fleet.Exists}
		}
		r.Policies = append(r.Policies, p)
		return nil
	})
}

func (c *cloud) DetachPolicy(_ context.Context, role string, p fleet.Policy) error {
	return c.do("DetachPolicy", func() error {
		r := c.roles[role]
		had := len(r.Policies)
		r.Policies = slices.DeleteFunc(r.Policies, func(x fleet.Policy) bool { return x.Name == p.Name })
		if had == len(r.Policies) {
			return failure{fleet.NotFound}
		}
		return nil
	})
}
