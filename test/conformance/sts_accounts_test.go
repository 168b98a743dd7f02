package conformance_test

import (
	"fmt"
	"testing"
	"time"

	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	stssdk "github.com/alibabacloud-go/sts-20150401/v2/client"
	"github.com/alibabacloud-go/tea/tea"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
)

var memberAdmin = identity{"member-ak", "member-sk", ""}

// memberRole makes a role in the member's account that may read roles.
func (c *cloud) memberRole(name, trust string) {
	c.t.Helper()
	api := c.ram(memberAdmin)
	_, err := api.CreateRole(&ramsdk.CreateRoleRequest{RoleName: &name, AssumeRolePolicyDocument: &trust})
	c.ok(err)
	_, err = api.AttachPolicyToRole(&ramsdk.AttachPolicyToRoleRequest{
		RoleName: &name, PolicyName: tea.String("AliyunRAMReadOnlyAccess"), PolicyType: tea.String("System"),
	})
	c.ok(err)
}

func trustsRole(role, condition string) string {
	return fmt.Sprintf(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
		"Principal":{"RAM":["acs:ram::1000000000000001:role/%s"]}%s}]}`, role, condition)
}

func (c *cloud) assumeMember(who identity, role, externalID string) (identity, error) {
	q := &stssdk.AssumeRoleRequest{
		RoleArn: tea.String("acs:ram::1000000000000003:role/" + role), RoleSessionName: tea.String("sweep"),
	}
	if externalID != "" {
		q.ExternalId = &externalID
	}
	got, err := c.sts(who).AssumeRole(q)
	if err != nil {
		return identity{}, err
	}
	x := got.Body.Credentials
	return identity{*x.AccessKeyId, *x.AccessKeySecret, *x.SecurityToken}, nil
}

const mayAssume = `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"acs:ram::1000000000000003:role/%s"}`

func TestARoleOfOneAccountAssumesOneOfAnother(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("sweep", trustsFunction, fmt.Sprintf(mayAssume, "*"))
	c.makeRole("other", trustsFunction, fmt.Sprintf(mayAssume, "*"))
	c.makeRole("narrow", trustsFunction, fmt.Sprintf(mayAssume, "another"))
	c.memberRole("open", trustsRole("sweep", ""))
	c.memberRole("narrowed", trustsRole("narrow", ""))
	c.memberRole("external", trustsRole("sweep", `,"Condition":{"StringEquals":{"sts:ExternalId":"fleet"}}`))
	c.pass(time.Minute)
	for _, x := range []struct {
		caller, role, external, code string
		status                       int
	}{
		{"sweep", "open", "", "", 200},
		{"sweep", "open", "any", "", 200},
		{"sweep", "external", "fleet", "", 200},
		{"sweep", "external", "", "NoPermission", 403},
		{"sweep", "external", "float", "NoPermission", 403},
		{"other", "open", "", "NoPermission", 403},
		{"narrow", "narrowed", "", "NoPermission", 403},
		{"sweep", "missing", "", "EntityNotExist.Role", 404},
	} {
		session, err := c.assumeMember(c.asFunction(x.caller), x.role, x.external)
		if x.status != 200 {
			wantError(t, err, x.status, x.code)
			continue
		}
		c.ok(err)
		got, err := c.sts(session).GetCallerIdentity()
		c.ok(err)
		if want := "acs:ram::1000000000000003:assumed-role/" + x.role + "/sweep"; *got.Body.AccountId != server.Member || *got.Body.Arn != want {
			t.Errorf("the session is %s in %s, want %s", *got.Body.Arn, *got.Body.AccountId, want)
		}
	}
}

func TestASessionOfAnotherAccountActsThereOnly(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("sweep", trustsFunction, fmt.Sprintf(mayAssume, "*"))
	c.memberRole("open", trustsRole("sweep", ""))
	c.pass(time.Minute)
	session, err := c.assumeMember(c.asFunction("sweep"), "open", "")
	c.ok(err)
	api := c.ram(session)
	_, err = api.GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("open")})
	c.ok(err)
	_, err = api.GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("sweep")})
	wantError(t, err, 404, "EntityNotExist.Role")
	_, err = api.DeleteRole(&ramsdk.DeleteRoleRequest{RoleName: tea.String("open")})
	wantError(t, err, 403, "NoPermission")
}

// Credentials end in the middle of work, and stay ended; new ones are good.
func TestCredentialsExpireInTheMiddle(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("sweep", trustsFunction, fmt.Sprintf(mayAssume, "*"))
	c.memberRole("open", trustsRole("sweep", ""))
	c.pass(time.Minute)
	caller := c.asFunction("sweep")
	session, err := c.assumeMember(caller, "open", "")
	c.ok(err)
	c.ok(c.Faults.Set(1, []simcloud.Fault{{Kind: simcloud.ExpiredCredentials, Account: server.Member, Skip: 1, Count: 1}}, simcloud.EventFaults{}))
	get := func(who identity) error {
		_, err := c.ram(who).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("open")})
		return err
	}
	c.ok(get(memberAdmin)) // a key that is not temporary cannot expire
	c.ok(get(memberAdmin))
	c.ok(get(session))
	wantError(t, get(session), 400, "InvalidSecurityToken.Expired")
	wantError(t, get(session), 400, "InvalidSecurityToken.Expired")
	session, err = c.assumeMember(caller, "open", "")
	c.ok(err)
	c.ok(get(session))
}
