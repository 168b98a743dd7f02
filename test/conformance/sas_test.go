package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	sassdk "github.com/alibabacloud-go/sas-20181203/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
)

func (x *instances) sas(t *testing.T) *sassdk.Client {
	t.Helper()
	c, err := sassdk.NewClient(x.config())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func byID(id string) *string {
	return tea.String(fmt.Sprintf(`[{"name":"instanceId","value":%q}]`, id))
}

func TestAnAgentIsInstalledByACommandWithAFreshCode(t *testing.T) {
	x := newInstances(t)
	api := x.sas(t)
	id := x.seed(t, ecs.FleetSpec{Count: 1, Agent: "uninstalled"})[0]
	command, err := x.ECS.SeedCommand(ecs.CommandSpec{Name: "agent", Type: "RunShellScript", Content: "./AliAqsInstall.sh -k={{code}}", Timeout: 600})
	if err != nil {
		t.Fatal(err)
	}
	expires := x.World.Clock.Now().Add(time.Hour).UnixMilli()
	added, err := api.AddInstallCode(&sassdk.AddInstallCodeRequest{Os: tea.String("linux"), ExpiredDate: &expires, OnlyImage: tea.Bool(false)})
	if err != nil || tea.StringValue(added.Body.RequestId) == "" {
		t.Fatalf("adding a code: %v, %v", added, err)
	}
	codes, err := api.DescribeInstallCodes()
	if err != nil || len(codes.Body.InstallCodes) != 1 {
		t.Fatalf("codes: %v, %v", codes, err)
	}
	code := codes.Body.InstallCodes[0]
	if tea.Int64Value(code.ExpiredDate) != expires || tea.StringValue(code.VendorName) != "ALIYUN" {
		t.Errorf("the code is %v", code)
	}
	_, err = x.InvokeCommand(&ecssdk.InvokeCommandRequest{
		RegionId: tea.String(server.Home), CommandId: &command, InstanceId: tea.StringSlice([]string{id}),
		Parameters: map[string]any{"code": tea.StringValue(code.CaptchaCode)},
	})
	if err != nil {
		t.Fatal(err)
	}
	status := func() string {
		out, err := api.DescribeCloudCenterInstances(&sassdk.DescribeCloudCenterInstancesRequest{
			Criteria: byID(id), LogicalExp: tea.String("OR"), MachineTypes: tea.String("ecs"),
		})
		if err != nil || len(out.Body.Instances) != 1 || tea.Int32Value(out.Body.PageInfo.TotalCount) != 1 {
			t.Fatalf("instances: %v, %v", out, err)
		}
		i := out.Body.Instances[0]
		if tea.StringValue(i.RegionId) != server.Home || tea.StringValue(i.Region) == server.Home || tea.StringValue(i.Uuid) == "" {
			t.Errorf("the instance is %v", i)
		}
		return tea.StringValue(i.ClientStatus)
	}
	if got := status(); got != "offline" {
		t.Errorf("before the agent is %s", got)
	}
	x.advance(t, 95*time.Second)
	if got, done := status(), x.completed(t)[id]["exitCode"]; got != "offline" || done != "0" {
		t.Errorf("when the command has ended with %v the agent is %s", done, got)
	}
	x.advance(t, 5*time.Minute)
	if got := status(); got != "online" {
		t.Errorf("later the agent is %s", got)
	}
	if _, err := api.DeleteInstallCode(&sassdk.DeleteInstallCodeRequest{CaptchaCode: code.CaptchaCode}); err != nil {
		t.Error(err)
	}
}

// TestTheSubStatusArrivesInARawAnswer: the typed struct of sas v2.28.0 lacks it.
func TestTheSubStatusArrivesInARawAnswer(t *testing.T) {
	x := newInstances(t)
	want := map[string]string{}
	for agent, status := range map[string]string{
		"online": "online+online", "uninstalled": "offline+uninstalled", "offline": "offline+offline", "paused": "pause+pause", "never": "+",
	} {
		want[x.seed(t, ecs.FleetSpec{Count: 1, Agent: agent})[0]] = status
	}
	want[x.seed(t, ecs.FleetSpec{Count: 1, Status: "Stopped"})[0]] = "offline+stopped"
	x.seed(t, ecs.FleetSpec{Count: 1, Agent: "unknown"})
	c, err := openapi.NewClient(x.config())
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.CallApi(&openapiutil.Params{
		Action: tea.String("DescribeCloudCenterInstances"), Version: tea.String("2018-12-03"), Protocol: tea.String("HTTP"),
		Pathname: tea.String("/"), Method: tea.String("POST"), AuthType: tea.String("AK"), Style: tea.String("RPC"),
		ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
	}, &openapiutil.OpenApiRequest{}, &dara.RuntimeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, i := range out["body"].(map[string]any)["Instances"].([]any) {
		m := i.(map[string]any)
		got[m["InstanceId"].(string)] = fmt.Sprint(m["ClientStatus"], "+", m["ClientSubStatus"])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOneClickSpellsItsAnswersAsTheVendorDoes(t *testing.T) {
	x := newInstances(t)
	api := x.sas(t)
	id := x.seed(t, ecs.FleetSpec{Count: 1, Agent: "uninstalled"})[0]
	begun, err := api.OperateAgentClientInstall(&sassdk.OperateAgentClientInstallRequest{
		InstanceIds: &id, Region: tea.String(server.Home), Os: tea.String("linux"),
	})
	if err != nil || len(begun.Body.AegisCelintInstallResposeList) != 1 {
		t.Fatalf("begun: %v, %v", begun, err)
	}
	uuid := begun.Body.AegisCelintInstallResposeList[0].Uuid
	for _, want := range []string{"0 -1", "-1 -1"} {
		out, err := api.DescribeAgentInstallStatus(&sassdk.DescribeAgentInstallStatusRequest{Uuids: uuid})
		if err != nil || len(out.Body.AegisClientInvokeStatusResponseList) != 1 {
			t.Fatalf("status: %v, %v", out, err)
		}
		s := out.Body.AegisClientInvokeStatusResponseList[0]
		if got := fmt.Sprint(tea.Int32Value(s.Result), " ", tea.StringValue(s.ResuleCode)); got != want {
			t.Errorf("the installation is %s, want %s", got, want)
		}
		x.advance(t, 10*time.Minute)
	}
	if _, err := api.PauseClient(&sassdk.PauseClientRequest{Uuids: uuid, Value: tea.String("0")}); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := x.SAS.Agent(server.Sharer, id); status != "pause" {
		t.Errorf("paused, the agent is %s", status)
	}
	if _, err := api.RefreshAssets(&sassdk.RefreshAssetsRequest{AssetType: tea.String("ecs"), Vendor: tea.Int32(0)}); err != nil {
		t.Error(err)
	}
	_, err = api.OperateAgentClientInstall(&sassdk.OperateAgentClientInstallRequest{InstanceIds: &id})
	wantCode(t, "400 InvalidParameter", err)
}

func TestInstallCodesAreListedTenTimesASecond(t *testing.T) {
	c := newCloud(t, server.Options{Quotas: wire.PublishedQuotas()})
	api, err := sassdk.NewClient(c.config(sharerAdmin))
	c.ok(err)
	for range 10 {
		_, err := api.DescribeInstallCodes()
		c.ok(err)
	}
	_, err = api.DescribeInstallCodes()
	wantError(t, err, 400, "Throttling.User")
	c.pass(time.Second)
	_, err = api.DescribeInstallCodes()
	c.ok(err)
}

func TestAnotherAccountSeesNoneOfIt(t *testing.T) {
	c := newCloud(t, server.Options{})
	fleet, err := c.ECS.SeedFleet(ecs.FleetSpec{Count: 1})
	c.ok(err)
	api, err := sassdk.NewClient(c.config(shareeAdmin))
	c.ok(err)
	out, err := api.DescribeCloudCenterInstances(&sassdk.DescribeCloudCenterInstancesRequest{Criteria: byID(fleet.IDs[0])})
	c.ok(err)
	if n := len(out.Body.Instances); n != 0 {
		t.Errorf("it sees %d", n)
	}
}

func TestTheWorldShowsAgentsAndTrustClientsButNoCode(t *testing.T) {
	c := newCloud(t, server.Options{})
	var seeded struct {
		Drifted map[string][]string
	}
	if status := c.control("POST", "fleet", `{"count":10,"drift":{"noAgent":0.1,"agentOffline":0.1,"noAssistant":0.1}}`, &seeded); status != 200 {
		t.Fatalf("seeding answered %d", status)
	}
	if status := c.control("POST", "fleet", `{"count":1,"agent":"asleep"}`, &map[string]any{}); status != 400 {
		t.Errorf("a bad agent answered %d", status)
	}
	api, err := sassdk.NewClient(c.config(sharerAdmin))
	c.ok(err)
	_, err = api.AddInstallCode(&sassdk.AddInstallCodeRequest{})
	c.ok(err)
	codes, err := api.DescribeInstallCodes()
	c.ok(err)
	var world map[string]any
	c.control("GET", "world", "", &world)
	got := map[string]int{}
	for _, a := range world["sas"].(map[string]any)["assets"].([]any) {
		got[fmt.Sprint(a.(map[string]any)["clientSubStatus"])]++
	}
	if diff := cmp.Diff(map[string]int{"online": 7, "uninstalled": 2, "offline": 1}, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(fmt.Sprint(world), tea.StringValue(codes.Body.InstallCodes[0].CaptchaCode)) {
		t.Error("the world shows an install code")
	}
	if len(seeded.Drifted["noAssistant"]) != 1 {
		t.Errorf("drifted are %v", seeded.Drifted)
	}
}
