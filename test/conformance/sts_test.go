package conformance_test

import (
	"testing"
	"time"

	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	stssdk "github.com/alibabacloud-go/sts-20150401/v2/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/server"
)

const trustsHomeAccount = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::1000000000000001:root"]}}]}`

func TestCallerIdentityNamesEveryKindOfCaller(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.RAM.AddRootKey(server.Sharer, "root-ak", "root-sk")
	c.makeRole("fn", trustsFunction, "")
	c.pass(time.Minute)
	who := func(id identity) []string {
		got, err := c.sts(id).GetCallerIdentity()
		c.ok(err)
		return []string{*got.Body.AccountId, *got.Body.IdentityType, *got.Body.Arn}
	}
	for _, x := range []struct {
		id   identity
		want []string
	}{
		{sharerAdmin, []string{"1000000000000001", "RAMUser", "acs:ram::1000000000000001:user/local"}},
		{shareeAdmin, []string{"1000000000000002", "RAMUser", "acs:ram::1000000000000002:user/sharee"}},
		{identity{"root-ak", "root-sk", ""}, []string{"1000000000000001", "Account", "acs:ram::1000000000000001:root"}},
		{c.asFunction("fn"), []string{"1000000000000001", "AssumedRoleUser", "acs:ram::1000000000000001:assumed-role/fn/fn"}},
	} {
		if diff := cmp.Diff(x.want, who(x.id)); diff != "" {
			t.Error(diff)
		}
	}
}

func assume(c *cloud, who identity, role string, policy *string) (identity, error) {
	got, err := c.sts(who).AssumeRole(&stssdk.AssumeRoleRequest{
		RoleArn: tea.String("acs:ram::1000000000000001:role/" + role), RoleSessionName: tea.String("session"), Policy: policy,
	})
	if err != nil {
		return identity{}, err
	}
	x := got.Body.Credentials
	return identity{*x.AccessKeyId, *x.AccessKeySecret, *x.SecurityToken}, nil
}

func TestAssumingNeedsTheTrustOfTheRoleAndIsNotForRoot(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.RAM.AddRootKey(server.Sharer, "root-ak", "root-sk")
	c.makeRole("trusting", trustsHomeAccount, "")
	c.makeRole("service", trustsECS, "")
	_, err := assume(c, sharerAdmin, "trusting", nil)
	c.ok(err)
	_, err = assume(c, sharerAdmin, "service", nil)
	wantError(t, err, 403, "NoPermission")
	_, err = assume(c, shareeAdmin, "trusting", nil)
	wantError(t, err, 403, "NoPermission")
	_, err = assume(c, identity{"root-ak", "root-sk", ""}, "trusting", nil)
	wantError(t, err, 403, "NoPermission")
	_, err = assume(c, sharerAdmin, "missing", nil)
	wantError(t, err, 404, "EntityNotExist.Role")
}

func TestSessionPolicyNarrowsTheRole(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("r", trustsHomeAccount, `{"Effect":"Allow","Action":"ram:*","Resource":"*"}`)
	narrow := `{"Version":"1","Statement":[{"Effect":"Allow","Action":["ram:GetRole","ecs:*"],"Resource":"*"}]}`
	id, err := assume(c, sharerAdmin, "r", &narrow)
	c.ok(err)
	_, err = c.ram(id).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("r")})
	c.ok(err)
	_, err = c.ram(id).ListPoliciesForRole(&ramsdk.ListPoliciesForRoleRequest{RoleName: tea.String("r")})
	wantError(t, err, 403, "NoPermission")
}

func TestSessionLosesItsRightsWithItsRole(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("fn", trustsFunction, "")
	c.pass(time.Minute)
	id := c.asFunction("fn")
	_, err := c.ram(sharerAdmin).DeleteRole(&ramsdk.DeleteRoleRequest{RoleName: tea.String("fn")})
	c.ok(err)
	_, err = c.ram(id).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("fn")})
	wantError(t, err, 403, "NoPermission")
}

func TestTemporaryKeyIsRefusedWithoutItsTokenAndAfterItsTime(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("fn", trustsFunction, "")
	c.pass(time.Minute)
	id := c.asFunction("fn")
	for _, x := range []struct {
		id     identity
		status int
		code   string
	}{
		{identity{id.key, id.secret, ""}, 400, "MissingSecurityToken"},
		{identity{id.key, id.secret, "other"}, 400, "InvalidSecurityToken.MismatchWithAccessKey"},
		{identity{id.key, "wrong", id.token}, 400, "SignatureDoesNotMatch"},
		{identity{"STS.none", id.secret, id.token}, 404, "InvalidAccessKeyId.NotFound"},
	} {
		_, err := c.sts(x.id).GetCallerIdentity()
		wantError(t, err, x.status, x.code)
	}
	cred, err := c.STS.Issue(server.Sharer, "fn", "fn", 0)
	c.ok(err)
	_, err = c.sts(identity{cred.AccessKeyId, cred.AccessKeySecret, cred.SecurityToken}).GetCallerIdentity()
	wantError(t, err, 400, "InvalidSecurityToken.Expired")
}

func TestFunctionComputeGetsOnlyRolesThatTrustIt(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("ecs", trustsECS, "")
	c.makeRole("fn", trustsFunction, "")
	if _, err := c.STS.Issue(server.Sharer, "fn", "x", time.Hour); err == nil {
		t.Error("a fresh role is not visible to Function Compute yet")
	}
	c.pass(time.Minute)
	if _, err := c.STS.Issue(server.Sharer, "fn", "x", time.Hour); err != nil {
		t.Error(err)
	}
	for _, role := range []string{"ecs", "none"} {
		if _, err := c.STS.Issue(server.Sharer, role, "x", time.Hour); err == nil {
			t.Errorf("role %s must not be given to Function Compute", role)
		}
	}
}
