package fcapi_test

import (
	"encoding/base64"
	"fmt"
	"hash/crc64"
	"io"
	"strings"
	"testing"
	"time"

	sdk "github.com/alibabacloud-go/fc-20230330/v4/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/fcapi"
	"fleetwarden/deploy/local/simcloud/server"
)

func TestAFunctionIsMadeReadChangedRunAndDeleted(t *testing.T) {
	b := newBench(t)
	api := b.client("")
	made := b.create(b.input("fleetwarden-probe"))
	code, err := probe()
	b.ok(err)
	got, err := api.GetFunction(tea.String("fleetwarden-probe"), &sdk.GetFunctionRequest{Qualifier: tea.String("LATEST")})
	b.ok(err)
	if diff := cmp.Diff(made.String(), got.Body.String()); diff != "" {
		t.Errorf("GetFunction differs from what CreateFunction answered:\n%s", diff)
	}
	f := got.Body
	want := map[string]any{
		"arn": "acs:fc:cn-hangzhou:1000000000000001:functions/fleetwarden-probe", "state": "Active", "update": "Successful",
		"checksum": fmt.Sprint(crc64.Checksum(code, crc64.MakeTable(crc64.ECMA))), "size": int64(len(code)),
		"created": "2026-01-05T00:00:00Z", "colour": "blue", "tag": "fleetwarden:deployment=one", "runtime": "go1", "internet": true,
	}
	have := map[string]any{
		"arn": *f.FunctionArn, "state": *f.State, "update": *f.LastUpdateStatus, "checksum": *f.CodeChecksum, "size": *f.CodeSize,
		"created": *f.CreatedTime, "colour": *f.EnvironmentVariables["COLOUR"], "tag": *f.Tags[0].Key + "=" + *f.Tags[0].Value,
		"runtime": *f.Runtime, "internet": *f.InternetAccess,
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
	if _, kind, body := b.invoke("fleetwarden-probe", `{"do":"env","name":"COLOUR"}`); kind != "" || !strings.Contains(body, "blue") {
		t.Errorf("invoked: %s %s", kind, body)
	}
	b.ok(b.World.Clock.Advance(t.Context(), time.Hour))
	_, err = api.UpdateFunction(f.FunctionName, &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{EnvironmentVariables: map[string]*string{"COLOUR": tea.String("red")}}})
	b.ok(err)
	got, err = api.GetFunction(f.FunctionName, &sdk.GetFunctionRequest{})
	b.ok(err)
	if g := got.Body; *g.Timeout != 60 || *g.CodeChecksum != *f.CodeChecksum || *g.LastModifiedTime != "2026-01-05T01:00:00Z" || *g.CreatedTime != *f.CreatedTime {
		t.Errorf("after the update: %s", g)
	}
	if _, _, body := b.invoke("fleetwarden-probe", `{"do":"env","name":"COLOUR"}`); !strings.Contains(body, "red") {
		t.Errorf("the update did not reach what runs: %s", body)
	}
	_, err = api.DeleteFunction(f.FunctionName)
	b.ok(err)
	_, err = api.GetFunction(f.FunctionName, &sdk.GetFunctionRequest{})
	fault(t, err, 404, "FunctionNotFound")
	if len(b.applied) != 0 {
		t.Error("what was deleted still runs")
	}
}

func TestAnUpdateOfTheCodeRunsTheNewZip(t *testing.T) {
	b := newBench(t)
	b.create(b.small("f"))
	if _, kind, body := b.invoke("f", `{}`); kind != "UnhandledInvocationError" || !strings.Contains(body, "starting an instance") {
		t.Errorf("a zip without a binary: %s %s", kind, body)
	}
	_, err := b.client("").UpdateFunction(tea.String("f"), &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{Code: b.input("f").Code}})
	b.ok(err)
	if status, kind, body := b.invoke("f", `{"do":"nothing"}`); status != 200 || kind != "" {
		t.Errorf("after the update: %d %s %s", status, kind, body)
	}
}

func TestFunctionsAreListedByNameInPages(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"b2", "a", "b3", "b1", "c"} {
		b.create(b.small(name))
	}
	_, err := b.client("").TagResources(&sdk.TagResourcesRequest{Body: &sdk.TagResourcesInput{
		ResourceType: tea.String("function"), ResourceId: []*string{tea.String("acs:fc:cn-hangzhou:1000000000000001:functions/b2")},
		Tag: []*sdk.Tag{{Key: tea.String("only"), Value: tea.String("b2")}},
	}})
	b.ok(err)
	list := func(in *sdk.ListFunctionsRequest) string {
		t.Helper()
		out, err := b.client("").ListFunctions(in)
		b.ok(err)
		text := ""
		for _, f := range out.Body.Functions {
			text += *f.FunctionName + " "
		}
		return text + "/" + tea.StringValue(out.Body.NextToken)
	}
	for want, in := range map[string]*sdk.ListFunctionsRequest{
		"a b1 b2 b3 c /": {FcVersion: tea.String("v3")},
		"b1 b2 /b2":      {Prefix: tea.String("b"), Limit: tea.Int32(2)},
		"b3 /":           {Prefix: tea.String("b"), Limit: tea.Int32(2), NextToken: tea.String("b2")},
		"b2 /":           {Tags: []*sdk.Tag{{Key: tea.String("only"), Value: tea.String("b2")}}},
		"/":              {Runtime: tea.String("python3.12")},
	} {
		if got := list(in); got != want {
			t.Errorf("%v: got %q, want %q", in, got, want)
		}
	}
	_, err = b.client("").ListFunctions(&sdk.ListFunctionsRequest{Limit: tea.Int32(101)})
	fault(t, err, 400, "InvalidArgument")
}

func TestWhatCannotBeMadeIsRefused(t *testing.T) {
	b := newBench(t)
	b.create(b.small("taken"))
	for name, x := range map[string]struct {
		change func(*sdk.CreateFunctionInput)
		status int
		code   string
	}{
		"a taken name":                {func(in *sdk.CreateFunctionInput) { in.FunctionName = tea.String("taken") }, 409, "FunctionAlreadyExists"},
		"a bad name":                  {func(in *sdk.CreateFunctionInput) { in.FunctionName = tea.String("1/2") }, 400, "InvalidArgument"},
		"no code":                     {func(in *sdk.CreateFunctionInput) { in.Code = nil }, 400, "InvalidArgument"},
		"code from OSS":               {func(in *sdk.CreateFunctionInput) { in.Code = &sdk.InputCodeLocation{OssBucketName: tea.String("b")} }, 400, "InvalidArgument"},
		"another checksum":            {func(in *sdk.CreateFunctionInput) { in.Code.Checksum = tea.String("1") }, 400, "InvalidArgument"},
		"no zip":                      {func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = tea.String("AAAA") }, 400, "InvalidArgument"},
		"concurrency of go1":          {func(in *sdk.CreateFunctionInput) { in.InstanceConcurrency = tea.Int32(2) }, 400, "InvalidArgument"},
		"too little memory for a cpu": {func(in *sdk.CreateFunctionInput) { in.Cpu = tea.Float32(1) }, 400, "InvalidArgument"},
		"a role without account":      {func(in *sdk.CreateFunctionInput) { in.Role = tea.String("worker") }, 400, "InvalidArgument"},
		"no handler":                  {func(in *sdk.CreateFunctionInput) { in.Handler = nil }, 400, "InvalidArgument"},
		"large variables": {func(in *sdk.CreateFunctionInput) {
			in.EnvironmentVariables["X"] = tea.String(strings.Repeat("x", 4<<10))
		}, 400, "InvalidArgument"},
		"a tag twice": {func(in *sdk.CreateFunctionInput) { in.Tags = append(in.Tags, in.Tags[0]) }, 400, "InvalidArgument"},
	} {
		t.Run(name, func(t *testing.T) {
			in := b.small("fresh")
			x.change(in)
			_, err := b.client("").CreateFunction(&sdk.CreateFunctionRequest{Body: in})
			fault(t, err, x.status, x.code)
		})
	}
	if len(b.applied) != 1 {
		t.Errorf("something was made: %d functions", len(b.applied))
	}
}

func TestAZipCannotLeaveItsFolder(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"../out", "/abs", "a/../../out"} {
		code, err := zipOf(map[string][]byte{name: []byte("x")})
		b.ok(err)
		in := b.small("f")
		in.Code.ZipFile = tea.String(base64.StdEncoding.EncodeToString(code))
		_, err = b.client("").CreateFunction(&sdk.CreateFunctionRequest{Body: in})
		fault(t, err, 400, "InvalidArgument")
	}
}

func TestWhatThePlatformRefusesIsNotKept(t *testing.T) {
	b := newBench(t)
	b.create(b.small("f"))
	b.mu.Lock()
	b.refuse = fmt.Errorf("no room")
	b.mu.Unlock()
	_, err := b.client("").PutConcurrencyConfig(tea.String("f"), &sdk.PutConcurrencyConfigRequest{Body: &sdk.PutConcurrencyInput{ReservedConcurrency: tea.Int64(5)}})
	fault(t, err, 400, "InvalidArgument")
	_, err = b.client("").GetConcurrencyConfig(tea.String("f"))
	fault(t, err, 404, "OnDemandConfigNotFound")
}

func TestASeededFunctionShowsAsItRuns(t *testing.T) {
	b := newBench(t)
	d := fcapi.Deployment{
		Account: server.Sharer, Region: server.Home, Reserved: new(2), Async: &fcapi.AsyncInput{MaxAsyncRetryAttempts: tea.Int64(3)},
		Function: fcapi.Function{Config: fcapi.Config{Runtime: tea.String("go1")}, FunctionName: "seed"},
		Triggers: []fcapi.Trigger{{TriggerName: "every", TriggerType: "timer", TriggerConfig: `{"enable":true}`}},
	}
	b.api.Seed(d, func(w io.Writer) error { _, err := io.WriteString(w, "zip"); return err })
	f, err := b.client("").GetFunction(tea.String("seed"), &sdk.GetFunctionRequest{})
	b.ok(err)
	async, err := b.client("").GetAsyncInvokeConfig(tea.String("seed"), &sdk.GetAsyncInvokeConfigRequest{})
	b.ok(err)
	own, err := b.client("").GetConcurrencyConfig(tea.String("seed"))
	b.ok(err)
	every, err := b.client("").GetTrigger(tea.String("seed"), tea.String("every"))
	b.ok(err)
	got := []any{*f.Body.State, *f.Body.CodeChecksum, *async.Body.MaxAsyncRetryAttempts, *own.Body.ReservedConcurrency, *every.Body.TriggerConfig, *every.Body.TargetArn}
	want := []any{"Active", fcapi.Checksum([]byte("zip")), int64(3), int64(2), `{"enable":true}`, "acs:fc:cn-hangzhou:1000000000000001:functions/seed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
