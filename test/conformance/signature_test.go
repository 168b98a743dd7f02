package conformance_test

import (
	"fmt"
	"testing"

	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/tea"
	oldsts "github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
)

func TestBothSignaturesOfTheSDKsAreVerified(t *testing.T) {
	c := newCloud(t, server.Options{})
	for _, x := range []struct {
		id     identity
		status int
		code   string
	}{
		{identity{"local-ak", "wrong", ""}, 400, "SignatureDoesNotMatch"},
		{identity{"none", "local-sk", ""}, 404, "InvalidAccessKeyId.NotFound"},
	} {
		_, err := c.ram(x.id).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("r")}) // V3
		wantError(t, err, x.status, x.code)
		_, err = c.sts(x.id).GetCallerIdentity() // V2
		wantError(t, err, x.status, x.code)
	}
}

func TestOlderSDKSignsItsFormAndIsVerified(t *testing.T) {
	c := newCloud(t, server.Options{})
	ask := func(secret string) (*oldsts.GetCallerIdentityResponse, error) {
		api, err := oldsts.NewClientWithAccessKey("cn-hangzhou", "local-ak", secret)
		c.ok(err)
		in := oldsts.CreateGetCallerIdentityRequest()
		in.Domain, in.Scheme = c.host(), "http"
		return api.GetCallerIdentity(in)
	}
	got, err := ask("local-sk")
	c.ok(err)
	if got.Arn != "acs:ram::1000000000000001:user/local" {
		t.Errorf("got %s", got.Arn)
	}
	if _, err := ask("wrong"); err == nil {
		t.Error("a wrong secret was taken")
	}
}

func TestSDKSeesInjectedFaultsAsTheServiceGivesThem(t *testing.T) {
	c := newCloud(t, server.Options{})
	create := func(name string) error {
		_, err := c.ram(sharerAdmin).CreateRole(&ramsdk.CreateRoleRequest{RoleName: &name, AssumeRolePolicyDocument: tea.String(trustsECS)})
		return err
	}
	fault := func(kind simcloud.FaultKind) {
		body := fmt.Sprintf(`{"seed":1,"faults":[{"product":"ram","action":"CreateRole","kind":%q,"count":1}]}`, kind)
		if status := c.control("POST", "faults", body, nil); status != 200 {
			t.Fatalf("setting faults: %d", status)
		}
	}
	exists := func(name string) bool {
		_, ok := c.RAM.FindRole(server.Sharer, name)
		return ok
	}
	fault(simcloud.Throttle)
	wantError(t, create("throttled"), 400, "Throttling.User")
	fault(simcloud.TimeoutBefore)
	if create("before") == nil {
		t.Error("a dropped connection was no error")
	}
	fault(simcloud.TimeoutAfter)
	if create("after") == nil {
		t.Error("a dropped connection was no error")
	}
	got := map[string]bool{"throttled": exists("throttled"), "before": exists("before"), "after": exists("after")}
	if diff := cmp.Diff(map[string]bool{"throttled": false, "before": false, "after": true}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRequestsAreCountedByCallerAPIAndCode(t *testing.T) {
	c := newCloud(t, server.Options{})
	for range 3 {
		_, err := c.ram(sharerAdmin).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("none")})
		wantError(t, err, 404, "EntityNotExist.Role")
	}
	c.makeRole("r", trustsECS, "")
	_, err := c.ram(shareeAdmin).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("r")})
	wantError(t, err, 404, "EntityNotExist.Role")
	var got struct {
		Requests []wire.Entry
		Totals   []wire.Total
	}
	c.control("GET", "requests?since=3", "", &got)
	if len(got.Requests) != 2 || got.Requests[0].Action != "CreateRole" || got.Requests[0].Region != "cn-hangzhou" {
		t.Errorf("got %+v, want CreateRole and what follows", got.Requests)
	}
	want := []wire.Total{
		{Account: server.Sharer, Caller: "local", Product: "ram", Action: "CreateRole", Count: 1},
		{Account: server.Sharer, Caller: "local", Product: "ram", Action: "GetRole", Code: "EntityNotExist.Role", Count: 3},
		{Account: server.Sharee, Caller: "sharee", Product: "ram", Action: "GetRole", Code: "EntityNotExist.Role", Count: 1},
	}
	if diff := cmp.Diff(want, got.Totals); diff != "" {
		t.Error(diff)
	}
}
