package instancerole_test

import (
	"context"
	"fmt"
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

var here = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}

const (
	systrust = "AliyunECSInstanceForYundunSysTrustRole"
	ours     = "fleetwarden-systrust"
	theirs   = "AppRole"
)

// failure is an error as the cloud's clients return it.
type failure struct {
	class fleet.Class
	code  string
}

func (f failure) Error() string      { return f.class.String() + " " + f.code }
func (f failure) Class() fleet.Class { return f.class }
func (f failure) ErrorCode() string  { return f.code }
func (f failure) OfInstance() bool {
	return slices.Contains([]string{"InvalidInstanceId.NotFound", "InvalidNetworkType.MismatchRamRole", "IncorrectInstanceStatus"}, f.code)
}

var (
	lost      = failure{class: fleet.Lost}
	throttled = failure{fleet.Throttled, "Throttling.User"}
	denied    = failure{fleet.Denied, "NoPermission"}
)

// fault is what befalls one call: after says that the cloud did it nevertheless.
type fault struct {
	err   error
	after bool
}

// cloud is an account's RAM and ECS in memory.
type cloud struct {
	roles     map[string]*fleet.Role
	policies  map[string]string // documents
	instances map[string]string // the role of each instance
	// faults are taken in order, by API; a zero fault lets a call through.
	faults map[string][]fault
	// unseen says for how many calls ECS does not see a role yet.
	unseen map[string]int
	// hidden says for how many reads RAM does not show a role's policies yet.
	hidden map[string]int
	// refuses answers HTTP 200 with a failure for one instance; silent leaves it
	// out of the answer and does nothing; stale shows the role of before.
	refuses map[string]error
	silent  map[string]bool
	stale   map[string]string
	// between runs before each call that changes instances.
	between func(api string)

	calls map[string]int
	read  []string // instances whose role was read
	did   []string // each change of the world
}

func newCloud() *cloud {
	return &cloud{
		roles: map[string]*fleet.Role{}, policies: map[string]string{"AliyunSysTrustFullAccess": rampolicy.SysTrustPolicy()},
		instances: map[string]string{}, faults: map[string][]fault{}, unseen: map[string]int{}, hidden: map[string]int{},
		refuses: map[string]error{}, silent: map[string]bool{}, stale: map[string]string{}, calls: map[string]int{},
	}
}

// role puts a role into the cloud that ECS may assume.
func (c *cloud) role(name string, policies ...fleet.Policy) {
	c.roles[name] = &fleet.Role{Name: name, Trust: rampolicy.ECSTrust(), Policies: policies}
}

// ready is a cloud with the systrust role and instances without one.
func ready(instances ...string) *cloud {
	c := newCloud()
	c.policies[ours] = rampolicy.SysTrustPolicy()
	c.role(systrust, fleet.Policy{Name: ours, Type: fleet.CustomPolicy})
	for _, id := range instances {
		c.instances[id] = ""
	}
	return c
}

// call counts a call and takes its fault: what to do is done unless the fault
// comes before it.
func (c *cloud) call(api string, do func() error) error {
	c.calls[api]++
	var f fault
	if q := c.faults[api]; len(q) > 0 {
		f, c.faults[api] = q[0], q[1:]
	}
	if f.err != nil && !f.after {
		return f.err
	}
	if err := do(); err != nil {
		return err
	}
	return f.err
}

func (c *cloud) note(format string, args ...any) { c.did = append(c.did, fmt.Sprintf(format, args...)) }

func (c *cloud) CreateRole(_ context.Context, name, trust, _ string) error {
	return c.call("CreateRole", func() error {
		if c.roles[name] != nil {
			return failure{fleet.Exists, "EntityAlreadyExists.Role"}
		}
		c.roles[name] = &fleet.Role{Name: name, Trust: trust}
		c.note("create role %s", name)
		return nil
	})
}

func (c *cloud) CreatePolicy(_ context.Context, name, document, _ string) error {
	return c.call("CreatePolicy", func() error {
		if _, ok := c.policies[name]; ok {
			return failure{fleet.Exists, "EntityAlreadyExists.Policy"}
		}
		c.policies[name] = document
		c.note("create policy %s", name)
		return nil
	})
}

func (c *cloud) AttachPolicy(_ context.Context, role string, p fleet.Policy) error {
	return c.call("AttachPolicy", func() error {
		r := c.roles[role]
		switch {
		case r == nil:
			return failure{fleet.NotFound, "EntityNotExist.Role"}
		case c.policies[p.Name] == "" || (p.Name == "AliyunSysTrustFullAccess") != (p.Type == fleet.SystemPolicy):
			return failure{fleet.NotFound, "EntityNotExist.Policy"}
		case slices.ContainsFunc(r.Policies, func(have fleet.Policy) bool { return have.Name == p.Name }):
			return failure{fleet.Exists, "EntityAlreadyExists.Role.Policy"}
		}
		r.Policies = append(r.Policies, p)
		c.note("attach policy %s to %s", p.Name, role)
		return nil
	})
}

func (c *cloud) Policy(_ context.Context, p fleet.Policy) (document string, err error) {
	err = c.call("Policy", func() error {
		document = c.policies[p.Name]
		if document == "" {
			return failure{fleet.NotFound, "EntityNotExist.Policy"}
		}
		return nil
	})
	return document, err
}

func (c *cloud) Role(_ context.Context, name string) (role fleet.Role, err error) {
	err = c.call("Role", func() error {
		r := c.roles[name]
		if r == nil {
			role = fleet.Role{Name: name, Missing: true}
			return nil
		}
		role = *r
		role.Policies = nil
		if c.hidden[name] > 0 {
			c.hidden[name]--
			return nil
		}
		for _, p := range r.Policies {
			p.Document = c.policies[p.Name]
			role.Policies = append(role.Policies, p)
		}
		return nil
	})
	return role, err
}

func (c *cloud) RoleNames(_ context.Context, _ fleet.Region, ids []string) (map[string]string, error) {
	out := map[string]string{}
	c.read = append(c.read, ids...)
	err := c.call("RoleNames", func() error {
		for _, id := range ids {
			if before, ok := c.stale[id]; ok {
				out[id] = before
			} else if name, ok := c.instances[id]; ok {
				out[id] = name
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *cloud) AttachRole(ctx context.Context, _ fleet.Region, role string, ids []string) (map[string]fleet.BatchAnswer, error) {
	return c.instancesCall(ctx, "AttachRole", role, ids, func(id string) error {
		if c.instances[id] != "" {
			return failure{fleet.Invalid, "InstanceHasRole"} // its real code is not published
		}
		c.instances[id] = role
		c.note("attach %s to %s", role, id)
		return nil
	})
}

func (c *cloud) DetachRole(ctx context.Context, _ fleet.Region, role string, ids []string) (map[string]fleet.BatchAnswer, error) {
	return c.instancesCall(ctx, "DetachRole", role, ids, func(id string) error {
		if c.instances[id] != role {
			return failure{fleet.Invalid, "InstanceHasAnotherRole"}
		}
		c.instances[id] = ""
		c.note("detach %s from %s", role, id)
		return nil
	})
}

// instancesCall is a batch call, of which nothing is done when its context has ended: one unknown id fails it whole, other failures
// stand at their instance.
func (c *cloud) instancesCall(ctx context.Context, api, role string, ids []string, do func(id string) error) (map[string]fleet.BatchAnswer, error) {
	if len(ids) > fleet.MaxBatch {
		return nil, failure{fleet.Invalid, "InvalidInstanceIds.Malformed"}
	}
	if c.between != nil {
		c.between(api)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := map[string]fleet.BatchAnswer{}
	err := c.call(api, func() error {
		if c.roles[role] == nil || c.unseen[role] > 0 {
			c.unseen[role]--
			return failure{fleet.NotFound, "InvalidRamRole.NotFound"}
		}
		for _, id := range ids {
			if _, ok := c.instances[id]; !ok {
				return failure{fleet.NotFound, "InvalidInstanceId.NotFound"}
			}
		}
		for _, id := range ids {
			if c.silent[id] {
				continue
			}
			err := c.refuses[api+" "+id]
			if err == nil {
				err = do(id)
			}
			out[id] = fleet.BatchAnswer{RequestID: "q-" + id, Err: err}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
