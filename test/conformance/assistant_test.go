package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// completed are the TaskCompleted events so far, by instance.
func (x *instances) completed(t *testing.T) map[string]map[string]any {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	out := map[string]map[string]any{}
	for _, e := range x.events {
		if e.Type != "ecs:CloudAssistant:TaskCompleted" {
			continue
		}
		var data map[string]any
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Fatal(err)
		}
		out[tea.ToString(data["instanceId"])] = data
	}
	return out
}

func TestACommandGoesFromItsCreationToItsResults(t *testing.T) {
	x := newInstances(t)
	ids := x.seed(t, ecs.FleetSpec{Count: 3})
	made, err := x.CreateCommand(&ecssdk.CreateCommandRequest{
		RegionId: tea.String(server.Home), Name: tea.String("greet"), Type: tea.String("RunShellScript"), Timeout: tea.Int64(300),
		CommandContent: tea.String(base64.StdEncoding.EncodeToString([]byte("echo {{name}}"))), ContentEncoding: tea.String("Base64"),
		EnableParameter: tea.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	command := tea.StringValue(made.Body.CommandId)
	invoked, err := x.InvokeCommand(&ecssdk.InvokeCommandRequest{
		RegionId: tea.String(server.Home), CommandId: &command, InstanceId: tea.StringSlice(ids),
		Parameters: map[string]any{"name": "world"}, ClientToken: tea.String("t"),
	})
	if err != nil {
		t.Fatal(err)
	}
	x.advance(t, time.Minute)

	list, err := x.DescribeInvocations(&ecssdk.DescribeInvocationsRequest{
		RegionId: tea.String(server.Home), InvokeId: invoked.Body.InvokeId, IncludeOutput: tea.Bool(true), MaxResults: tea.Int32(2),
	})
	if err != nil {
		t.Fatal(err)
	}
	first := list.Body.Invocations.Invocation[0].InvokeInstances.InvokeInstance[0]
	output, err := base64.StdEncoding.DecodeString(tea.StringValue(first.Output))
	if err != nil || len(output) == 0 {
		t.Errorf("the output is %q: %v", tea.StringValue(first.Output), err)
	}
	if tea.StringValue(first.InvocationStatus) != "Success" || tea.StringValue(first.InstanceInvokeStatus) != "Finished" ||
		tea.StringValue(first.FinishTime) == "" || tea.StringValue(first.ErrorCode) != "" {
		t.Errorf("the result is %v", first)
	}
	all, err := x.DescribeInvocations(&ecssdk.DescribeInvocationsRequest{
		RegionId: tea.String(server.Home), CommandId: &command, InstanceId: &ids[1], IncludeOutput: tea.Bool(true), ContentEncoding: tea.String("PlainText"),
	})
	if err != nil {
		t.Fatal(err)
	}
	v := all.Body.Invocations.Invocation[0]
	if tea.StringValue(v.InvocationStatus) != "Success" || tea.StringValue(v.CommandContent) != "echo {{name}}" ||
		tea.StringValue(v.InvokeInstances.InvokeInstance[2].FinishTime) == "" || tea.Int64Value(v.Timeout) != 300 {
		t.Errorf("the invocation is %v", v)
	}
	want := map[string]any{
		"commandId": command, "commandName": "greet", "exitCode": "0", "finishTime": tea.StringValue(first.FinishTime),
		"instanceId": ids[0], "invocationStatus": "Success",
	}
	done := x.completed(t)
	if diff := cmp.Diff(want, done[ids[0]]); len(done) != 3 || diff != "" {
		t.Errorf("%d events: %s", len(done), diff)
	}
}

func TestAWholeCallFailsForOneUnfitInstance(t *testing.T) {
	x := newInstances(t)
	ids := x.seed(t, ecs.FleetSpec{Count: 100})
	windows := x.seed(t, ecs.FleetSpec{Count: 1, OS: "windows"})[0]
	run := func(ids ...string) error {
		_, err := x.RunCommand(&ecssdk.RunCommandRequest{
			RegionId: tea.String(server.Home), Type: tea.String("RunShellScript"), CommandContent: tea.String("true"), InstanceId: tea.StringSlice(ids),
		})
		return err
	}
	wantCode(t, "404 InvalidInstance.NotFound", run(ids[0], "i-gone"))
	wantCode(t, "403 InvalidInstance.NotMatch", run(ids[0], windows))
	wantCode(t, "403 InstanceIds.ExceedLimit", run(append(ids, windows)...))
	wantCode(t, "<nil>", run(ids...))
	_, err := x.InvokeCommand(&ecssdk.InvokeCommandRequest{RegionId: tea.String(server.Home), CommandId: tea.String("c-gone"), InstanceId: tea.StringSlice(ids[:1])})
	wantCode(t, "404 InvalidCmdId.NotFound", err)
}

func TestCloudAssistantIsAStringAndAVersion(t *testing.T) {
	x := newInstances(t)
	ids := []string{
		x.seed(t, ecs.FleetSpec{Count: 1})[0], x.seed(t, ecs.FleetSpec{Count: 1, Assistant: "silent"})[0],
		x.seed(t, ecs.FleetSpec{Count: 1, Assistant: "absent", OS: "windows"})[0],
	}
	out, err := x.DescribeCloudAssistantStatus(&ecssdk.DescribeCloudAssistantStatusRequest{RegionId: tea.String(server.Home), InstanceId: tea.StringSlice(ids)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range out.Body.InstanceCloudAssistantStatusSet.InstanceCloudAssistantStatus {
		got = append(got, tea.StringValue(s.CloudAssistantStatus)+" "+tea.StringValue(s.OSType)+" "+tea.StringValue(s.CloudAssistantVersion))
	}
	want := []string{"true Linux 2.2.3.1012", "false Linux 2.2.3.1012", "false Windows "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	x.seed(t, ecs.FleetSpec{Count: 60})
	_, err = x.DescribeCloudAssistantStatus(&ecssdk.DescribeCloudAssistantStatusRequest{
		RegionId: tea.String(server.Home), InstanceId: tea.StringSlice(make51()),
	})
	wantCode(t, "400 InvalidParameter", err)
	page, err := x.DescribeCloudAssistantStatus(&ecssdk.DescribeCloudAssistantStatusRequest{RegionId: tea.String(server.Home), MaxResults: tea.Int32(50)})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(page.Body.InstanceCloudAssistantStatusSet.InstanceCloudAssistantStatus); n != 50 || tea.StringValue(page.Body.NextToken) == "" {
		t.Errorf("a page holds %d, next %q", n, tea.StringValue(page.Body.NextToken))
	}
}

func make51() []string { return strings.Split(strings.Repeat("i-x,", 50)+"i-x", ",") }

// TestARoleRunsTheCommandsItNamesAndNoOthers: InvokeCommand is asked for the
// command and for each instance, RunCommand for any command.
func TestARoleRunsTheCommandsItNamesAndNoOthers(t *testing.T) {
	c := newCloud(t, server.Options{})
	fleet, err := c.ECS.SeedFleet(ecs.FleetSpec{Count: 1})
	c.ok(err)
	mine, err := c.ECS.SeedCommand(ecs.CommandSpec{Name: "mine", Type: "RunShellScript", Content: "true"})
	c.ok(err)
	other, err := c.ECS.SeedCommand(ecs.CommandSpec{Name: "other", Type: "RunShellScript", Content: "true"})
	c.ok(err)
	prefix := "acs:ecs:" + server.Home + ":" + server.Sharer + ":"
	c.makeRole("push", fcTrust, `{"Effect":"Allow","Action":["ecs:InvokeCommand","ecs:RunCommand"],"Resource":["`+prefix+`instance/*","`+prefix+`command/`+mine+`"]}`)
	c.pass(time.Minute)
	who := c.asFunction("push")
	client, err := ecssdk.NewClient(c.config(who))
	c.ok(err)
	invoke := func(command string) error {
		_, err := client.InvokeCommand(&ecssdk.InvokeCommandRequest{RegionId: tea.String(server.Home), CommandId: &command, InstanceId: tea.StringSlice(fleet.IDs)})
		return err
	}
	wantError(t, invoke(other), 403, "Forbidden.RAM")
	_, err = client.RunCommand(&ecssdk.RunCommandRequest{
		RegionId: tea.String(server.Home), Type: tea.String("RunShellScript"), CommandContent: tea.String("true"), InstanceId: tea.StringSlice(fleet.IDs),
	})
	wantError(t, err, 403, "Forbidden.RAM")
	c.ok(invoke(mine))
	c.pass(time.Minute)
	if n := len(c.trail("InvokeCommand")); n != 2 {
		t.Errorf("%d records of InvokeCommand, want one of a denial and one of a success", n)
	}
}

// config is how the home account's administrator calls.
func (x *instances) config() *openapi.Config {
	return &openapi.Config{
		AccessKeyId: tea.String("local-ak"), AccessKeySecret: tea.String("local-sk"),
		Endpoint: tea.String(x.URL()[len("http://"):]), Protocol: tea.String("http"), RegionId: tea.String(server.Home),
	}
}
