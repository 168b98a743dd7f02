package eventbridge

import (
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// The service-linked roles that EventBridge acts with.
const (
	RoleToFunction  = "AliyunServiceRoleForEventBridgeSendToFC"
	RoleToQueue     = "AliyunServiceRoleForEventBridgeSendToMNS"
	RoleFromTrail   = "AliyunServiceRoleForEventBridgeSourceActionTrail"
	RoleFromQueue   = "AliyunServiceRoleForEventBridgeSourceMNS"
	roleConnectsVPC = "AliyunServiceRoleForEventBridgeConnectVPC"
)

// Roles keeps the service-linked roles of accounts.
type Roles interface {
	// Exists reports whether an account has the role.
	Exists(account, role string) bool
}

// Linked reports whether an account has all of the roles.
func (s *Service) Linked(account string, roles ...string) bool {
	return s.o.Roles == nil || !slices.ContainsFunc(roles, func(r string) bool { return !s.o.Roles.Exists(account, r) })
}

// missing is the role without which an event on a bus does not come to a target; empty for
// none.
func (s *Service) missing(on busKey, e simcloud.Event, t Target) string {
	var need []string
	if on.bus == DefaultBus && strings.Contains(e.Type, ":ActionTrail:") {
		need = append(need, RoleFromTrail)
	}
	switch t.Info.Type {
	case ToQueue:
		need = append(need, RoleToQueue)
	case ToFunction:
		need = append(need, RoleToFunction)
	}
	for _, role := range need {
		if !s.Linked(on.account, role) {
			return role
		}
	}
	return ""
}

// ProductRequest names a role as ProductName does: by the role itself.
type ProductRequest struct{ ProductName string }

func (in ProductRequest) known() error {
	if !slices.Contains([]string{RoleToFunction, RoleToQueue, RoleFromTrail, RoleFromQueue, roleConnectsVPC}, in.ProductName) {
		return invalid("no service-linked role " + in.ProductName)
	}
	return nil
}

// RoleCheck is what CheckServiceLinkedRoleForProduct answers.
type RoleCheck struct {
	CheckPass   bool
	StsRoleName string
}

// CheckServiceLinkedRoleForProduct says whether the account has the role.
func (s *Service) CheckServiceLinkedRoleForProduct(c *wire.Call, in *ProductRequest) (*Reply[RoleCheck], error) {
	return reply(RoleCheck{s.Linked(c.Caller.Account, in.ProductName), in.ProductName}, in.known())
}
