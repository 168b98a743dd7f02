package stack

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strings"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/fcapi"
	"fleetwarden/deploy/local/manifest"
)

// propsOf is a deployment as a manifest would have it.
func propsOf(d fcapi.Deployment) (manifest.Function, error) {
	f := d.Function
	_, role, _ := strings.Cut(value(f.Role), ":role/")
	p := manifest.Function{
		Region: d.Region, FunctionName: f.FunctionName, Runtime: *f.Runtime, Handler: *f.Handler, Role: role,
		MemorySize: *f.MemorySize, Timeout: *f.Timeout, EnvironmentVariables: maps.Clone(f.EnvironmentVariables),
		ConcurrencyConfig: manifest.Concurrency{ReservedConcurrency: value(d.Reserved)}, AsyncInvokeConfig: asyncOf(d.Async),
		LogConfig: logOf(f.LogConfig),
	}
	for _, t := range d.Triggers {
		parsed, err := manifest.ParseTrigger(t.TriggerName, t.TriggerType, t.TriggerConfig)
		if err != nil && runs(d) {
			return p, err
		}
		p.Triggers = append(p.Triggers, parsed)
	}
	return p, nil
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// asyncOf fills in the service's defaults: three retries within a day.
func asyncOf(in *fcapi.AsyncInput) *manifest.Async {
	retries := 3
	out := &manifest.Async{MaxAsyncEventAgeInSeconds: 86400, MaxAsyncRetryAttempts: &retries}
	if in == nil {
		return out
	}
	if n := in.MaxAsyncRetryAttempts; n != nil {
		retries = int(*n)
	}
	if n := in.MaxAsyncEventAgeInSeconds; n != nil {
		out.MaxAsyncEventAgeInSeconds = int(*n)
	}
	if to := in.DestinationConfig; to != nil && to.OnFailure != nil {
		out.DestinationConfig.OnFailure = &manifest.Target{Destination: to.OnFailure.Destination}
	}
	return out
}

// seed shows a function of the manifest in the API. Its code was never a zip: one is made of
// the binary and the policy file, whenever it is asked for.
func (s *Stack) seed(f fc.Function, p manifest.Function) error {
	d, err := deploymentOf(f, p)
	if err != nil {
		return err
	}
	d = s.api.Seed(d, func(w io.Writer) error {
		return fcapi.ZipOf([2]string{f.Handler, filepath.Join(f.Code, f.Handler)}, [2]string{"policy.json", s.policy()})(w)
	})
	s.platform.live[d.Function.FunctionArn] = d
	return nil
}

// deploymentOf is a function of the manifest as the API has it.
func deploymentOf(f fc.Function, p manifest.Function) (fcapi.Deployment, error) {
	role := p.Role
	if role != "" && !strings.HasPrefix(role, "acs:") {
		role = "acs:ram::" + f.Account + ":role/" + role
	}
	d := fcapi.Deployment{Account: f.Account, Region: f.Region, Reserved: f.Reserved, Async: asyncInput(p.AsyncInvokeConfig)}
	d.Function.FunctionName = f.Name
	d.Function.Config = fcapi.Config{
		CPU: given(p.CPU), Description: &p.Description, DiskSize: given(p.DiskSize), EnvironmentVariables: p.EnvironmentVariables, Handler: &p.Handler,
		InternetAccess: p.InternetAccess, MemorySize: &p.MemorySize, Role: &role, Runtime: &p.Runtime, Timeout: &p.Timeout, LogConfig: logsOf(p.LogConfig),
	}
	for _, t := range p.Tags {
		d.Function.Tags = append(d.Function.Tags, fcapi.Tag(t))
	}
	for _, t := range p.Triggers {
		config, err := jsonOf(t)
		if err != nil {
			return d, fmt.Errorf("trigger %s: %w", t.Name, err)
		}
		d.Triggers = append(d.Triggers, fcapi.Trigger{TriggerName: t.Name, TriggerType: t.Type, Description: t.Description, TriggerConfig: config})
	}
	return d, nil
}

// given is nil for what the manifest does not say.
func given[T int | float64](v T) *T {
	if v == 0 {
		return nil
	}
	return &v
}

// jsonOf is a trigger's config as the API carries it.
func jsonOf(t manifest.Trigger) (string, error) {
	var config any
	if err := t.Config.Decode(&config); err != nil {
		return "", err
	}
	b, err := json.Marshal(config)
	return string(b), err
}

// logsOf is the manifest's logConfig as the API has it.
func logsOf(l *manifest.Log) *fcapi.LogConfig {
	if l == nil {
		return nil
	}
	return &fcapi.LogConfig{
		EnableInstanceMetrics: &l.EnableInstanceMetrics, EnableRequestMetrics: &l.EnableRequestMetrics,
		LogBeginRule: &l.LogBeginRule, Logstore: &l.Logstore, Project: &l.Project,
	}
}

// logOf is the API's logConfig as a manifest has it.
func logOf(l *fcapi.LogConfig) *manifest.Log {
	if l == nil {
		return nil
	}
	return &manifest.Log{
		Project: value(l.Project), Logstore: value(l.Logstore), LogBeginRule: value(l.LogBeginRule),
		EnableRequestMetrics: value(l.EnableRequestMetrics), EnableInstanceMetrics: value(l.EnableInstanceMetrics),
	}
}

func asyncInput(a *manifest.Async) *fcapi.AsyncInput {
	if a == nil {
		return nil
	}
	age := int64(a.MaxAsyncEventAgeInSeconds)
	out := &fcapi.AsyncInput{AsyncTask: &a.AsyncTask, MaxAsyncEventAgeInSeconds: &age}
	if a.MaxAsyncRetryAttempts != nil {
		n := int64(*a.MaxAsyncRetryAttempts)
		out.MaxAsyncRetryAttempts = &n
	}
	if to := a.DestinationConfig.OnFailure; to != nil {
		out.DestinationConfig = &fcapi.Destinations{OnFailure: &fcapi.Destination{Destination: to.Destination}}
	}
	return out
}
