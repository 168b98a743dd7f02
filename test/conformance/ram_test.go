package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/tea"
	oldram "github.com/aliyun/alibaba-cloud-sdk-go/services/ram"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/server"
)

const (
	trustsECS      = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["ecs.aliyuncs.com"]}}]}`
	trustsFunction = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`
	onePolicy      = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:Describe*","Resource":"*"}]}`
)

func TestRoleIsReadBackAsCreated(t *testing.T) {
	c := newCloud(t, server.Options{})
	api := c.ram(sharerAdmin)
	_, err := api.CreateRole(&ramsdk.CreateRoleRequest{
		RoleName: tea.String("r-1"), AssumeRolePolicyDocument: tea.String(trustsECS), Description: tea.String("d"),
		Tag: []*ramsdk.CreateRoleRequestTag{{Key: tea.String("k"), Value: tea.String("v")}},
	})
	c.ok(err)
	got, err := api.GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("R-1")})
	c.ok(err)
	role := got.Body.Role
	want := []string{"r-1", "acs:ram::1000000000000001:role/r-1", trustsECS, "d", "2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z"}
	have := []string{*role.RoleName, *role.Arn, *role.AssumeRolePolicyDocument, *role.Description, *role.CreateDate, *role.UpdateDate}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
	tags, err := api.ListTagResources(&ramsdk.ListTagResourcesRequest{
		ResourceType: tea.String("role"), ResourceNames: tea.StringSlice([]string{"r-1"}),
	})
	c.ok(err)
	if n := len(tags.Body.TagResources); n != 1 || *tags.Body.TagResources[0].TagKey != "k" {
		t.Errorf("got %d tags, want k=v alone", n)
	}
}

func TestRoleErrorsAreTheDocumentedOnes(t *testing.T) {
	c := newCloud(t, server.Options{})
	api := c.ram(sharerAdmin)
	create := func(name, trust string) error {
		_, err := api.CreateRole(&ramsdk.CreateRoleRequest{RoleName: &name, AssumeRolePolicyDocument: &trust})
		return err
	}
	c.ok(create("r", trustsECS))
	wantError(t, create("R", trustsECS), 409, "EntityAlreadyExists.Role")
	wantError(t, create("r2", `{"Version":"1"}`), 400, "MalformedPolicyDocument")
	wantError(t, create("", trustsECS), 400, "MissingParameter")
	_, err := api.GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("none")})
	wantError(t, err, 404, "EntityNotExist.Role")
	_, err = api.AttachPolicyToRole(attach("r", "none", "Custom"))
	wantError(t, err, 404, "EntityNotExist.Policy")
	_, err = api.AttachPolicyToRole(attach("r", "AliyunKMSFullAccess", "Other"))
	wantError(t, err, 400, "InvalidParameter.PolicyType")
	_, err = api.AttachPolicyToRole(attach("r", "AliyunKMSFullAccess", "System"))
	c.ok(err)
	_, err = api.AttachPolicyToRole(attach("r", "AliyunKMSFullAccess", "System"))
	wantError(t, err, 409, "EntityAlreadyExists.Role.Policy")
	_, err = api.DeleteRole(&ramsdk.DeleteRoleRequest{RoleName: tea.String("r")})
	wantError(t, err, 409, "DeleteConflict.Role.Policy")
	_, err = api.DetachPolicyFromRole(&ramsdk.DetachPolicyFromRoleRequest{
		RoleName: tea.String("r"), PolicyName: tea.String("AliyunECSFullAccess"), PolicyType: tea.String("System"),
	})
	wantError(t, err, 404, "EntityNotExist.Role.Policy")
}

func attach(role, policy, kind string) *ramsdk.AttachPolicyToRoleRequest {
	return &ramsdk.AttachPolicyToRoleRequest{RoleName: &role, PolicyName: &policy, PolicyType: &kind}
}

func TestRoleTakesTenCustomPoliciesAndNoMore(t *testing.T) {
	c := newCloud(t, server.Options{})
	api := c.ram(sharerAdmin)
	c.makeRole("r", trustsECS, "")
	for i := range 11 {
		name := fmt.Sprintf("p-%d", i)
		_, err := api.CreatePolicy(&ramsdk.CreatePolicyRequest{PolicyName: &name, PolicyDocument: tea.String(onePolicy)})
		c.ok(err)
		_, err = api.AttachPolicyToRole(attach("r", name, "Custom"))
		if i < 10 {
			c.ok(err)
			continue
		}
		wantError(t, err, 409, "LimitExceeded.Role.Policy")
	}
	got, err := api.ListPoliciesForRole(&ramsdk.ListPoliciesForRoleRequest{RoleName: tea.String("r")})
	c.ok(err)
	if n := len(got.Body.Policies.Policy); n != 10 {
		t.Errorf("got %d policies, want 10", n)
	}
}

func TestSixthPolicyVersionNeedsRotation(t *testing.T) {
	c := newCloud(t, server.Options{})
	api := c.ram(sharerAdmin)
	_, err := api.CreatePolicy(&ramsdk.CreatePolicyRequest{PolicyName: tea.String("p"), PolicyDocument: tea.String(onePolicy)})
	c.ok(err)
	add := func(rotate *string) error {
		_, err := api.CreatePolicyVersion(&ramsdk.CreatePolicyVersionRequest{
			PolicyName: tea.String("p"), PolicyDocument: tea.String(onePolicy), RotateStrategy: rotate,
		})
		return err
	}
	for range 4 {
		c.ok(add(nil))
	}
	wantError(t, add(nil), 409, "LimitExceeded.Policy.Version")
	c.ok(add(tea.String("DeleteOldestNonDefaultVersionWhenLimitExceeded")))
	got, err := api.ListPolicyVersions(&ramsdk.ListPolicyVersionsRequest{PolicyName: tea.String("p"), PolicyType: tea.String("Custom")})
	c.ok(err)
	var ids []string
	for _, v := range got.Body.PolicyVersions.PolicyVersion {
		ids = append(ids, fmt.Sprint(*v.VersionId, *v.IsDefaultVersion))
	}
	if diff := cmp.Diff([]string{"v1true", "v3false", "v4false", "v5false", "v6false"}, ids); diff != "" {
		t.Errorf("a new version must not become the default by itself: %s", diff)
	}
	policy, err := api.GetPolicy(&ramsdk.GetPolicyRequest{PolicyName: tea.String("p"), PolicyType: tea.String("Custom")})
	c.ok(err)
	if policy.Body.Policy.PolicyDocument != nil || *policy.Body.DefaultPolicyVersion.PolicyDocument != onePolicy {
		t.Error("the document must stand in DefaultPolicyVersion alone")
	}
	_, err = api.DeletePolicyVersion(&ramsdk.DeletePolicyVersionRequest{PolicyName: tea.String("p"), VersionId: tea.String("v1")})
	wantError(t, err, 409, "DeleteConflict.Policy.Version.Default")
	_, err = api.DeletePolicy(&ramsdk.DeletePolicyRequest{PolicyName: tea.String("p")})
	wantError(t, err, 409, "DeleteConflict.Policy.Version")
}

func TestPolicyLongerThan6144BytesIsRefused(t *testing.T) {
	c := newCloud(t, server.Options{})
	document := func(n int) *string {
		frame := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":""}]}`
		return tea.String(strings.Replace(frame, `""`, `"`+strings.Repeat("x", n-len(frame))+`"`, 1))
	}
	api := c.ram(sharerAdmin)
	_, err := api.CreatePolicy(&ramsdk.CreatePolicyRequest{PolicyName: tea.String("p"), PolicyDocument: document(6144)})
	c.ok(err)
	_, err = api.CreatePolicy(&ramsdk.CreatePolicyRequest{PolicyName: tea.String("q"), PolicyDocument: document(6145)})
	wantError(t, err, 400, "InvalidParameter.PolicyDocument.Length")
}

func TestOtherProductsSeeAFreshRoleAndItsTrustLater(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("r", trustsECS, "")
	check := func(when string, exists, trusts bool) {
		t.Helper()
		if e, s := c.RAM.RoleVisible(server.Sharer, "r"); e != exists || s != trusts {
			t.Errorf("%s: visible %t, trusts ECS %t; want %t, %t", when, e, s, exists, trusts)
		}
	}
	check("at once", false, false)
	c.pass(5 * time.Second)
	check("after the delay", true, true)
	_, err := c.ram(sharerAdmin).UpdateRole(&ramsdk.UpdateRoleRequest{
		RoleName: tea.String("r"), NewAssumeRolePolicyDocument: tea.String(trustsFunction),
	})
	c.ok(err)
	check("right after the change", true, true)
	c.pass(5 * time.Second)
	check("a delay after the change", true, false)
	got, err := c.ram(sharerAdmin).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("r")})
	c.ok(err)
	if *got.Body.Role.UpdateDate != "2026-01-05T00:00:05Z" {
		t.Errorf("UpdateDate is %s, not the virtual time of the change", *got.Body.Role.UpdateDate)
	}
}

func TestRoleMayDoWhatItsPoliciesAllowAndNothingElse(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("fn", trustsFunction, `{"Effect":"Allow","Action":["ram:Get*","ram:DeleteRole"],"Resource":"acs:ram:*:1000000000000001:role/fn*"},
		{"Effect":"Deny","Action":"ram:DeleteRole","Resource":"*"}`)
	c.pass(time.Minute)
	api := c.ram(c.asFunction("fn"))
	_, err := api.GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("fn")})
	c.ok(err)
	_, err = api.GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("other")})
	wantError(t, err, 403, "NoPermission")
	_, err = api.DeleteRole(&ramsdk.DeleteRoleRequest{RoleName: tea.String("fn")})
	wantError(t, err, 403, "NoPermission")
	_, err = api.CreateRole(&ramsdk.CreateRoleRequest{RoleName: tea.String("new"), AssumeRolePolicyDocument: tea.String(trustsECS)})
	wantError(t, err, 403, "NoPermission")

	var got struct {
		Permissions []struct {
			Caller, Action, Resource string
			Allowed                  bool
			Count                    int
		}
	}
	c.control("GET", "permissions", "", &got)
	var lines []string
	for _, p := range got.Permissions {
		if p.Caller == "fn" {
			lines = append(lines, fmt.Sprintf("%s %s %t %d", p.Action, p.Resource, p.Allowed, p.Count))
		}
	}
	want := []string{
		"ram:CreateRole acs:ram:*:1000000000000001:role/* false 1",
		"ram:DeleteRole acs:ram:*:1000000000000001:role/fn false 1",
		"ram:GetRole acs:ram:*:1000000000000001:role/fn true 1",
		"ram:GetRole acs:ram:*:1000000000000001:role/other false 1",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

func TestAccountsDoNotSeeEachOthersRoles(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("r", trustsECS, "")
	_, err := c.ram(shareeAdmin).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("r")})
	wantError(t, err, 404, "EntityNotExist.Role")
}

func TestOlderSDKReadsTheSameRole(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("r", trustsECS, "")
	api, err := oldram.NewClientWithAccessKey("cn-hangzhou", "local-ak", "local-sk")
	c.ok(err)
	in := oldram.CreateGetRoleRequest()
	in.RoleName, in.Domain, in.Scheme = "r", c.host(), "http"
	got, err := api.GetRole(in)
	c.ok(err)
	if got.Role.Arn != "acs:ram::1000000000000001:role/r" || got.RequestId == "" {
		t.Errorf("got %+v", got.Role)
	}
}
