package sas_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/sas"
	"fleetwarden/deploy/local/simcloud/wire"
)

func TestALaunchWithHardeningBringsItsAgentOnlineAndOthersDoNot(t *testing.T) {
	c := newCloud(t)
	hard := c.launch(ecs.RunInstancesRequest{SecurityEnhancementStrategy: "Active"})
	soft := c.launch(ecs.RunInstancesRequest{SecurityEnhancementStrategy: "Deactive"})
	c.pass(time.Minute)
	if got := c.agent(hard); got != "unknown" {
		t.Errorf("a minute after its launch the agent is %s", got)
	}
	c.pass(10 * time.Minute)
	if got := c.agent(hard); got != "online+online" {
		t.Errorf("with hardening the agent is %s", got)
	}
	if got := c.agent(soft); got != "offline+uninstalled" {
		t.Errorf("without hardening the agent is %s", got)
	}
}

func TestAnAgentStopsWithItsInstanceAndComesBack(t *testing.T) {
	c := newCloud(t)
	id := c.seed(ecs.FleetSpec{Count: 1})[0]
	if _, err := c.ecs.StopInstance(call("StopInstance", nil), &ecs.StopInstanceRequest{InstanceId: id}); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Minute)
	if got := c.agent(id); got != "offline+stopped" {
		t.Errorf("of a stopped instance the agent is %s", got)
	}
	if _, err := c.ecs.StartInstance(call("StartInstance", nil), &ecs.StartInstanceRequest{InstanceId: id}); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Minute)
	if got := c.agent(id); got != "online+online" {
		t.Errorf("of a restarted instance the agent is %s", got)
	}
}

func TestANewInstanceIsUnknownUntilItsTimeOrARefresh(t *testing.T) {
	c := newCloud(t)
	slow := c.launch(ecs.RunInstancesRequest{})
	c.pass(4 * time.Minute)
	if got := c.agent(slow); got != "unknown" {
		t.Errorf("after four minutes: %s", got)
	}
	c.pass(2 * time.Minute)
	if got := c.agent(slow); got == "unknown" {
		t.Error("still unknown after six minutes")
	}
	quick := c.launch(ecs.RunInstancesRequest{})
	ask(c, c.sas.RefreshAssets, &sas.RefreshAssetsRequest{AssetType: "cloud_product"})
	c.pass(time.Minute)
	if got := c.agent(quick); got != "unknown" {
		t.Errorf("a refresh of cloud products found an instance: %s", got)
	}
	ask(c, c.sas.RefreshAssets, &sas.RefreshAssetsRequest{AssetType: "ecs"})
	after := c.launch(ecs.RunInstancesRequest{})
	c.pass(time.Minute)
	if got := c.agent(quick); got == "unknown" {
		t.Error("unknown after a refresh")
	}
	if got := c.agent(after); got != "unknown" {
		t.Errorf("a refresh found what was launched after it: %s", got)
	}
}

func TestOnlyAGoodCodeBringsAnAgentOnline(t *testing.T) {
	for name, x := range map[string]struct {
		code    sas.CodeSpec
		script  string
		timeout int64
		want    string
	}{
		"good":              {sas.CodeSpec{}, "-k=CODE", 300, "online+online"},
		"quoted":            {sas.CodeSpec{}, "-k='CODE'", 300, "online+online"},
		"unknown":           {sas.CodeSpec{}, "-k=another", 300, "offline+uninstalled"},
		"none":              {sas.CodeSpec{}, "CODE", 300, "offline+uninstalled"},
		"for images":        {sas.CodeSpec{OnlyImage: true}, "-k=CODE", 300, "offline+uninstalled"},
		"for another os":    {sas.CodeSpec{OS: "windows"}, "-k=CODE", 300, "offline+uninstalled"},
		"of another owner":  {sas.CodeSpec{Account: other}, "-k=CODE", 300, "offline+uninstalled"},
		"expires under way": {sas.CodeSpec{Expires: time.Date(2026, 1, 5, 0, 1, 0, 0, time.UTC)}, "-k=CODE", 300, "offline+uninstalled"},
		"default timeout":   {sas.CodeSpec{}, "-k=CODE", 0, "offline+uninstalled"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			if x.code.Account == "" {
				x.code.Account = account
			}
			if x.code.Expires.IsZero() {
				x.code.Expires = time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC)
			}
			code, err := c.sas.SeedCode(x.code)
			if err != nil {
				t.Fatal(err)
			}
			id := c.seed(ecs.FleetSpec{Count: 1, Agent: "uninstalled"})[0]
			_, err = c.ecs.RunCommand(call("RunCommand", nil), &ecs.RunCommandRequest{
				Type: "RunShellScript", CommandContent: "./AliAqsInstall.sh " + strings.ReplaceAll(x.script, "CODE", code),
				Timeout: x.timeout, InstanceId: []string{id},
			})
			if err != nil {
				t.Fatal(err)
			}
			c.pass(time.Hour)
			if got := c.agent(id); got != x.want {
				t.Errorf("the agent is %s, want %s", got, x.want)
			}
		})
	}
}

func TestACodeMayComeAsAParameter(t *testing.T) {
	c := newCloud(t)
	code, err := c.sas.SeedCode(sas.CodeSpec{Account: account, Expires: c.clock.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	command, err := c.ecs.SeedCommand(ecs.CommandSpec{
		Name: "agent", Type: "RunShellScript", Timeout: 600, Content: "set -- '{{code}}'\n./AliAqsInstall.sh -k=\"$1\"",
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := c.seed(ecs.FleetSpec{Count: 3, Agent: "uninstalled"})
	_, err = c.ecs.InvokeCommand(call("InvokeCommand", nil), &ecs.InvokeCommandRequest{
		CommandId: command, InstanceId: ids[:2], Parameters: `{"code":"` + code + `"}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.pass(time.Hour)
	for n, want := range []string{"online+online", "online+online", "offline+uninstalled"} {
		if got := c.agent(ids[n]); got != want {
			t.Errorf("agent %d is %s, want %s", n, got, want)
		}
	}
}

func TestAnInstalledAgentThatIsDownStaysDown(t *testing.T) {
	c := newCloud(t)
	for agent, want := range map[string]string{"offline": "offline+offline", "paused": "pause+pause"} {
		id := c.seed(ecs.FleetSpec{Count: 1, Agent: agent})[0]
		code, err := c.sas.SeedCode(sas.CodeSpec{Account: account, Expires: c.clock.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.ecs.RunCommand(call("RunCommand", nil), &ecs.RunCommandRequest{
			Type: "RunShellScript", CommandContent: "AliAqsInstall -k=" + code, Timeout: 600, InstanceId: []string{id},
		}); err != nil {
			t.Fatal(err)
		}
		c.pass(time.Hour)
		if got := c.agent(id); got != want {
			t.Errorf("%s: the agent is %s, want %s", agent, got, want)
		}
	}
}

func TestUserDataMayInstallTheAgentAtTheFirstBoot(t *testing.T) {
	c := newCloud(t)
	code, err := c.sas.SeedCode(sas.CodeSpec{Account: account, Expires: c.clock.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	id := c.launch(ecs.RunInstancesRequest{UserData: base64.StdEncoding.EncodeToString([]byte("AliAqsInstall.sh -k=" + code))})
	c.pass(time.Hour)
	if got := c.agent(id); got != "online+online" {
		t.Errorf("the agent is %s", got)
	}
}

func TestEachCallAsksForItsActionAndWhoIsDeniedChangesNothing(t *testing.T) {
	c := newCloud(t)
	id := c.seed(ecs.FleetSpec{Count: 1})[0]
	u := c.uuid(id)
	code, err := c.sas.SeedCode(sas.CodeSpec{Account: account, Expires: c.clock.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	apis := map[string]func(*wire.Call) error{
		"DescribeCloudCenterInstances": api(c.sas, c.sas.DescribeCloudCenterInstances, &sas.DescribeCloudCenterInstancesRequest{}),
		"RefreshAssets":                api(c.sas, c.sas.RefreshAssets, &sas.RefreshAssetsRequest{AssetType: "ecs"}),
		"DescribeInstallCodes":         api(c.sas, c.sas.DescribeInstallCodes, &sas.DescribeInstallCodesRequest{}),
		"AddInstallCode":               api(c.sas, c.sas.AddInstallCode, &sas.AddInstallCodeRequest{}),
		"OperateAgentClientInstall":    api(c.sas, c.sas.OperateAgentClientInstall, &sas.OperateAgentClientInstallRequest{Uuids: u}),
		"DescribeAgentInstallStatus":   api(c.sas, c.sas.DescribeAgentInstallStatus, &sas.DescribeAgentInstallStatusRequest{Uuids: u}),
		"PauseClient":                  api(c.sas, c.sas.PauseClient, &sas.PauseClientRequest{Uuids: u, Value: "0"}),
		"DeleteInstallCode":            api(c.sas, c.sas.DeleteInstallCode, &sas.DeleteInstallCodeRequest{CaptchaCode: code}),
	}
	before := c.sas.State()
	for name, do := range apis {
		no := call(name, nil)
		no.Authorize = func(string, string, map[string]string) error { return wire.Errorf(403, "Forbidden.RAM", "no") }
		if got := codeOf(do(no)); got != "Forbidden.RAM" {
			t.Errorf("%s answers %s", name, got)
		}
	}
	if diff := cmp.Diff(before, c.sas.State()); diff != "" {
		t.Error(diff)
	}
	for name, do := range apis {
		var asked []string
		if err := do(call(name, &asked)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]string{"yundun-sas:" + name + " *"}, asked); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTheStateHoldsNoInstallCode(t *testing.T) {
	c := newCloud(t)
	code, err := c.sas.SeedCode(sas.CodeSpec{Account: account, Code: "CanaryCode", Expires: c.clock.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(c.sas.State())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), code) {
		t.Errorf("the state shows the code: %s", b)
	}
	if !strings.Contains(string(b), `"os":"linux"`) {
		t.Errorf("the state does not show that there is a code: %s", b)
	}
}
