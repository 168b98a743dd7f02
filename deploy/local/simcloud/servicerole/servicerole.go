// Package servicerole keeps the service-linked roles of accounts: RAM roles that a service
// makes for itself. They are made through ResourceManager 2020-03-31, the only
// product whose published metadata has such an API for all services; RAM's GetRole shows
// them. EventBridge's own API for its roles is in eventbridge.
//
// Names of services and roles: the vendor's page on services that support service-linked
// roles (doc-detail/160674), and EventBridge's page on its roles.
package servicerole

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"fleetwarden/deploy/local/simcloud/ram"
	"fleetwarden/deploy/local/simcloud/wire"
)

// names are the roles by the service that assumes them.
func names() map[string]string {
	return map[string]string{
		"actiontrail.aliyuncs.com":                    "AliyunServiceRoleForActionTrail",
		"fc.aliyuncs.com":                             "AliyunServiceRoleForFC",
		"sas.aliyuncs.com":                            "AliyunServiceRoleForSas",
		"sendevent-fc.eventbridge.aliyuncs.com":       "AliyunServiceRoleForEventBridgeSendToFC",
		"sendevent-mns.eventbridge.aliyuncs.com":      "AliyunServiceRoleForEventBridgeSendToMNS",
		"source-actiontrail.eventbridge.aliyuncs.com": "AliyunServiceRoleForEventBridgeSourceActionTrail",
		"source-mns.eventbridge.aliyuncs.com":         "AliyunServiceRoleForEventBridgeSourceMNS",
		"connect-vpc.eventbridge.aliyuncs.com":        "AliyunServiceRoleForEventBridgeConnectVPC",
	}
}

// Roles is the product's part: register it at a wire.Router as resourcemanager.
type Roles struct {
	ram *ram.RAM

	mu sync.Mutex
}

// New gives every account all roles that are known: what a console's user has long made
// without knowing.
func New(r *ram.RAM, accounts []string) (*Roles, error) {
	x := &Roles{ram: r}
	for _, account := range accounts {
		for _, role := range slices.Sorted(maps.Values(names())) {
			if err := x.Ensure(account, role); err != nil {
				return nil, err
			}
		}
	}
	return x, nil
}

// Exists reports whether an account has a role.
func (x *Roles) Exists(account, role string) bool {
	_, ok := x.ram.FindRole(account, role)
	return ok
}

// Ensure makes a role that is known, if it is not there.
func (x *Roles) Ensure(account, role string) error {
	for service, name := range names() {
		if name != role {
			continue
		}
		if x.Exists(account, role) {
			return nil
		}
		trust := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["` + service + `"]}}]}`
		return x.ram.AddRole(account, role, trust, nil)
	}
	return fmt.Errorf("making a service-linked role: no service has %s", role)
}

// Remove takes a role away, if it is there: what a story may begin with.
func (x *Roles) Remove(account, role string) { x.ram.RemoveRole(account, role) }

// CreateRequest are the parameters of CreateServiceLinkedRole.
type CreateRequest struct{ ServiceName, CustomSuffix, Description string }

// RoleInfo is a role as ResourceManager shows it.
type RoleInfo struct {
	ram.RoleInfo
	IsServiceLinkedRole bool
	RolePrincipalName   string
}

// CreateResponse is the response of CreateServiceLinkedRole.
type CreateResponse struct{ Role RoleInfo }

// CreateServiceLinkedRole makes the role of a service. One that is there is refused.
func (x *Roles) CreateServiceLinkedRole(c *wire.Call, in *CreateRequest) (*CreateResponse, error) {
	if err := c.Authorize("ram:CreateServiceLinkedRole", "*", map[string]string{"ram:ServiceName": in.ServiceName}); err != nil {
		return nil, err
	}
	role, ok := names()[in.ServiceName]
	switch {
	case !ok:
		return nil, wire.Errorf(400, "InvalidParameter.ServiceName", "simcloud knows no service-linked role of %q.", in.ServiceName)
	case in.CustomSuffix != "":
		return nil, wire.Errorf(400, "NotSupport.CustomSuffix", "The role of %s takes no suffix.", in.ServiceName)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.Exists(c.Caller.Account, role) {
		return nil, wire.Errorf(409, "EntityAlreadyExists.Role", "The role already exists: %s", role)
	}
	if err := x.Ensure(c.Caller.Account, role); err != nil {
		return nil, err
	}
	c.Refer("ACS::RAM::Role", role)
	info, err := x.ram.Info(c.Caller.Account, role)
	return &CreateResponse{RoleInfo{info, true, role + "@role." + c.Caller.Account + ".onaliyunservice.com"}}, err
}
