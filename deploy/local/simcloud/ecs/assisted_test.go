package ecs_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
)

// assisted is ECS with its clock and the Cloud Assistant events so far.
type assisted struct {
	*testing.T
	*ecs.Service
	clock  *simcloud.Clock
	events []map[string]string
}

func newAssisted(t *testing.T) *assisted {
	t.Helper()
	clock := simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	w := simcloud.NewWorld(clock, []string{account}, []string{region, "cn-shanghai"})
	x := &assisted{T: t, clock: clock, Service: ecs.New(w, everything{}, everything{})}
	w.Subscribe(func(e simcloud.Event) {
		if strings.HasPrefix(e.Type, "ecs:CloudAssistant:") {
			data := map[string]string{"type": strings.TrimPrefix(e.Type, "ecs:CloudAssistant:")}
			if err := json.Unmarshal(e.Data, &data); err != nil {
				t.Error(err)
			}
			x.events = append(x.events, data)
		}
	})
	return x
}

func (x *assisted) pass(d time.Duration) {
	x.Helper()
	if err := x.clock.Advance(x.Context(), d); err != nil {
		x.Fatal(err)
	}
}

func (x *assisted) run(in ecs.RunCommandRequest, ids ...string) (string, error) {
	in.InstanceId = ids
	if in.Type == "" {
		in.Type = "RunShellScript"
	}
	if in.CommandContent == "" {
		in.CommandContent = "true"
	}
	out, err := x.RunCommand(call("RunCommand", nil), &in)
	if err != nil {
		return "", err
	}
	return out.InvokeId, nil
}

func (x *assisted) mustRun(in ecs.RunCommandRequest, ids ...string) string {
	x.Helper()
	id, err := x.run(in, ids...)
	if err != nil {
		x.Fatal(err)
	}
	return id
}

// results are status and error code of an invocation by instance.
func (x *assisted) results(invoke string) map[string]string {
	x.Helper()
	got := map[string]string{}
	for _, r := range x.invocation(invoke).InvokeInstances.InvokeInstance {
		got[r.InstanceId] = strings.TrimSpace(r.InvocationStatus + " " + r.ErrorCode)
	}
	return got
}

func (x *assisted) invocation(invoke string) ecs.InvocationItem {
	x.Helper()
	out, err := x.DescribeInvocations(call("D", nil), &ecs.DescribeInvocationsRequest{InvokeId: invoke})
	if err != nil || len(out.Invocations.Invocation) != 1 {
		x.Fatalf("%s: %v, %v", invoke, out, err)
	}
	return out.Invocations.Invocation[0]
}

// overall is the status over all instances.
func (x *assisted) overall(invoke string) string {
	x.Helper()
	v := x.invocation(invoke)
	return v.InvocationStatus + "/" + v.InvokeStatus
}

func (x *assisted) status(id string) ecs.CloudAssistantStatus {
	x.Helper()
	out, err := x.DescribeCloudAssistantStatus(call("D", nil), &ecs.DescribeCloudAssistantStatusRequest{InstanceId: []string{id}})
	if err != nil || len(out.InstanceCloudAssistantStatusSet.InstanceCloudAssistantStatus) != 1 {
		x.Fatalf("%s: %v, %v", id, out, err)
	}
	return out.InstanceCloudAssistantStatusSet.InstanceCloudAssistantStatus[0]
}

func (x *assisted) release(id string) {
	x.Helper()
	if _, err := x.DeleteInstance(call("D", nil), &ecs.DeleteInstanceRequest{InstanceId: id, Force: true}); err != nil {
		x.Fatal(err)
	}
}

func (x *assisted) stop(id string) {
	x.Helper()
	if _, err := x.StopInstance(call("S", nil), &ecs.StopInstanceRequest{InstanceId: id}); err != nil {
		x.Fatal(err)
	}
}

func (x *assisted) start(id string) {
	x.Helper()
	if _, err := x.StartInstance(call("S", nil), &ecs.StartInstanceRequest{InstanceId: id}); err != nil {
		x.Fatal(err)
	}
}

func (x *assisted) profile(id string, p ecs.Profile) {
	x.Helper()
	if err := x.SetProfile(account, id, p); err != nil {
		x.Fatal(err)
	}
}
