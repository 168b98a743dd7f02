package ecs

import (
	"fmt"
	"sync"
	"sync/atomic"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// Roles is what ECS asks RAM.
type Roles interface {
	// RoleVisible says whether ECS can already see the role, which takes RAM
	// some seconds, and whether the role trusts ecs.aliyuncs.com.
	RoleVisible(account, name string) (exists, trustsECS bool)
}

// Keys is what ECS asks KMS. It is asked with the world's mutex held.
type Keys interface {
	// Enabled says whether the account has KMS switched on.
	Enabled(account, region string) bool
	// Key says whether there is such a customer master key, and whether it is
	// enabled.
	Key(account, region, id string) (found, enabled bool)
}

// Service is ECS in all accounts and regions of a world.
type Service struct {
	w            *simcloud.World
	roles        Roles
	keys         Keys
	spaces       map[where]*space
	public       simcloud.Table[image]
	hideRoleless bool
	security     Security
	access       Access
	events       atomic.Uint64
}

// where is an account and one of its regions.
type where struct{ account, region string }

// space is what an account has in a region. Every one starts with vpc-local,
// vsw-local and sg-local.
type space struct {
	where
	instances simcloud.Table[instance]
	disks     simcloud.Table[disk]
	images    simcloud.Table[image]
	snapshots simcloud.Table[snapshot]
	templates simcloud.Table[template]
	commands  simcloud.Table[command]
	// invocations are the last 10,000.
	invocations simcloud.Table[invocation]
	load        map[string]*load    // by instance: what Cloud Assistant did there
	numbers     uint32              // instances so far, for their addresses
	done        map[string]answered // by action and client token
}

// New returns ECS with the start world in every account and region of w: one
// network, the public images, no instances.
func New(w *simcloud.World, roles Roles, keys Keys) *Service {
	s := &Service{w: w, roles: roles, keys: keys, spaces: map[where]*space{}, security: noSecurity{}, access: open{}}
	for _, a := range w.Accounts {
		for _, r := range w.Regions {
			at := where{a, r}
			s.spaces[at] = &space{where: at, done: map[string]answered{}, load: map[string]*load{}}
		}
	}
	for _, img := range publicImages {
		s.public.Put(img.id, &img)
	}
	return s
}

// space returns what the caller has in the call's region. The spaces are fixed
// when the world is made, so no mutex is needed.
func (s *Service) space(c *wire.Call) (*space, error) {
	sp := s.spaces[where{c.Caller.Account, c.Region}]
	if sp == nil {
		// 404 InvalidRegionId.NotFound: error tables of most ECS APIs.
		return nil, wire.Errorf(404, "InvalidRegionId.NotFound", "The RegionId provided does not exist in our records.")
	}
	return sp, nil
}

// at is space for an API of [rights].
func (s *Service) at(c *wire.Call) *space { return s.spaces[where{c.Caller.Account, c.Region}] }

// rights are what RAM is asked about by APIs of a region, as far as the parameters say
// it as they stand. The other APIs ask, and look for their region, in their methods.
var rights = map[string][]string{
	"CopyImage":                    {prefix + "image/*"},
	"CreateCommand":                {prefix + "command/*"},
	"DeleteCommand":                {prefix + "command/$CommandId"},
	"DescribeCloudAssistantStatus": {prefix + "instance/*"},
	"DescribeCommands":             {prefix + "command/*"},
	"DescribeDisks":                {prefix + "disk/*"},
	"DescribeImageSharePermission": {prefix + "image/$ImageId"}, // documented
	"DescribeImages":               {prefix + "image/*"},
	"DescribeInstances":            {prefix + "instance/*"},
	"DescribeInvocations":          {prefix + "instance/*", prefix + "command/*"}, // assumed
	"DescribeSnapshots":            {prefix + "snapshot/*"},                       // documented
	"ListTagResources":             {prefix + "$ResourceType/*"},
	"ModifyImageSharePermission":   {prefix + "image/$ImageId"}, // documented
}

const prefix = "acs:ecs:$Region:$Account:"

// Enter implements wire.Guarded.
func (s *Service) Enter(c *wire.Call) (sync.Locker, error) {
	asked, regional := rights[c.Action]
	err := c.Ask("ecs:"+c.Action, asked...)
	if err == nil && regional {
		_, err = s.space(c)
	}
	return s.w, err
}

// instance finds an instance of the caller. Some APIs have no RegionId: in the
// cloud the endpoint's region counts, but one address serves all regions here,
// so those look in all of the account's regions (assumed). The caller holds the
// mutex.
func (s *Service) instance(c *wire.Call, id string) (*space, *instance, error) {
	regions := s.w.Regions
	if c.Params["RegionId"] != "" {
		regions = []string{c.Region}
	}
	if m, ok := s.find(c.Caller.Account, regions, id); ok {
		return m.sp, m.i, nil
	}
	return nil, nil, noInstance(id)
}

// find finds an instance of an account in some regions. The caller holds the mutex.
func (s *Service) find(account string, regions []string, id string) (Machine, bool) {
	for _, r := range regions {
		if sp := s.spaces[where{account, r}]; sp != nil && sp.instances.Get(id) != nil {
			return Machine{sp, sp.instances.Get(id)}, true
		}
	}
	return Machine{}, false
}

// noInstance is 404 InvalidInstanceId.NotFound: error tables of all APIs that
// take an instance id.
func noInstance(id string) error {
	return wire.Errorf(404, "InvalidInstanceId.NotFound", "The specified InstanceId does not exist: %s.", id)
}

// arn is a resource as RAM policies name it.
func arn(c *wire.Call, kind, id string) string {
	return fmt.Sprintf("acs:ecs:%s:%s:%s/%s", c.Region, c.Caller.Account, kind, id)
}

// allow asks RAM for an action of ECS on instances, or on all instances of the
// region where there are no ids. The documented resource is
// acs:ecs:<region>:<account>:instance/<id>; that the Describe calls are asked
// for instance/* even when they name ids is assumed.
func allow(c *wire.Call, ids ...string) error {
	if len(ids) == 0 {
		ids = []string{"*"}
	}
	arns := make([]string, len(ids))
	for i, id := range ids {
		arns[i] = arn(c, "instance", id)
	}
	return c.Allow("ecs:"+c.Action, arns...)
}
