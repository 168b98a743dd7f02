package stack_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
)

// project is a repository in small: the probe of deploy/local/fc as a function of each
// region, and as one that exists once.
var project = map[string]string{
	"s.yaml": `edition: 3.0.0
name: test
vars:
  logs: {project: "fleetwarden-${config('AccountID')}-${env('REGION', '')}", logstore: functions, logBeginRule: None, enableRequestMetrics: true}
  queues: acs:mns:${env('REGION', '')}:${config('AccountID')}:/queues
resources:
  probe:
    component: fc3@0.1.22
    props:
      region: ${env('REGION', '')}
      functionName: fleetwarden-probe
      runtime: go1
      handler: main
      code: ./dist/probe
      memorySize: 128
      timeout: 60
      role: fleetwarden-probe
      logConfig: ${vars.logs}
      asyncInvokeConfig:
        qualifier: LATEST
        maxAsyncEventAgeInSeconds: 3600
        maxAsyncRetryAttempts: 1
        destinationConfig: {onFailure: {destination: "${vars.queues}/fleetwarden-dead-letters/messages"}}
      triggers:
        - triggerName: launches
          triggerType: eventbridge
          triggerConfig:
            triggerEnable: true
            asyncInvocationType: true
            eventRuleFilterPattern: '{"type":["test:Launch"]}'
            eventSinkConfig: {deliveryOption: {eventSchema: CloudEvents}}
            eventSourceConfig: {eventSourceType: Default, eventSourceParameters: {}}
            runOptions:
              mode: event-driven
              errorsTolerance: ALL
              retryStrategy: {PushRetryStrategy: EXPONENTIAL_DECAY_RETRY}
              deadLetterQueue: {Arn: "${vars.queues}/fleetwarden-dead-letters"}
        - triggerName: inbox
          triggerType: eventbridge
          triggerConfig:
            triggerEnable: true
            asyncInvocationType: false
            eventRuleFilterPattern: '{}'
            eventSinkConfig: {deliveryOption: {eventSchema: CloudEvents}}
            eventSourceConfig:
              eventSourceType: MNS
              eventSourceParameters: {sourceMNSParameters: {RegionId: "${env('REGION', '')}", QueueName: fleetwarden-probe, IsBase64Decode: false}}
            runOptions:
              mode: event-streaming
              errorsTolerance: ALL
              retryStrategy: {PushRetryStrategy: BACKOFF_RETRY}
              deadLetterQueue: {Arn: "${vars.queues}/fleetwarden-dead-letters"}
              batchWindow: {CountBasedWindow: 100, TimeBasedWindow: 15}
        - triggerName: daily
          triggerType: timer
          triggerConfig: {cronExpression: "0 0 4 * * *", enable: true, payload: "job"}
  once:
    component: fc3@0.1.22
    props: {region: "${env('HOME_REGION', '')}", functionName: fleetwarden-once, runtime: go1, handler: main, code: ./dist/once, memorySize: 128, timeout: 60, logConfig: "${vars.logs}", role: fleetwarden-once}
`,
	"deploy/queries.json": `{"fields":{"texts":["functionName","hasFunctionError","errorType","invocationType"],"message":{"texts":["do"],"longs":["n"]}}}`,
	"deploy/queues.json": `{"queues":[
		{"name":"fleetwarden-dead-letters","messageRetentionPeriod":604800,"visibilityTimeout":60},
		{"name":"fleetwarden-probe","messageRetentionPeriod":604800,"visibilityTimeout":600,"deadLetter":{"queue":"fleetwarden-dead-letters","maxReceiveCount":5},"eventRules":["running"]}]}`,
	"deploy/eventrules/running.json": `{"type":["test:Running"]}`,
	"deploy/ram/probe.json": `{"Version":"1","Statement":[
		{"Effect":"Allow","Action":"mns:SendMessage","Resource":"acs:mns:*:*:/queues/fleetwarden-dead-letters/messages"},
		{"Effect":"Allow","Action":"log:PostLogStoreLogs","Resource":"acs:log:*:*:project/fleetwarden-*/logstore/functions"}]}`,
	"deploy/ram/once.json":          `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:DescribeInstances","Resource":"*"}]}`,
	"deploy/ram/member/trust.json":  `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::{home}:role/fleetwarden-probe"]}}]}`,
	"deploy/ram/member/policy.json": `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:DescribeInstances","Resource":"*"}]}`,
	"deploy/local/policy.yaml":      `version: 1`,
}

var bin = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "probe", "main"), "../fc/testdata/probe").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the probe: %w: %s", err, out)
	}
	return dir, os.Symlink("probe", filepath.Join(dir, "once"))
})

func TestMain(m *testing.M) {
	status := m.Run()
	if dir, err := bin(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

type fixture struct {
	*testing.T
	*stack.Stack
	cloud *server.Server
	start time.Time
}

func deploy(t *testing.T, regions ...string) *fixture {
	t.Helper()
	return deployed(t, nil, regions...)
}

// deployed is deploy with texts of the project replaced: old, new, old, new …
func deployed(t *testing.T, replace []string, regions ...string) *fixture {
	t.Helper()
	root := t.TempDir()
	replacer := strings.NewReplacer(replace...)
	for name, text := range project {
		text = replacer.Replace(text)
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binaries, err := bin()
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cloud.Close() })
	s, err := stack.Start(t.Context(), stack.Options{Server: cloud, Manifest: filepath.Join(root, "s.yaml"), BinDir: binaries, Regions: regions})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &fixture{t, s, cloud, cloud.World.Clock.Now()}
}

func queue(name string) mns.Queue {
	return mns.Queue{Account: server.Sharer, Region: server.Home, Name: name}
}

func (f *fixture) send(n int, body string) {
	f.Helper()
	for range n {
		if _, err := f.cloud.MNS.Send(queue("fleetwarden-probe"), mns.Outgoing{Body: body}); err != nil {
			f.Fatal(err)
		}
	}
}

func (f *fixture) publish(region, kind, data string) {
	f.cloud.World.Publish(simcloud.Event{Account: server.Sharer, Region: region, Source: "test", Type: kind, Data: json.RawMessage(data)})
}

func (f *fixture) quiet() {
	f.Helper()
	if quiet, err := f.cloud.World.Clock.Quiet(f.Context(), 48*time.Hour); err != nil || !quiet {
		f.Fatalf("quiet %v, %v", quiet, err)
	}
}

// runs are the invocations in short: trigger, attempt, time, elements or error.
func (f *fixture) runs() (all []string) {
	f.Helper()
	for _, x := range f.Invocations() {
		var a struct{ Count int }
		if x.ErrorType == "" {
			if err := json.Unmarshal([]byte(x.Result), &a); err != nil {
				f.Fatal(err)
			}
		}
		all = append(all, fmt.Sprintf("%s %d %v %d %s", x.Trigger, x.Attempt, x.Start.Sub(f.start), a.Count, x.ErrorType))
	}
	return all
}

func (f *fixture) deadLetters() (bodies []string) {
	f.Helper()
	got, err := f.cloud.MNS.Receive(queue("fleetwarden-dead-letters"), 1000)
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range got {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

// identities are the answers to GetCallerIdentity by error code.
func (f *fixture) identities() map[string]int {
	out := map[string]int{}
	for _, x := range f.cloud.Log.Totals() {
		if x.Action == "GetCallerIdentity" {
			out[x.Code] += x.Count
		}
	}
	return out
}
