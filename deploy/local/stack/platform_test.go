package stack_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	sdk "github.com/alibabacloud-go/fc-20230330/v4/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/fcapi"
	"fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/deploy/local/simcloud/server"
)

// api is the official SDK before Function Compute of the home region.
func (f *fixture) api() *sdk.Client {
	f.Helper()
	client, err := sdk.NewClient(&openapi.Config{
		AccessKeyId: tea.String("local-ak"), AccessKeySecret: tea.String("local-sk"), RegionId: tea.String(server.Home),
		Endpoint: tea.String(strings.TrimPrefix(f.cloud.URL(), "http://")), Protocol: tea.String("http"),
	})
	f.ok(err)
	return client
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// zipped is the probe as a deployment uploads it.
func (f *fixture) zipped() *sdk.InputCodeLocation {
	f.Helper()
	dir, err := bin()
	f.ok(err)
	binary, err := os.ReadFile(filepath.Join(dir, "probe", "main"))
	f.ok(err)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "main"}
	h.SetMode(0o755)
	w, err := z.CreateHeader(h)
	f.ok(err)
	_, err = w.Write(binary)
	f.ok(err)
	f.ok(z.Close())
	return &sdk.InputCodeLocation{ZipFile: tea.String(base64.StdEncoding.EncodeToString(b.Bytes()))}
}

var probeName = tea.String("fleetwarden-probe")

func TestWhatIsDeployedShowsInTheAPI(t *testing.T) {
	f := deploy(t)
	got, err := f.api().GetFunction(probeName, &sdk.GetFunctionRequest{})
	f.ok(err)
	if g := got.Body; *g.Role != "acs:ram::1000000000000001:role/fleetwarden-probe" || *g.MemorySize != 128 || len(*g.CodeChecksum) < 10 || *g.CodeSize < 1000 {
		t.Errorf("got %s", g)
	}
	list, err := f.api().ListTriggers(probeName, &sdk.ListTriggersRequest{})
	f.ok(err)
	configs := map[string]map[string]any{}
	for _, x := range list.Body.Triggers {
		var config map[string]any
		f.ok(json.Unmarshal([]byte(*x.TriggerConfig), &config))
		configs[*x.TriggerName] = config
	}
	want := map[string]any{"cronExpression": "0 0 4 * * *", "enable": true, "payload": "job"}
	if diff := cmp.Diff(want, configs["daily"]); diff != "" || len(configs) != 3 {
		t.Errorf("%d triggers, and of daily:\n%s", len(configs), diff)
	}
	if p := configs["launches"]["eventRuleFilterPattern"]; p != `{"type":["test:Launch"]}` {
		t.Errorf("pattern %v", p)
	}
	async, err := f.api().GetAsyncInvokeConfig(probeName, &sdk.GetAsyncInvokeConfigRequest{Qualifier: tea.String("LATEST")})
	f.ok(err)
	if d := *async.Body.DestinationConfig.OnFailure.Destination; d != "acs:mns:cn-hangzhou:1000000000000001:/queues/fleetwarden-dead-letters/messages" {
		t.Errorf("destination %s", d)
	}
}

func TestASecondDeploymentReachesEveryTrigger(t *testing.T) {
	f := deploy(t)
	_, err := f.api().UpdateFunction(probeName, &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{
		Code: f.zipped(), EnvironmentVariables: map[string]*string{"COLOUR": tea.String("second")},
	}})
	f.ok(err)
	f.send(2, `{"do":"nothing"}`)
	f.publish(server.Home, "test:Launch", `{"do":"nothing"}`)
	f.quiet()
	if err := f.cloud.World.Clock.Advance(t.Context(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"launches 1 1s 1 ", "inbox 1 15s 2 ", "daily 1 4h0m0s 1 "}, f.runs()); diff != "" {
		t.Error(diff)
	}
	res, err := f.Invoke(t.Context(), server.Home, "probe", []byte(`{"do":"env","name":"COLOUR"}`))
	if f.ok(err); !strings.Contains(string(res.Body), "second") {
		t.Errorf("it runs %s", res.Body)
	}
}

func TestADeletedTriggerBringsNothing(t *testing.T) {
	f := deploy(t)
	configs := map[string]*sdk.Trigger{}
	for _, name := range []string{"launches", "inbox", "daily"} {
		got, err := f.api().GetTrigger(probeName, &name)
		f.ok(err)
		configs[name] = got.Body
		_, err = f.api().DeleteTrigger(probeName, &name)
		f.ok(err)
	}
	happen := func() []string {
		f.send(1, `{"do":"nothing"}`)
		f.publish(server.Home, "test:Launch", `{"do":"nothing"}`)
		f.ok(f.cloud.World.Clock.Advance(t.Context(), 24*time.Hour))
		return f.runs()
	}
	if got := happen(); len(got) != 0 {
		t.Errorf("without triggers ran %q", got)
	}
	for name, x := range configs {
		_, err := f.api().CreateTrigger(probeName, &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{
			TriggerName: &name, TriggerType: x.TriggerType, TriggerConfig: x.TriggerConfig,
		}})
		f.ok(err)
	}
	if got := happen(); len(got) != 3 {
		t.Errorf("with them again ran %q, want one of each", got)
	}
}

func TestATriggerThatCannotBeChangesNothing(t *testing.T) {
	f := deploy(t)
	for name, x := range map[string][2]string{
		"a missing queue":  {"NewQueue", strings.ReplaceAll(f.config("inbox"), "fleetwarden-probe", "none")},
		"an unknown key":   {"NewKey", `{"enable":true,"cronExpression":"@every 5m","payload":"","moon":1}`},
		"no object":        {"NewList", `[]`},
		"a wrong schedule": {"NewTimer", `{"enable":true,"cronExpression":"never","payload":""}`},
	} {
		kind := "timer"
		if name == "a missing queue" {
			kind = "eventbridge"
		}
		_, err := f.api().CreateTrigger(probeName, &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{TriggerName: &x[0], TriggerType: &kind, TriggerConfig: &x[1]}})
		if err == nil || !strings.Contains(err.Error(), "InvalidArgument") {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.send(1, `{"do":"nothing"}`)
	f.publish(server.Home, "test:Launch", `{"do":"nothing"}`)
	f.quiet()
	if diff := cmp.Diff([]string{"launches 1 1s 1 ", "inbox 1 15s 1 "}, f.runs()); diff != "" {
		t.Error(diff)
	}
}

func (f *fixture) config(trigger string) string {
	f.Helper()
	got, err := f.api().GetTrigger(probeName, &trigger)
	f.ok(err)
	return *got.Body.TriggerConfig
}

func TestAForeignFunctionIsKeptAndNotRun(t *testing.T) {
	f := deploy(t)
	name := tea.String("sweep")
	_, err := f.api().CreateFunction(&sdk.CreateFunctionRequest{Body: &sdk.CreateFunctionInput{
		FunctionName: name, Runtime: tea.String("python3.12"), Handler: tea.String("index.handler"), Code: f.zipped(),
		Tags: []*sdk.Tag{{Key: tea.String("owner"), Value: tea.String("another team")}},
	}})
	f.ok(err)
	got, err := f.api().GetFunction(name, &sdk.GetFunctionRequest{})
	f.ok(err)
	if *got.Body.Runtime != "python3.12" || *got.Body.Tags[0].Value != "another team" {
		t.Errorf("got %s", got.Body)
	}
	_, err = f.api().InvokeFunction(name, &sdk.InvokeFunctionRequest{Body: strings.NewReader("{}")})
	if err == nil || !strings.Contains(err.Error(), "runtime go1 alone") {
		t.Errorf("invoked: %v", err)
	}
	_, err = f.api().DeleteFunction(name)
	f.ok(err)
	if n := len(f.Functions()); n != 2 {
		t.Errorf("%d functions are deployed, want the 2 of the manifest", n)
	}
}

func TestAFunctionOfTheAPIRunsWithItsTrigger(t *testing.T) {
	f := deploy(t)
	name := tea.String("fleetwarden-third")
	_, err := f.api().CreateFunction(&sdk.CreateFunctionRequest{Body: &sdk.CreateFunctionInput{
		FunctionName: name, Runtime: tea.String("go1"), Handler: tea.String("main"), Code: f.zipped(), Role: tea.String("acs:ram::1000000000000001:role/fleetwarden-probe"),
	}})
	f.ok(err)
	config := strings.ReplaceAll(f.config("launches"), "test:Launch", "test:Third")
	_, err = f.api().CreateTrigger(name, &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{TriggerName: tea.String("third"), TriggerType: tea.String("eventbridge"), TriggerConfig: &config}})
	f.ok(err)
	f.publish(server.Home, "test:Third", `{"do":"nothing"}`)
	f.quiet()
	if diff := cmp.Diff([]string{"third 1 1s 1 "}, f.runs()); diff != "" {
		t.Error(diff)
	}
	if got := f.Invocations()[0].Function; got != "fleetwarden-third" {
		t.Errorf("it is called %q", got)
	}
}

func TestADisabledFunctionLeavesItsMessages(t *testing.T) {
	f := deploy(t)
	_, err := f.api().DisableFunctionInvocation(probeName, &sdk.DisableFunctionInvocationRequest{Reason: tea.String("drill")})
	f.ok(err)
	f.send(1, `{"do":"nothing"}`)
	f.quiet()
	if runs, dead := f.runs(), f.deadLetters(); len(runs) != 0 || len(dead) != 1 {
		t.Errorf("ran %q, dead letters %q", runs, dead)
	}
}

func TestWithoutItsServiceLinkedRoleATriggerBringsNothing(t *testing.T) {
	for _, role := range []string{eventbridge.RoleToFunction, eventbridge.RoleFromQueue} {
		f := deploy(t)
		f.cloud.ServiceRoles.Remove(server.Sharer, role)
		f.send(1, `{"do":"nothing"}`)
		f.publish(server.Home, "test:Launch", `{"do":"nothing"}`)
		f.quiet()
		want := []string{"launches 1 1s 1 "}
		if role == eventbridge.RoleToFunction {
			want = nil
		}
		if diff := cmp.Diff(want, f.runs()); diff != "" {
			t.Errorf("without %s: %s", role, diff)
		}
	}
}

// The code that the API shows has the policy file that the functions go by.
func TestTheCodeHasThePolicyOfNow(t *testing.T) {
	f := deploy(t)
	shown := func() (checksum, policy string) {
		t.Helper()
		got, err := f.api().GetFunctionCode(probeName, &sdk.GetFunctionCodeRequest{})
		f.ok(err)
		resp, err := http.Get(*got.Body.Url)
		f.ok(err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		f.ok(err)
		z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		f.ok(err)
		text, err := fs.ReadFile(z, "policy.json")
		f.ok(err)
		if sum := fcapi.Checksum(body); sum != *got.Body.Checksum {
			t.Errorf("checksum %s, the zip has %s", *got.Body.Checksum, sum)
		}
		return *got.Body.Checksum, string(text)
	}
	first := filepath.Join(t.TempDir(), "first.yaml")
	f.ok(os.WriteFile(first, []byte("version: 1\n"), 0o600))
	f.ok(f.UsePolicy(first))
	before, policy := shown()
	if policy != "version: 1\n" {
		t.Errorf("it carries %q", policy)
	}
	second := filepath.Join(t.TempDir(), "second.yaml")
	f.ok(os.WriteFile(second, []byte("version: 2\n"), 0o600))
	f.ok(f.UsePolicy(second))
	if after, policy := shown(); policy != "version: 2\n" || after == before {
		t.Errorf("then %q, with checksum %s after %s", policy, after, before)
	}
}
