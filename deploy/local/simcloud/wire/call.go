package wire

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// Identity is who signed a request.
type Identity struct {
	Account string
	// Type is Account, RAMUser or AssumedRoleUser, as GetCallerIdentity says it.
	Type string
	// Name is the user's or the role's name; "root" for the account itself.
	Name string
	// Session is the role session name; empty otherwise.
	Session string
	// Source is the session of the role that assumed this one; empty otherwise.
	Source      string
	PrincipalID string
	AccessKeyID string
	// SessionPolicy narrows an assumed role further; empty for none.
	SessionPolicy string
}

// Call is one RPC request after its signature, parameters and quota were
// checked. A product's method gets it together with its typed parameters.
type Call struct {
	Product   string // as in the action's RAM code: ecs, ram, sts, kms, sas, …
	Action    string
	Version   string
	RequestID string
	// Region is the parameter RegionId, else the region of the endpoint.
	Region string
	Caller Identity
	Now    time.Time // virtual
	// Authorize asks RAM whether the caller may do action on resource under the
	// given condition keys. It answers nil or an *Error. It never takes the
	// World's mutex, so it may be asked with or without it held.
	Authorize func(action, resource string, conditions map[string]string) error
	// Params are the API's parameters as they came, dotted names, with 1-based
	// lists; without the protocol's own, such as Action or Signature.
	Params map[string]string

	refs map[string][]string
}

// Allow asks RAM whether the caller may do action on every one of the
// resources. Ask before anything is read or changed.
func (c *Call) Allow(action string, resources ...string) error {
	for _, r := range resources {
		if err := c.Authorize(action, r, nil); err != nil {
			return err
		}
	}
	return nil
}

// Guarded is a product that is asked before each of its methods. It asks RAM, and returns
// the mutex that is held while the method runs; nil for none.
type Guarded interface {
	Enter(c *Call) (sync.Locker, error)
}

// Ask is Allow for resources with the call's region, account and parameters to be put in,
// such as acs:ecs:$Region:$Account:image/$ImageId.
func (c *Call) Ask(action string, resources ...string) error {
	for _, pattern := range resources {
		if err := c.Authorize(action, os.Expand(pattern, c.named), nil); err != nil {
			return err
		}
	}
	return nil
}

func (c *Call) named(name string) string {
	switch name {
	case "Region":
		return c.Region
	case "Account":
		return c.Caller.Account
	case "Owner": // of a policy of RAM: the vendor's own belong to "system"
		if c.Params["PolicyType"] == "System" {
			return "system"
		}
		return c.Caller.Account
	}
	return c.Params[name]
}

// Refer notes resources for the trail record's referencedResources, such as
// ("ACS::ECS::Instance", "i-…").
func (c *Call) Refer(resourceType string, ids ...string) {
	if c.refs == nil {
		c.refs = map[string][]string{}
	}
	c.refs[resourceType] = append(c.refs[resourceType], ids...)
}

// Error is an answer other than success, with the documented HTTP status and
// code.
type Error struct {
	Status  int
	Code    string
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

// Errorf returns an *Error. Where a code stands in a product's file, a comment
// names the fact it is taken from.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}
