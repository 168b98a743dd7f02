package sharerole_test

import (
	"context"
	"slices"

	"fleetwarden/shared/fleet"
)

// failure is an error as the cloud's clients return it.
type failure struct{ class fleet.Class }

func (f failure) Error() string      { return f.class.String() }
func (f failure) Class() fleet.Class { return f.class }

var (
	lost   = failure{fleet.Lost}
	denied = failure{fleet.Denied}
	exists = failure{fleet.Exists}
	absent = failure{fleet.NotFound}
)

// cloud is an account's RAM in memory. It writes documents with other white space than
// it was given.
type cloud struct {
	roles    map[string]*fleet.Role
	tags     map[string]map[string]string
	policies map[string]string
	// fails holds the error of an API's next call; a lost one is carried out.
	fails map[string]error
	// after runs once, right after the named API was served.
	after map[string]func()
	wrote []string
	// tagless drops the tags that roles are made with; deaf, those that are set as well.
	tagless, deaf bool
}

func newCloud() *cloud {
	return &cloud{roles: map[string]*fleet.Role{}, tags: map[string]map[string]string{}, policies: map[string]string{},
		fails: map[string]error{}, after: map[string]func(){}}
}

func (c *cloud) call(api string, write bool, do func() error) error {
	err := c.fails[api]
	delete(c.fails, api)
	if err == nil || fleet.ClassOf(err) == fleet.Lost {
		if derr := do(); derr != nil {
			return derr
		}
		if write {
			c.wrote = append(c.wrote, api)
		}
	}
	if f := c.after[api]; f != nil {
		delete(c.after, api)
		f()
	}
	return err
}

func (c *cloud) Bare(_ context.Context, name string) (role fleet.Role, err error) {
	err = c.call("Bare", false, func() error {
		role = fleet.Role{Name: name, Missing: true}
		if r := c.roles[name]; r != nil {
			role = *r
		}
		return nil
	})
	return role, err
}

func (c *cloud) Role(ctx context.Context, name string) (fleet.Role, error) { return c.Bare(ctx, name) }

func (c *cloud) RoleTags(_ context.Context, name string) (tags map[string]string, err error) {
	err = c.call("RoleTags", false, func() error { tags = c.tags[name]; return nil })
	return tags, err
}

func (c *cloud) CreateRole(_ context.Context, name, trust, _ string) error {
	return c.call("CreateRole", true, func() error {
		if c.roles[name] != nil {
			return exists
		}
		c.roles[name] = &fleet.Role{Name: name, Trust: trust}
		if !c.tagless {
			c.tags[name] = map[string]string{fleet.TagManaged: fleet.ManagedValue}
		}
		return nil
	})
}

func (c *cloud) SetTrust(_ context.Context, name, trust string) error {
	return c.call("SetTrust", true, func() error { c.roles[name].Trust = " " + trust; return nil })
}

func (c *cloud) TagRole(_ context.Context, name, key, value string) error {
	return c.call("TagRole", true, func() error {
		if !c.deaf {
			c.tags[name] = map[string]string{key: value}
		}
		return nil
	})
}

func (c *cloud) Fresh(_ context.Context, p fleet.Policy) (document string, err error) {
	err = c.call("Fresh", false, func() error {
		document = c.policies[p.Name]
		if document == "" {
			return absent
		}
		return nil
	})
	return document, err
}

func (c *cloud) CreatePolicy(_ context.Context, name, document, _ string) error {
	return c.call("CreatePolicy", true, func() error {
		if c.policies[name] != "" {
			return exists
		}
		c.policies[name] = document
		return nil
	})
}

func (c *cloud) SetPolicy(_ context.Context, name, document string) error {
	return c.call("SetPolicy", true, func() error { c.policies[name] = document; return nil })
}

func (c *cloud) AttachPolicy(_ context.Context, role string, p fleet.Policy) error {
	return c.call("AttachPolicy", true, func() error {
		r := c.roles[role]
		if r == nil {
			return absent
		}
		if slices.ContainsFunc(r.Policies, func(x fleet.Policy) bool { return x.Name == p.Name }) {
			return exists
		}
		r.Policies = append(r.Policies, p)
		return nil
	})
}

func (c *cloud) DetachPolicy(_ context.Context, role string, p fleet.Policy) error {
	return c.call("DetachPolicy", true, func() error {
		r := c.roles[role]
		n := len(r.Policies)
		r.Policies = slices.DeleteFunc(r.Policies, func(x fleet.Policy) bool { return x.Name == p.Name })
		if len(r.Policies) == n {
			return absent
		}
		return nil
	})
}
