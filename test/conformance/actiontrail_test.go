package conformance_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/actiontrail"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
)

func TestEveryWriteIsOnTheBusAfterTheLatencyAndNoReadIs(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("r", trustsECS, "")
	_, err := c.ram(sharerAdmin).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("r")})
	c.ok(err)
	c.pass(2 * time.Second)
	if n := len(c.trail("CreateRole")); n != 0 {
		t.Fatalf("%d records before the latency", n)
	}
	c.pass(time.Second)
	records := c.trail("CreateRole")
	if len(records) != 1 || len(c.trail("GetRole")) != 0 {
		t.Fatalf("got %d records, and %d of a read", len(records), len(c.trail("GetRole")))
	}
	r := records[0]
	got := map[string]any{}
	for _, k := range []string{"eventType", "eventRW", "serviceName", "apiVersion", "eventTime", "isGlobal", "acsRegion", "recipientAccountId", "eventVersion", "referencedResources"} {
		got[k] = r[k]
	}
	want := map[string]any{
		"eventType": "ApiCall", "eventRW": "Write", "serviceName": "Ram", "apiVersion": "2015-05-01",
		"eventTime": "2026-01-05T00:00:00Z", "isGlobal": true, "acsRegion": "cn-hangzhou",
		"recipientAccountId": "1000000000000001", "eventVersion": 1.0,
		"referencedResources": map[string]any{"ACS::RAM::Role": []any{"r"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, failed := r["errorCode"]; failed {
		t.Error("a successful call has an errorCode")
	}
}

func TestFailedWriteLeavesARecordWithItsErrorAndWithoutResponse(t *testing.T) {
	c := newCloud(t, server.Options{})
	_, err := c.ram(sharerAdmin).DeleteRole(&ramsdk.DeleteRoleRequest{RoleName: tea.String("none")})
	wantError(t, err, 404, "EntityNotExist.Role")
	c.pass(time.Minute)
	r := c.trail("DeleteRole")[0]
	if r["errorCode"] != "EntityNotExist.Role" || r["errorMessage"] == "" || r["responseElements"] != nil {
		t.Errorf("got %v", r)
	}
}

func TestRoleSessionIsNamedAsTheTrailNamesIt(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("fn", trustsFunction, `{"Effect":"Allow","Action":"ram:*","Resource":"*"}`)
	c.pass(time.Minute)
	_, err := c.ram(c.asFunction("fn")).DeleteRole(&ramsdk.DeleteRoleRequest{RoleName: tea.String("none")})
	wantError(t, err, 404, "EntityNotExist.Role")
	c.pass(time.Minute)
	r := c.trail("DeleteRole")[0]
	who := r["userIdentity"].(map[string]any)
	if who["type"] != "assumed-role" || who["userName"] != "fn:fn" || who["accountId"] != "1000000000000001" {
		t.Errorf("got %v", who)
	}
	if p := r["requestParameters"].(map[string]any); p["stsTokenPrincipalName"] != "fn:fn" || p["RoleName"] != "none" {
		t.Errorf("got %v", p)
	}
}

func TestLookupEventsFindsRecordsAfterTenMinutesInPages(t *testing.T) {
	c := newCloud(t, server.Options{})
	for i := range 3 {
		c.makeRole(fmt.Sprintf("r-%d", i), trustsECS, "")
		c.pass(time.Second)
	}
	look := func(query map[string]string) ([]string, string) {
		got, err := c.rpc(sharerAdmin, "2020-07-06", "LookupEvents", query)
		c.ok(err)
		var names []string
		for _, e := range got["Events"].([]any) {
			names = append(names, e.(map[string]any)["requestParameters"].(map[string]any)["RoleName"].(string))
		}
		next, _ := got["NextToken"].(string)
		return names, next
	}
	query := map[string]string{"MaxResults": "2", "LookupAttribute.1.Key": "EventName", "LookupAttribute.1.Value": "CreateRole"}
	if got, _ := look(query); len(got) != 0 {
		t.Errorf("got %v before the records are visible", got)
	}
	c.pass(10 * time.Minute)
	first, next := look(query)
	query["NextToken"] = next
	second, end := look(query)
	if diff := cmp.Diff([]string{"r-2", "r-1", "r-0"}, append(first, second...)); diff != "" || end != "" {
		t.Errorf("newest first, to the end: %s %s", diff, end)
	}
	if got, _ := look(map[string]string{"LookupAttribute.1.Key": "EventName", "LookupAttribute.1.Value": "RunInstances"}); len(got) != 0 {
		t.Errorf("got %v of another name", got)
	}
	_, err := c.rpc(sharerAdmin, "2020-07-06", "LookupEvents", map[string]string{"MaxResults": "51"})
	wantError(t, err, 400, "InvalidQueryParameter")
}

// A record of a launch, made from the call itself: ECS need not serve it.
func launchRecord(t *testing.T, console bool, params map[string]string) map[string]any {
	t.Helper()
	c := newCloud(t, server.Options{})
	trail := actiontrail.New(actiontrail.Options{World: c.World})
	types := map[string]string{"Amount": "Integer", "DryRun": "Boolean", "SystemDisk.Size": "Integer"}
	trail.Wrote(wire.Write{
		Call: &wire.Call{
			Product: "ecs", Action: "RunInstances", Version: "2014-05-26", RequestID: "id", Region: "cn-shanghai", Params: params,
			Caller: wire.Identity{Account: server.Sharer, Type: "RAMUser", Name: "alice", AccessKeyID: "ak"}, Now: c.World.Clock.Now(),
		},
		Service: "Ecs", TypeOf: func(name string) (string, bool) { return types[name], true },
		Response: []byte(`{"RequestId":"id"}`), Host: "127.0.0.1", UserAgent: http.MethodGet, Console: console,
	})
	c.pass(time.Minute)
	return c.trail("RunInstances")[0]
}

func TestRequestParametersAreFlatWithJSONTypes(t *testing.T) {
	r := launchRecord(t, false, map[string]string{
		"Amount": "2", "DryRun": "true", "SystemDisk.Size": "20", "Tag.1.Key": "7", "UserData": "c2VjcmV0", "VSwitchId": "v",
	})
	p := r["requestParameters"].(map[string]any)
	want := map[string]any{"Amount": 2.0, "DryRun": true, "SystemDisk.Size": 20.0, "Tag.1.Key": "7", "UserData": "c2VjcmV0", "VSwitchId": "v", "AcsProduct": "Ecs", "Region": "cn-shanghai"}
	for k, v := range want {
		if diff := cmp.Diff(v, p[k]); diff != "" {
			t.Errorf("%s: %s", k, diff)
		}
	}
	var same map[string]any
	if err := json.Unmarshal([]byte(r["requestParameterJson"].(string)), &same); err != nil || !cmp.Equal(same, p) {
		t.Errorf("requestParameterJson differs: %v", err)
	}
}

func TestConsolePurchaseDoesNotLookLikeTheAPICall(t *testing.T) {
	r := launchRecord(t, true, map[string]string{"Amount": "2", "VSwitchId": "v", "SecurityGroupId": "s"})
	p := r["requestParameters"].(map[string]any)
	got := []any{r["eventType"], r["apiVersion"], r["userAgent"], p["MaxAmount"], p["MinAmount"], p["NetworkInterface.1.VSwitchId"], p["NetworkInterface.1.InstanceType"]}
	if diff := cmp.Diff([]any{"ConsoleOperation", "*", "ecs.console.aliyun.com", 2.0, 2.0, "v", "Primary"}, got); diff != "" {
		t.Error(diff)
	}
	for _, k := range []string{"Amount", "VSwitchId", "SecurityGroupId"} {
		if _, ok := p[k]; ok {
			t.Errorf("%s must not be there", k)
		}
	}
	if _, ok := r["userIdentity"].(map[string]any)["accessKeyId"]; ok {
		t.Error("a console session has no access key")
	}
}
