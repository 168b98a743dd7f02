package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/manifest"
)

// valid is a manifest with everything in it; tests break it.
const valid = `edition: 3.0.0
name: test
access: default
vars:
  region: ${env('REGION', 'cn-hangzhou')}
  tags: [{key: k, value: v}]
  queues: acs:mns:${vars.region}:${config('AccountID')}:/queues
resources:
  one:
    component: fc3@0.1.22
    props:
      region: ${vars.region}
      functionName: one
      runtime: go1
      handler: main
      code: ./dist/one
      memorySize: 512
      timeout: 60
      role: role-one
      environmentVariables:
        A: "1"
        B: ${env("B", 'd')}-${vars.region}
      logConfig: {project: "logs-${config('AccountID')}", logstore: functions, logBeginRule: None}
      asyncInvokeConfig:
        qualifier: LATEST
        maxAsyncEventAgeInSeconds: 3600
        maxAsyncRetryAttempts: 0
        destinationConfig: {onFailure: {destination: "${vars.queues}/dead/messages"}}
      tags: ${vars.tags}
      triggers:
        - triggerName: bus
          triggerType: eventbridge
          triggerConfig:
            triggerEnable: true
            asyncInvocationType: true
            eventRuleFilterPattern: ${file('./pattern.json')}
            eventSinkConfig: {deliveryOption: {eventSchema: CloudEvents}}
            eventSourceConfig: {eventSourceType: Default, eventSourceParameters: {}}
            runOptions:
              mode: event-driven
              errorsTolerance: ALL
              retryStrategy: {PushRetryStrategy: BACKOFF_RETRY}
              deadLetterQueue: {Arn: "${vars.queues}/dead"}
        - triggerName: daily
          triggerType: timer
          triggerConfig: {cronExpression: "CRON_TZ=Asia/Shanghai 0 0 4 * * *", enable: true, payload: "x"}
`

func load(t *testing.T, text string, env map[string]string) (*manifest.Manifest, error) {
	t.Helper()
	dir := t.TempDir()
	for name, body := range map[string]string{"s.yaml": text, "pattern.json": `{"source":["acs.ecs"]}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return manifest.Load(filepath.Join(dir, "s.yaml"), manifest.Options{
		Account: "1000000000000001",
		Env:     func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	})
}

func TestVariablesAreResolved(t *testing.T) {
	m, err := load(t, valid, map[string]string{"REGION": "cn-shanghai"})
	if err != nil {
		t.Fatal(err)
	}
	f := m.Resources["one"].Props
	if diff := cmp.Diff(map[string]string{"A": "1", "B": "d-cn-shanghai"}, f.EnvironmentVariables); diff != "" {
		t.Error(diff)
	}
	if got, want := f.AsyncInvokeConfig.DestinationConfig.OnFailure.Destination, "acs:mns:cn-shanghai:1000000000000001:/queues/dead/messages"; got != want {
		t.Errorf("destination %q, want %q", got, want)
	}
	if diff := cmp.Diff([]manifest.Tag{{Key: "k", Value: "v"}}, f.Tags); diff != "" {
		t.Error(diff)
	}
	if got := f.Triggers[0].EventBridge.EventRuleFilterPattern; got != `{"source":["acs.ecs"]}` {
		t.Errorf("pattern %q", got)
	}
	if f.Triggers[1].Timer.Schedule == nil {
		t.Error("the timer has no schedule")
	}
}

func TestManifestRefusesWithTheLine(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"a missing file", "./pattern.json", "./missing.json", "line 36: "},
		{"an unknown variable", "${vars.region}\n      functionName", "${vars.regoin}\n      functionName", "line 12: resolving \"${vars.regoin}\": vars.regoin not found"},
		{"a list in a text", "d')}-${vars.region}", "d')}-${vars.tags}", "vars.tags is not text"},
		{"an expression of another form", "d')}-${vars.region}", "d')}-${json(file('./a'))}", "only ${vars.NAME}"},
		{"an unknown function", "env('REGION', 'cn-hangzhou')", "git('REGION')", "line 5: resolving \"${git('REGION')}\": git is no function"},
		{"an environment variable without default", "env('REGION', 'cn-hangzhou')", "env('REGION')", "line 5: "},
		{"a variable of itself", "${env('REGION', 'cn-hangzhou')}", "${vars.region}", "refer to each other"},
		{"a circle of two", "${env('REGION', 'cn-hangzhou')}", "${vars.queues}", "refer to each other"},
		{"a variable of what is missing", "${env('REGION', 'cn-hangzhou')}", "${vars.other}\n  other: ${env('MISSING')}", "the environment has no MISSING"},
		{"an open expression", "${vars.region}\n      functionName", "${vars.region\n      functionName", "line 12: "},
		{"another edition", "3.0.0", "1.0.0", "line 1: edition"},
		{"another component", "component: fc3@0.1.22", "component: fc@1.0.0", "line 10: component"},
		{"a component of any version", "component: fc3@0.1.22", "component: fc3", "component \"fc3\""},
		{"an access that is resolved", "access: default", "access: ${env('S_ACCESS', 'default')}", "line 3: access must be a name"},
		{"no qualifier", "        qualifier: LATEST\n", "", "needs qualifier: LATEST"},
		{"another qualifier", "qualifier: LATEST", "qualifier: one", "needs qualifier: LATEST"},
		{"a log store of fc3's making", "logConfig: {project: \"logs-${config('AccountID')}\", logstore: functions, logBeginRule: None}", "logConfig: auto", "\"auto\" is not supported"},
		{"no log store", "      logConfig: {project: \"logs-${config('AccountID')}\", logstore: functions, logBeginRule: None}\n", "", "logConfig must name"},
		{"a log config without store", ", logstore: functions", "", "logConfig must name"},
		{"lines split at dates", "logBeginRule: None", "logBeginRule: DefaultRegex", "logBeginRule must be None"},
		{"an unknown key of a timer", "payload: \"x\"", "payloads: \"x\"", "unknown key \"payloads\""},
		{"an unknown key of run options", "errorsTolerance: ALL", "errorTolerance: ALL", "unknown key \"errorTolerance\""},
		{"an unknown key of a trigger", "triggerType: timer", "triggerType: timer\n          enable: true", "unknown key \"enable\""},
		{"an unknown property", "handler: main", "hander: main", "line 15: unknown key \"hander\""},
		{"a missing property", "      handler: main\n", "", "line 12: props lacks handler"},
		{"another runtime", "runtime: go1", "runtime: custom.debian12", "line 14: runtime"},
		{"concurrency in an instance", "runtime: go1", "runtime: go1\n      instanceConcurrency: 1", "line 15: instanceConcurrency"},
		{"no timeout", "      timeout: 60\n", "", "timeout must be set"},
		{"memory between the steps", "memorySize: 512", "memorySize: 500", "line 17: memorySize"},
		{"a number as environment variable", `A: "1"`, "A: 1", "line 21: environment variable A must be a string"},
		{"a reserved environment variable", `A: "1"`, `FC_A: "1"`, "line 21: FC_A"},
		{"too large an environment", `A: "1"`, `A: "` + strings.Repeat("x", 4096) + `"`, "line 21: the environment variables have"},
		{"no retry attempts", "        maxAsyncRetryAttempts: 0\n", "", "maxAsyncRetryAttempts"},
		{"an age out of range", "InSeconds: 3600", "InSeconds: 604801", "maxAsyncEventAgeInSeconds"},
		{"no destination", "        destinationConfig: {onFailure: {destination: \"${vars.queues}/dead/messages\"}}\n", "", "onFailure is missing"},
		{"a misspelt trigger type", "triggerType: timer", "triggerType: mnsTopic", "triggerType \"mnsTopic\" is not supported"},
		{"two triggers of one name", "triggerName: daily", "triggerName: bus", "there twice"},
		{"a five-field cron expression", "0 0 4 * * *", "0 4 * * *", "cronExpression"},
		{"a misspelt trigger key", "triggerEnable: true", "enable: true", "line 34: unknown key \"enable\""},
		{"a missing trigger key", "            triggerEnable: true\n", "", "triggerConfig lacks triggerEnable"},
		{"raw data", "eventSchema: CloudEvents", "eventSchema: RawData", "eventSchema"},
		{"no dead letters", "              deadLetterQueue: {Arn: \"${vars.queues}/dead\"}\n", "", "deadLetterQueue is missing"},
		{"an unknown strategy", "PushRetryStrategy: BACKOFF_RETRY", "PushRetryStrategy: SOMETIMES", "PushRetryStrategy"},
		{"a window on the bus", "errorsTolerance: ALL", "errorsTolerance: ALL\n              batchWindow: {CountBasedWindow: 1}", "event by event"},
		{"an alias", "      role: role-one", "      role: &r role-one\n      description: *r", "aliases"},
		{"no mapping", valid, "- x", "line 1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(valid, c.old) {
				t.Fatalf("the valid manifest has no %q", c.old)
			}
			_, err := load(t, strings.Replace(valid, c.old, c.new, 1), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// queueFed is what a stream adds to the triggers of the valid manifest.
const queueFed = `        - triggerName: inbox
          triggerType: eventbridge
          triggerConfig:
            triggerEnable: true
            asyncInvocationType: false
            eventRuleFilterPattern: "{}"
            eventSinkConfig: {deliveryOption: {eventSchema: CloudEvents}}
            eventSourceConfig:
              eventSourceType: MNS
              eventSourceParameters: {sourceMNSParameters: {RegionId: "${vars.region}", QueueName: one, IsBase64Decode: false}}
            runOptions:
              mode: event-streaming
              errorsTolerance: ALL
              retryStrategy: {PushRetryStrategy: STRATEGY}
              deadLetterQueue: {Arn: "${vars.queues}/dead"}
              batchWindow: {CountBasedWindow: 100, TimeBasedWindow: 15}
`

// An event that is refused for want of a reserved instance must be tried for longer than a pass may
// take: BACKOFF_RETRY makes its three tries within a minute.
func TestAStreamOfAFunctionWithReservedConcurrencyIsTriedForADay(t *testing.T) {
	const reserved = "      concurrencyConfig: {reservedConcurrency: 1}\n      role: role-one"
	for _, c := range []struct {
		props, strategy string
		refused         bool
	}{
		{reserved, "BACKOFF_RETRY", true},
		{reserved, "EXPONENTIAL_DECAY_RETRY", false},
		{"      role: role-one", "BACKOFF_RETRY", false},
	} {
		text := strings.Replace(valid, "      role: role-one", c.props, 1) + strings.Replace(queueFed, "STRATEGY", c.strategy, 1)
		_, err := load(t, text, nil)
		if got := err != nil && strings.Contains(err.Error(), "needs EXPONENTIAL_DECAY_RETRY"); got != c.refused || !c.refused && err != nil {
			t.Errorf("%q with %s: %v", c.props, c.strategy, err)
		}
	}
}

func FuzzLoadNeverPanics(f *testing.F) {
	f.Add(valid)
	f.Add("vars: {a: \"${vars.a}\"}")
	f.Add("a: ${json('[1')}")
	f.Add("vars: {a: \"${vars.b}${vars.b}\", b: \"${vars.c}${vars.c}\", c: \"${vars.a}\"}")
	f.Add("a: ${env(env(env(}")
	f.Add("a: ${vars.a}")
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = load(t, text, nil)
	})
}
