package conformance_test

import (
	"testing"

	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/tea"

	"fleetwarden/deploy/local/simcloud/server"
)

const manager = "2020-03-31"

func TestAServiceLinkedRoleIsMade(t *testing.T) {
	c := newCloud(t, server.Options{})
	p := plane{c, sharerAdmin, manager}
	get := func() error {
		_, err := c.ram(sharerAdmin).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("AliyunServiceRoleForFC")})
		return err
	}
	c.ok(get()) // a new world has all of them
	p.refused("CreateServiceLinkedRole", map[string]any{"ServiceName": "fc.aliyuncs.com"}, 409, "EntityAlreadyExists.Role")
	c.ServiceRoles.Remove(server.Sharer, "AliyunServiceRoleForFC")
	wantError(t, get(), 404, "EntityNotExist.Role")
	p.must("CreateServiceLinkedRole", map[string]any{"ServiceName": "fc.aliyuncs.com"}, `"RoleName":"AliyunServiceRoleForFC"`, `"IsServiceLinkedRole":true`,
		`"RolePrincipalName"`)
	c.ok(get())
	p.refused("CreateServiceLinkedRole", map[string]any{"ServiceName": "moon.aliyuncs.com"}, 400, "InvalidParameter.ServiceName")
	p.refused("CreateServiceLinkedRole", map[string]any{"ServiceName": "fc.aliyuncs.com", "CustomSuffix": "x"}, 400, "NotSupport.CustomSuffix")
}

func TestServiceLinkedRolesNeedTheirRights(t *testing.T) {
	without := func(c *cloud) { c.ServiceRoles.Remove(server.Sharer, "AliyunServiceRoleForFC") }
	needsRights(t, manager, without, "*", map[string]map[string]any{
		"ram:CreateServiceLinkedRole": {"ServiceName": "fc.aliyuncs.com"},
	}, "")
	c := newCloud(t, server.Options{})
	without(c)
	of := func(role, service string) identity {
		return c.acting(role, `{"Effect":"Allow","Action":"ram:CreateServiceLinkedRole","Resource":"*","Condition":{"StringEquals":{"ram:ServiceName":"`+service+`"}}}`)
	}
	plane{c, of("sas", "sas.aliyuncs.com"), manager}.refused("CreateServiceLinkedRole", map[string]any{"ServiceName": "fc.aliyuncs.com"}, 403, "Forbidden.RAM")
	plane{c, of("fc", "fc.aliyuncs.com"), manager}.must("CreateServiceLinkedRole", map[string]any{"ServiceName": "fc.aliyuncs.com"})
}
