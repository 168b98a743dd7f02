package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	sdk "github.com/alibabacloud-go/fc-20230330/v4/client"
	"github.com/alibabacloud-go/tea/tea"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/server"
)

// fc3 deploys a manifest as the component fc3 0.1.22 was seen to, without a terminal:
// a function is updated with its code; where its asynchronous configuration seems to
// differ, it asks, gets no answer, and ends with nothing updated; the triggers behind
// an EventBridge trigger that has not changed are skipped; one that the manifest no longer
// has stays.
type fc3 struct {
	*testing.T
	url, root string
}

// errAsks is returned where fc3 asks and gets no answer. Its exit status is 0 then.
var errAsks = errors.New("fc3 asks whether to deploy what differs")

func (d fc3) client(region string) *sdk.Client {
	d.Helper()
	c, err := sdk.NewClient(&openapi.Config{
		AccessKeyId: new("local-ak"), AccessKeySecret: new("local-sk"), RegionId: &region,
		Endpoint: new("fcv3." + region + ".aliyuncs.com"), Protocol: new("http"), HttpClient: local(strings.TrimPrefix(d.url, "http://")),
	})
	d.ok(err)
	return c
}

// local leads to one address, whatever host a request names: the region stands in that.
type local string

func (l local) Call(r *http.Request, _ *http.Transport) (*http.Response, error) {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, string(l))
	}
	return (&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}).Do(r)
}

func (d fc3) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d fc3) deploy(m *manifest.Manifest) {
	d.Helper()
	for _, r := range m.Resources {
		if err := d.function(r.Props); err != nil && !errors.Is(err, errAsks) {
			d.Fatal(err)
		}
	}
}

func (d fc3) function(p manifest.Function) error {
	c, name := d.client(p.Region), &p.FunctionName
	text, err := os.ReadFile(filepath.Join(d.root, p.Code))
	d.ok(err)
	code := &sdk.InputCodeLocation{ZipFile: new(base64.StdEncoding.EncodeToString(text))}
	_, err = c.GetFunction(name, &sdk.GetFunctionRequest{})
	switch {
	case err != nil: // there is none
		in := create(p)
		in.Code = code
		_, err := c.CreateFunction(&sdk.CreateFunctionRequest{Body: in})
		d.ok(err)
	case d.differs(c, p):
		return errAsks
	default:
		var in sdk.UpdateFunctionInput
		d.convert(create(p), &in)
		in.Code = code
		_, err := c.UpdateFunction(name, &sdk.UpdateFunctionRequest{Body: &in})
		d.ok(err)
	}
	d.async(c, p)
	if n := p.ConcurrencyConfig.ReservedConcurrency; n > 0 {
		_, err := c.PutConcurrencyConfig(name, &sdk.PutConcurrencyConfigRequest{Body: &sdk.PutConcurrencyInput{ReservedConcurrency: new(int64(n))}})
		d.ok(err)
	}
	for _, t := range p.Triggers {
		if d.trigger(c, p.FunctionName, t) {
			break
		}
	}
	return nil
}

// convert takes one of the SDK's structs for another by the names of their members.
func (d fc3) convert(from, to any) {
	text, err := json.Marshal(from)
	d.ok(err)
	d.ok(json.Unmarshal(text, to))
}

// differs: fc3 reads the deployed configuration with a qualifier put in.
func (d fc3) differs(c *sdk.Client, p manifest.Function) bool {
	_, err := c.GetAsyncInvokeConfig(&p.FunctionName, &sdk.GetAsyncInvokeConfigRequest{})
	return err == nil && p.AsyncInvokeConfig.Qualifier != "LATEST"
}

func (d fc3) async(c *sdk.Client, p manifest.Function) {
	a := p.AsyncInvokeConfig
	_, err := c.PutAsyncInvokeConfig(&p.FunctionName, &sdk.PutAsyncInvokeConfigRequest{Body: &sdk.PutAsyncInvokeConfigInput{
		MaxAsyncEventAgeInSeconds: new(int64(a.MaxAsyncEventAgeInSeconds)), MaxAsyncRetryAttempts: new(int64(*a.MaxAsyncRetryAttempts)),
		DestinationConfig: &sdk.DestinationConfig{OnFailure: &sdk.Destination{Destination: &a.DestinationConfig.OnFailure.Destination}},
	}})
	d.ok(err)
}

// trigger reports whether those behind are skipped.
func (d fc3) trigger(c *sdk.Client, function string, t manifest.Trigger) bool {
	var config any
	d.ok(t.Config.Decode(&config))
	text, err := json.Marshal(config)
	d.ok(err)
	old, err := c.GetTrigger(&function, &t.Name)
	if err != nil {
		_, err := c.CreateTrigger(&function, &sdk.CreateTriggerRequest{Body: &sdk.CreateTriggerInput{TriggerName: &t.Name, TriggerType: &t.Type, TriggerConfig: new(string(text))}})
		d.ok(err)
		return false
	}
	var was, is any
	d.ok(json.Unmarshal([]byte(tea.StringValue(old.Body.TriggerConfig)), &was))
	d.ok(json.Unmarshal(text, &is))
	if reflect.DeepEqual(was, is) {
		return t.Type == "eventbridge"
	}
	_, err = c.UpdateTrigger(&function, &t.Name, &sdk.UpdateTriggerRequest{Body: &sdk.UpdateTriggerInput{TriggerConfig: new(string(text))}})
	d.ok(err)
	return false
}

func create(p manifest.Function) *sdk.CreateFunctionInput {
	in := &sdk.CreateFunctionInput{
		FunctionName: &p.FunctionName, Description: &p.Description, Runtime: &p.Runtime, Handler: &p.Handler,
		Cpu: new(float32(p.CPU)), MemorySize: new(int32(p.MemorySize)), DiskSize: new(int32(p.DiskSize)), Timeout: new(int32(p.Timeout)),
		Role: new("acs:ram::" + server.Sharer + ":role/" + p.Role), EnvironmentVariables: map[string]*string{},
		LogConfig: &sdk.LogConfig{
			Project: &p.LogConfig.Project, Logstore: &p.LogConfig.Logstore, LogBeginRule: &p.LogConfig.LogBeginRule,
			EnableRequestMetrics: &p.LogConfig.EnableRequestMetrics, EnableInstanceMetrics: &p.LogConfig.EnableInstanceMetrics,
		},
	}
	for name, v := range p.EnvironmentVariables {
		in.EnvironmentVariables[name] = &v
	}
	for _, t := range p.Tags {
		in.Tags = append(in.Tags, &sdk.Tag{Key: &t.Key, Value: &t.Value})
	}
	return in
}

// remove takes away the functions that "rollout names" names.
func (d fc3) remove(m *manifest.Manifest, names []string) {
	d.Helper()
	for _, n := range names {
		p := m.Resources[n].Props
		c := d.client(p.Region)
		for _, t := range p.Triggers {
			_, err := c.DeleteTrigger(&p.FunctionName, &t.Name)
			d.ok(err)
		}
		_, err := c.DeleteFunction(&p.FunctionName)
		d.ok(err)
	}
}
