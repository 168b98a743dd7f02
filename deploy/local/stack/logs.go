package stack

import (
	"encoding/json"
	"fmt"
	"os"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/sls"
)

// indexOf reads which fields of the functions' logs are indexed, from the table that names
// the saved queries too.
func indexOf(path string) (*sls.Index, error) {
	type fields struct{ Texts, Longs []string }
	var table struct {
		Fields struct {
			fields
			Message fields
		}
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &table)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the fields of the logs: %w", err)
	}
	types := func(f fields) map[string]string {
		out := map[string]string{}
		for _, name := range f.Texts {
			out[name] = "text"
		}
		for _, name := range f.Longs {
			out[name] = "long"
		}
		return out
	}
	return &sls.Index{Fields: types(table.Fields.fields), Leaves: types(table.Fields.Message)}, nil
}

// logged makes a function's log store, as Terraform does before the first deployment, and
// shows there what the platform has written; nil without a logConfig.
func (s *Stack) logged(f fc.Function, l *manifest.Log) func(fc.Lines) {
	if l == nil {
		return nil
	}
	store, cloud := sls.Store{Account: f.Account, Region: f.Region, Project: l.Project, Name: l.Logstore}, s.o.Server
	cloud.SLS.Create(store, s.index)
	return func(x fc.Lines) {
		cloud.SLS.Write(store, sls.Batch{
			At: cloud.World.Clock.Now(), Function: f.Name, Instance: x.Instance, Path: x.Path, Offset: x.Offset, Length: x.Length,
		})
	}
}

// measured shows what the platform measures of each call in the function's log store; nil
// where request metrics are off.
func (s *Stack) measured(f fc.Function, l *manifest.Log) func(fc.Metrics) {
	if l == nil || !l.EnableRequestMetrics {
		return nil
	}
	store, cloud := sls.Store{Account: f.Account, Region: f.Region, Project: l.Project, Name: l.Logstore}, s.o.Server
	return func(m fc.Metrics) {
		cloud.SLS.Write(store, sls.Batch{At: cloud.World.Clock.Now(), Function: f.Name, Instance: m.Instance, Request: &sls.Request{
			ID: m.RequestID, Async: m.Async, Cold: m.Cold, Duration: m.Duration, MemoryMB: f.Memory, ErrorType: m.ErrorType,
		}})
	}
}
