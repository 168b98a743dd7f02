package fcapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	sdk "github.com/alibabacloud-go/fc-20230330/v4/client"
	util "github.com/alibabacloud-go/tea-utils/v2/service"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/fcapi"
	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
)

func str(s string) *string { return &s }

func TestTriggersHaveTheirConfigAsAString(t *testing.T) {
	b := newBench(t)
	b.create(b.small("f"))
	api := b.client("")
	timer := `{"cronExpression":"@every 5m","enable":true,"payload":""}`
	made, err := api.CreateTrigger(str("f"), &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{
		TriggerName: str("every"), TriggerType: str("timer"), TriggerConfig: &timer,
	}})
	b.ok(err)
	if x := made.Body; *x.TriggerConfig != timer || *x.Qualifier != "LATEST" || *x.TargetArn != "acs:fc:cn-hangzhou:1000000000000001:functions/f" {
		t.Errorf("made %s", x)
	}
	_, err = api.CreateTrigger(str("f"), &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{TriggerName: str("every"), TriggerType: str("timer"), TriggerConfig: &timer}})
	fault(t, err, 409, "TriggerAlreadyExists")
	_, err = api.CreateTrigger(str("f"), &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{TriggerName: str("bad"), TriggerType: str("timer"), TriggerConfig: str("{")}})
	fault(t, err, 400, "InvalidArgument")
	off := `{"cronExpression":"@every 5m","enable":false,"payload":""}`
	_, err = api.UpdateTrigger(str("f"), str("every"), &sdk.UpdateTriggerRequest{Body: &sdk.UpdateTriggerInput{TriggerConfig: &off}})
	b.ok(err)
	_, err = api.UpdateTrigger(str("f"), str("none"), &sdk.UpdateTriggerRequest{Body: &sdk.UpdateTriggerInput{TriggerConfig: &off}})
	fault(t, err, 404, "TriggerNotFound")
	list, err := api.ListTriggers(str("f"), &sdk.ListTriggersRequest{Limit: tea.Int32(100)})
	b.ok(err)
	if len(list.Body.Triggers) != 1 || *list.Body.Triggers[0].TriggerConfig != off || b.applied["f"].Triggers[0].TriggerConfig != off {
		t.Errorf("listed %s, applied %v", list.Body, b.applied["f"].Triggers)
	}
	_, err = api.DeleteFunction(str("f"))
	fault(t, err, 409, "FunctionNotEmpty")
	_, err = api.DeleteTrigger(str("f"), str("every"))
	b.ok(err)
	_, err = api.GetTrigger(str("f"), str("every"))
	fault(t, err, 404, "TriggerNotFound")
	if len(b.applied["f"].Triggers) != 0 {
		t.Error("the deleted trigger is still applied")
	}
}

func TestAsynchronousConfigIsRefusedWhereTheRoleCannotWrite(t *testing.T) {
	b := newBench(t)
	b.create(b.small("f"))
	api := b.client("")
	_, err := api.GetAsyncInvokeConfig(str("f"), &sdk.GetAsyncInvokeConfigRequest{Qualifier: str("LATEST")})
	fault(t, err, 404, "AsyncConfigNotExists")
	put := func(destination, qualifier string, retries int64) error {
		_, err := api.PutAsyncInvokeConfig(str("f"), &sdk.PutAsyncInvokeConfigRequest{Qualifier: &qualifier, Body: &sdk.PutAsyncInvokeConfigInput{
			MaxAsyncRetryAttempts: &retries, MaxAsyncEventAgeInSeconds: tea.Int64(86400),
			DestinationConfig: &sdk.DestinationConfig{OnFailure: &sdk.Destination{Destination: &destination}},
		}})
		return err
	}
	const dead = "acs:mns:cn-hangzhou:1000000000000001:/queues/dead/messages"
	fault(t, put("acs:mns:cn-hangzhou:1000000000000001:/queues/other/messages", "LATEST", 3), 400, "InvalidArgument")
	fault(t, put("acs:mns:cn-hangzhou:1000000000000001:/queues/dead", "LATEST", 3), 400, "InvalidArgument")
	fault(t, put(dead, "LATEST", 9), 400, "InvalidArgument")
	fault(t, put(dead, "7", 3), 400, "InvalidArgument")
	b.ok(put(dead, "LATEST", 3))
	got, err := api.GetAsyncInvokeConfig(str("f"), &sdk.GetAsyncInvokeConfigRequest{Qualifier: str("LATEST")})
	b.ok(err)
	if g := got.Body; *g.MaxAsyncRetryAttempts != 3 || *g.DestinationConfig.OnFailure.Destination != dead || *b.applied["f"].Async.MaxAsyncRetryAttempts != 3 {
		t.Errorf("got %s", g)
	}
	_, err = api.DeleteAsyncInvokeConfig(str("f"), &sdk.DeleteAsyncInvokeConfigRequest{})
	b.ok(err)
	if b.applied["f"].Async != nil {
		t.Error("the deleted configuration is still applied")
	}
}

func TestConcurrencyIsSetShownAndGivenBack(t *testing.T) {
	b := newBench(t)
	b.create(b.small("f"))
	api := b.client("")
	put := func(n int64) error {
		_, err := api.PutConcurrencyConfig(str("f"), &sdk.PutConcurrencyConfigRequest{Body: &sdk.PutConcurrencyInput{ReservedConcurrency: &n}})
		return err
	}
	fault(t, put(100), 400, "InvalidArgument") // all of the account
	b.ok(put(5))
	got, err := api.GetConcurrencyConfig(str("f"))
	b.ok(err)
	if *got.Body.ReservedConcurrency != 5 || *b.applied["f"].Reserved != 5 {
		t.Errorf("got %s", got.Body)
	}
	fault(t, put(-1), 400, "InvalidArgument")
	b.ok(put(0))
	got, err = api.GetConcurrencyConfig(str("f"))
	b.ok(err)
	if *got.Body.ReservedConcurrency != 0 {
		t.Errorf("got %s", got.Body)
	}
	_, err = api.InvokeFunction(str("f"), &sdk.InvokeFunctionRequest{Body: strings.NewReader(`{"do":"nothing"}`)})
	fault(t, err, 429, "<nil>") // the body has the reason
	_, err = api.DeleteConcurrencyConfig(str("f"))
	b.ok(err)
	_, err = api.GetConcurrencyConfig(str("f"))
	fault(t, err, 404, "OnDemandConfigNotFound")
}

func TestADisabledFunctionDoesNotRun(t *testing.T) {
	b := newBench(t)
	b.create(b.input("f"))
	api := b.client("")
	_, err := api.DisableFunctionInvocation(str("f"), &sdk.DisableFunctionInvocationRequest{Reason: str("drill"), AbortOngoingRequest: tea.Bool(true)})
	b.ok(err)
	_, err = api.InvokeFunction(str("f"), &sdk.InvokeFunctionRequest{Body: strings.NewReader("{}")})
	fault(t, err, 403, "FunctionInvocationDisabled")
	if err := b.InvokeAsync(server.Home, "f", []byte("{}")); err == nil {
		t.Error("an event reached a disabled function")
	}
	got, err := api.GetFunction(str("f"), &sdk.GetFunctionRequest{})
	b.ok(err)
	if r := got.Body.InvocationRestriction; r == nil || !*r.Disable || *r.Reason != "drill" || *r.LastModifiedTime == "" {
		t.Errorf("restriction %v", r)
	}
	_, err = api.EnableFunctionInvocation(str("f"))
	b.ok(err)
	if status, kind, _ := b.invoke("f", `{"do":"nothing"}`); status != 200 || kind != "" {
		t.Errorf("enabled again: %d %s", status, kind)
	}
}

func TestAnEventIsQueuedAndAFailureIsNoHTTPError(t *testing.T) {
	b := newBench(t)
	b.create(b.input("f"))
	out, err := b.client("").InvokeFunctionWithOptions(str("f"), &sdk.InvokeFunctionRequest{Body: strings.NewReader(`{"do":"nothing"}`)},
		&sdk.InvokeFunctionHeaders{XFcInvocationType: str("Async")}, &util.RuntimeOptions{})
	b.ok(err)
	if *out.StatusCode != http.StatusAccepted {
		t.Errorf("queued: %d", *out.StatusCode)
	}
	if _, err := b.World.Clock.Quiet(t.Context(), 1e12); err != nil {
		t.Fatal(err)
	}
	if all := b.runtime.Invocations(); len(all) != 1 || all[0].ErrorType != "" {
		t.Errorf("ran %v", all)
	}
	if status, kind, _ := b.invoke("f", `{"do":"fail"}`); status != 200 || kind != "HandledInvocationError" {
		t.Errorf("failed: %d %s", status, kind)
	}
}

func TestTagsAreSetListedAndRemoved(t *testing.T) {
	b := newBench(t)
	b.create(b.small("f"))
	api := b.client("")
	arn := []*string{str("acs:fc:cn-hangzhou:1000000000000001:functions/f")}
	tag := func(arn []*string, kind string) error {
		_, err := api.TagResources(&sdk.TagResourcesRequest{Body: &sdk.TagResourcesInput{ResourceType: &kind, ResourceId: arn,
			Tag: []*sdk.Tag{{Key: str("fleetwarden:deployment"), Value: str("two")}, {Key: str("x"), Value: str("y")}}}})
		return err
	}
	b.ok(tag(arn, "function"))
	fault(t, tag([]*string{str("acs:fc:cn-hangzhou:1000000000000001:functions/none")}, "function"), 404, "ResourceNotFound")
	fault(t, tag(arn, "moon"), 400, "InvalidArgument")
	tags := func() (text string) {
		t.Helper()
		out, err := api.ListTagResources(&sdk.ListTagResourcesRequest{ResourceType: str("function"), ResourceId: arn})
		b.ok(err)
		for _, x := range out.Body.TagResources {
			text += *x.TagKey + "=" + *x.TagValue + " "
		}
		return text
	}
	if got := tags(); got != "fleetwarden:deployment=two x=y " {
		t.Errorf("tags %s", got)
	}
	_, err := api.UntagResources(&sdk.UntagResourcesRequest{ResourceType: str("function"), ResourceId: arn, TagKey: []*string{str("x")}})
	b.ok(err)
	if got := tags(); got != "fleetwarden:deployment=two " {
		t.Errorf("tags %s", got)
	}
	_, err = api.UntagResources(&sdk.UntagResourcesRequest{ResourceType: str("function"), ResourceId: arn})
	fault(t, err, 400, "InvalidArgument")
}

// TestEachAPIAsksRAMForItsAction calls each one as a role that may do nothing else, and as
// one that may do all else.
func TestEachAPIAsksRAMForItsAction(t *testing.T) {
	calls := map[string]func(*bench, *sdk.Client) error{
		"fc:ListFunctions": func(_ *bench, c *sdk.Client) error {
			_, err := c.ListFunctions(&sdk.ListFunctionsRequest{})
			return err
		},
		"fc:GetFunction": func(_ *bench, c *sdk.Client) error {
			_, err := c.GetFunction(str("f"), &sdk.GetFunctionRequest{})
			return err
		},
		"fc:DeleteFunction": func(_ *bench, c *sdk.Client) error { _, err := c.DeleteFunction(str("g")); return err },
		"fc:CreateFunction": func(b *bench, c *sdk.Client) error {
			in := b.small("new")
			in.Role = nil
			_, err := c.CreateFunction(&sdk.CreateFunctionRequest{Body: in})
			return err
		},
		"fc:UpdateFunction": func(_ *bench, c *sdk.Client) error {
			_, err := c.UpdateFunction(str("f"), &sdk.UpdateFunctionRequest{Body: &sdk.UpdateFunctionInput{Timeout: tea.Int32(9)}})
			return err
		},
		"fc:ListTriggers": func(_ *bench, c *sdk.Client) error {
			_, err := c.ListTriggers(str("f"), &sdk.ListTriggersRequest{})
			return err
		},
		"fc:GetTrigger": func(_ *bench, c *sdk.Client) error { _, err := c.GetTrigger(str("f"), str("t")); return err },
		"fc:CreateTrigger": func(_ *bench, c *sdk.Client) error {
			_, err := c.CreateTrigger(str("f"), &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{TriggerName: str("u"), TriggerType: str("timer"), TriggerConfig: str("{}")}})
			return err
		},
		"fc:UpdateTrigger": func(_ *bench, c *sdk.Client) error {
			_, err := c.UpdateTrigger(str("f"), str("t"), &sdk.UpdateTriggerRequest{Body: &sdk.UpdateTriggerInput{TriggerConfig: str("{}")}})
			return err
		},
		"fc:DeleteTrigger": func(_ *bench, c *sdk.Client) error { _, err := c.DeleteTrigger(str("f"), str("t")); return err },
		"fc:GetFunctionAsyncInvokeConfig": func(_ *bench, c *sdk.Client) error {
			_, err := c.GetAsyncInvokeConfig(str("f"), &sdk.GetAsyncInvokeConfigRequest{})
			return err
		},
		"fc:PutFunctionAsyncInvokeConfig": func(_ *bench, c *sdk.Client) error {
			_, err := c.PutAsyncInvokeConfig(str("f"), &sdk.PutAsyncInvokeConfigRequest{Body: &sdk.PutAsyncInvokeConfigInput{MaxAsyncRetryAttempts: tea.Int64(1)}})
			return err
		},
		"fc:DeleteFunctionAsyncInvokeConfig": func(_ *bench, c *sdk.Client) error {
			_, err := c.DeleteAsyncInvokeConfig(str("f"), &sdk.DeleteAsyncInvokeConfigRequest{})
			return err
		},
		"fc:GetFunctionCode": func(_ *bench, c *sdk.Client) error {
			_, err := c.GetFunctionCode(str("f"), &sdk.GetFunctionCodeRequest{})
			return err
		},
		"fc:GetConcurrencyConfig":    func(_ *bench, c *sdk.Client) error { _, err := c.GetConcurrencyConfig(str("f")); return err },
		"fc:DeleteConcurrencyConfig": func(_ *bench, c *sdk.Client) error { _, err := c.DeleteConcurrencyConfig(str("f")); return err },
		"fc:PutConcurrencyConfig": func(_ *bench, c *sdk.Client) error {
			_, err := c.PutConcurrencyConfig(str("f"), &sdk.PutConcurrencyConfigRequest{Body: &sdk.PutConcurrencyInput{ReservedConcurrency: tea.Int64(1)}})
			return err
		},
		"fc:DisableFunctionInvocation": func(_ *bench, c *sdk.Client) error {
			_, err := c.DisableFunctionInvocation(str("f"), &sdk.DisableFunctionInvocationRequest{})
			return err
		},
		"fc:EnableFunctionInvocation": func(_ *bench, c *sdk.Client) error { _, err := c.EnableFunctionInvocation(str("f")); return err },
		"fc:InvokeFunction": func(_ *bench, c *sdk.Client) error {
			_, err := c.InvokeFunction(str("f"), &sdk.InvokeFunctionRequest{Body: strings.NewReader("{}")})
			return err
		},
		"fc:TagResources": func(_ *bench, c *sdk.Client) error {
			_, err := c.TagResources(&sdk.TagResourcesRequest{Body: &sdk.TagResourcesInput{ResourceType: str("function"),
				ResourceId: []*string{str("acs:fc:cn-hangzhou:1000000000000001:functions/f")}, Tag: []*sdk.Tag{{Key: str("k"), Value: str("v")}}}})
			return err
		},
		"fc:UntagResources": func(_ *bench, c *sdk.Client) error {
			_, err := c.UntagResources(&sdk.UntagResourcesRequest{ResourceType: str("function"),
				ResourceId: []*string{str("acs:fc:cn-hangzhou:1000000000000001:functions/f")}, TagKey: []*string{str("k")}})
			return err
		},
		"fc:ListTagResources": func(_ *bench, c *sdk.Client) error {
			_, err := c.ListTagResources(&sdk.ListTagResourcesRequest{ResourceType: str("function"), ResourceId: []*string{str("acs:fc:cn-hangzhou:1000000000000001:functions/f")}})
			return err
		},
	}
	for action, call := range calls {
		t.Run(action, func(t *testing.T) {
			b := newBench(t)
			b.create(b.small("f"))
			b.create(b.small("g"))
			full := b.client("")
			_, err := full.CreateTrigger(str("f"), &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{TriggerName: str("t"), TriggerType: str("timer"), TriggerConfig: str("{}")}})
			b.ok(err)
			b.ok(calls["fc:PutFunctionAsyncInvokeConfig"](b, full))
			b.ok(calls["fc:PutConcurrencyConfig"](b, full))
			b.role("all-else", `{"Effect":"Allow","Action":"fc:*","Resource":"*"},{"Effect":"Deny","Action":"`+action+`","Resource":"*"}`)
			b.role("alone", `{"Effect":"Allow","Action":"`+action+`","Resource":"*"}`)
			fault(t, call(b, b.client("all-else")), 403, "AccessDenied")
			b.ok(call(b, b.client("alone")))
		})
	}
}

func TestTheCodeOfAFunctionIsReadForAWhile(t *testing.T) {
	b := newBench(t)
	was := b.small("f")
	b.create(was)
	got, err := b.client("").GetFunctionCode(str("f"), &sdk.GetFunctionCodeRequest{Qualifier: str("LATEST")})
	b.ok(err)
	want, err := base64.StdEncoding.DecodeString(*was.Code.ZipFile)
	b.ok(err)
	if *got.Body.Checksum != fcapi.Checksum(want) {
		t.Errorf("checksum %s", *got.Body.Checksum)
	}
	read := func(address string) (int, []byte) {
		resp, err := http.Get(address)
		b.ok(err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		b.ok(err)
		return resp.StatusCode, body
	}
	if status, body := read(*got.Body.Url); status != 200 || !bytes.Equal(body, want) {
		t.Errorf("%d with %d bytes, want %d", status, len(body), len(want))
	}
	if status, _ := read(*got.Body.Url + "x"); status != 403 {
		t.Errorf("another address is answered with %d", status)
	}
	b.ok(b.World.Clock.Advance(t.Context(), time.Hour))
	if status, body := read(*got.Body.Url); status != 403 || bytes.Contains(body, want) {
		t.Errorf("an hour later it is answered with %d", status)
	}
	_, err = b.client("").GetFunctionCode(str("g"), &sdk.GetFunctionCodeRequest{})
	fault(t, err, 404, "FunctionNotFound")
	_, err = b.client("").GetFunctionCode(str("f"), &sdk.GetFunctionCodeRequest{Qualifier: str("prod")})
	fault(t, err, 400, "InvalidArgument")
}

func TestGivingARoleNeedsPassRole(t *testing.T) {
	b := newBench(t)
	b.role("deployer", `{"Effect":"Allow","Action":"fc:*","Resource":"*"}`)
	_, err := b.client("deployer").CreateFunction(&sdk.CreateFunctionRequest{Body: b.small("f")})
	fault(t, err, 403, "AccessDenied")
	b.role("passer", `{"Effect":"Allow","Action":"fc:*","Resource":"*"},{"Effect":"Allow","Action":"ram:PassRole","Resource":"acs:ram::*:role/worker",`+
		`"Condition":{"StringEquals":{"acs:Service":"fc.aliyuncs.com"}}}`)
	_, err = b.client("passer").CreateFunction(&sdk.CreateFunctionRequest{Body: b.small("f")})
	b.ok(err)
}

// rooted sends a request of any shape through the SDK's core.
func (b *bench) rooted(method, path, action string, query map[string]*string, body any) error {
	b.Helper()
	core := b.client("").Client
	_, err := core.CallApi(&openapi.Params{
		Action: &action, Version: str("2023-03-30"), Protocol: str("HTTP"), Pathname: &path, Method: &method, AuthType: str("AK"),
		Style: str("ROA"), ReqBodyType: str("json"), BodyType: str("json"),
	}, &openapi.OpenApiRequest{Query: query, Body: body}, &util.RuntimeOptions{})
	return err
}

func TestUnknownParametersMembersAndPathsAreRefused(t *testing.T) {
	b := newBench(t)
	b.create(b.small("f"))
	for name, x := range map[string]struct {
		method, path string
		query        map[string]*string
		body         any
		status       int
		code         string
	}{
		"a query parameter":        {"GET", "/2023-03-30/functions", map[string]*string{"Limit": str("1")}, nil, 400, "InvalidParameter"},
		"a member of the body":     {"PUT", "/2023-03-30/functions/f", nil, map[string]any{"timeOut": 5}, 400, "InvalidArgument"},
		"a member in other case":   {"PUT", "/2023-03-30/functions/f", nil, map[string]any{"Timeout": 5}, 400, "InvalidArgument"},
		"a member of another type": {"PUT", "/2023-03-30/functions/f", nil, map[string]any{"timeout": "5"}, 400, "InvalidArgument"},
		"a body where none is":     {"POST", "/2023-03-30/functions/f/invoke/enable", nil, map[string]any{"a": 1}, 400, "InvalidArgument"},
		"no body":                  {"PUT", "/2023-03-30/functions/f", nil, nil, 400, "MissingParameter"},
		"a path":                   {"GET", "/2023-03-30/functions/f/moon", nil, nil, 404, "InvalidAction.NotFound"},
		"a method":                 {"PATCH", "/2023-03-30/functions/f", nil, nil, 404, "InvalidAction.NotFound"},
		"an API that is not here":  {"GET", "/2023-03-30/functions/f/versions", nil, nil, 404, "InvalidAction.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			fault(t, b.rooted(x.method, x.path, "A", x.query, x.body), x.status, x.code)
		})
	}
}

func TestAWrongSecretIsRefusedAndFaultsComeThrough(t *testing.T) {
	b := newBench(t)
	client, err := sdk.NewClient(&openapi.Config{AccessKeyId: str("local-ak"), AccessKeySecret: str("wrong"), RegionId: str(server.Home),
		Endpoint: str(strings.TrimPrefix(b.URL(), "http://")), Protocol: str("http")})
	b.ok(err)
	_, err = client.ListFunctions(&sdk.ListFunctionsRequest{})
	fault(t, err, 400, "SignatureDoesNotMatch")
	b.ok(b.Faults.Set(1, []simcloud.Fault{{Product: "fc", Action: "ListFunctions", Kind: simcloud.Throttle, Count: 1}}, simcloud.EventFaults{}))
	_, err = b.client("").ListFunctions(&sdk.ListFunctionsRequest{})
	fault(t, err, 400, "Throttling.User")
}

func TestWritesLeaveARecordWithoutTheCode(t *testing.T) {
	b := newBench(t)
	var records []map[string]any
	b.World.Subscribe(func(e simcloud.Event) {
		var r map[string]any
		b.ok(json.Unmarshal(e.Data, &r))
		records = append(records, r)
	})
	b.create(b.small("f"))
	if _, err := b.World.Clock.Quiet(context.Background(), 1e11); err != nil {
		t.Fatal(err)
	}
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	r := records[0]
	got := []any{r["eventName"], r["serviceName"], fmt.Sprint(r["referencedResources"]), strings.Contains(fmt.Sprint(r["requestParameters"]), "zipFile")}
	if diff := cmp.Diff([]any{"CreateFunction", "Fc", "map[ACS::FC::Function:[f]]", false}, got); diff != "" {
		t.Error(diff)
	}
}
