package ecs_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
)

func TestACommandEndsAsItsInstanceHasIt(t *testing.T) {
	for name, c := range map[string]struct {
		fleet   ecs.FleetSpec
		content string
		timeout int64
		after   func(x *assisted, id string)
		want    string
		overall string
	}{
		"success":      {want: "Success", overall: "Success/Finished"},
		"no effect":    {fleet: ecs.FleetSpec{Commands: ecs.NoEffect}, want: "Success", overall: "Success/Finished"},
		"failure":      {fleet: ecs.FleetSpec{Commands: ecs.Fails}, want: "Failed ExitCodeNonzero", overall: "Failed/Failed"},
		"hanging":      {fleet: ecs.FleetSpec{Commands: ecs.Hangs}, want: "Timeout ExecutionTimeout", overall: "Failed/Failed"},
		"undelivered":  {fleet: ecs.FleetSpec{Commands: ecs.Undelivered}, want: "Aborted DeliveryTimeout", overall: "Failed/Failed"},
		"silent":       {fleet: ecs.FleetSpec{Assistant: "silent"}, want: "Aborted ClientNotResponse", overall: "Failed/Failed"},
		"slow, 60 s":   {content: "AliAqsInstall", want: "Timeout ExecutionTimeout", overall: "Failed/Failed"},
		"slow, 600 s":  {content: "AliAqsInstall", timeout: 600, want: "Success", overall: "Success/Finished"},
		"trust client": {content: "TrustAgentInstall", want: "Success", overall: "Success/Finished"},
		"released before": {want: "Aborted InstanceNotExists", overall: "Failed/Failed", after: func(x *assisted, id string) {
			x.release(id)
		}},
		"released under way": {want: "Error InstanceReleased", overall: "Failed/Failed", after: func(x *assisted, id string) {
			x.pass(2 * time.Second)
			x.release(id)
		}},
		"stopped under way": {want: "Error InstanceNotRunning", overall: "Failed/Failed", after: func(x *assisted, id string) {
			x.pass(2 * time.Second)
			x.stop(id)
		}},
		"stopped before": {want: "Aborted InstanceNotRunning", overall: "Failed/Failed", after: func(x *assisted, id string) {
			x.stop(id)
		}},
		"gone silent": {want: "Aborted ClientNotResponse", overall: "Failed/Failed", after: func(x *assisted, id string) {
			x.profile(id, ecs.Profile{Assistant: "silent"})
		}},
		"gone away": {want: "Aborted ClientNotRunning", overall: "Failed/Failed", after: func(x *assisted, id string) {
			x.profile(id, ecs.Profile{Assistant: "absent"})
		}},
		"back in time": {fleet: ecs.FleetSpec{Assistant: "silent"}, want: "Success", overall: "Success/Finished", after: func(x *assisted, id string) {
			x.pass(40 * time.Second)
			x.profile(id, ecs.Profile{})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			x := newAssisted(t)
			c.fleet.Count = 1
			id := seed(t, x.Service, c.fleet)[0]
			invoke := x.mustRun(ecs.RunCommandRequest{Name: "n", CommandContent: c.content, Timeout: c.timeout}, id)
			if got := x.overall(invoke); got != "Pending/Running" {
				t.Errorf("it begins as %s", got)
			}
			if c.after != nil {
				c.after(x, id)
			}
			x.pass(20 * time.Minute)
			if diff := cmp.Diff(map[string]string{id: c.want}, x.results(invoke)); diff != "" {
				t.Error(diff)
			}
			if got := x.overall(invoke); got != c.overall {
				t.Errorf("over all it is %s, want %s", got, c.overall)
			}
			word, _, _ := strings.Cut(c.want, " ")
			done := slices.DeleteFunc(x.events, func(e map[string]string) bool { return e["type"] != "TaskCompleted" })
			if len(done) != 1 || done[0]["instanceId"] != id || done[0]["invocationStatus"] != word || done[0]["commandName"] != "n" {
				t.Errorf("events are %v", done)
			}
		})
	}
}

func TestCloudAssistantAnswersForTwoMinutesAfterItsLastHeartbeat(t *testing.T) {
	x := newAssisted(t)
	out, err := x.RunInstances(call("R", nil), &ecs.RunInstancesRequest{
		InstanceType: "ecs.g7.large", ImageId: "aliyun_3_x64_20G_uefi_alibase_20230727.vhd", VSwitchId: "vsw-local", SecurityGroupId: "sg-local",
	})
	if err != nil {
		t.Fatal(err)
	}
	id := out.InstanceIdSets.InstanceIdSet[0]
	at := func(when, want, heartbeat string) {
		t.Helper()
		if s := x.status(id); s.CloudAssistantStatus != want || s.LastHeartbeatTime != heartbeat || s.CloudAssistantVersion == "" {
			t.Errorf("%s: %+v, want %s, %s", when, s, want, heartbeat)
		}
	}
	at("at launch", "false", "")
	x.pass(time.Minute)
	at("after a minute", "true", "2026-01-05T00:01:00Z")
	x.stop(id)
	x.pass(100 * time.Second)
	at("soon after its stop", "true", "2026-01-05T00:01:00Z")
	x.pass(100 * time.Second)
	at("long after its stop", "false", "2026-01-05T00:01:00Z")
	x.start(id)
	x.pass(time.Minute)
	at("after a restart", "true", "2026-01-05T00:05:20Z")
	if n := len(x.events); n != 1 || x.events[0]["type"] != "FirstHeartbeat" {
		t.Errorf("events are %v", x.events)
	}
}

func TestTheTrustClientComesByCommandOrUserData(t *testing.T) {
	x := newAssisted(t)
	script := base64.StdEncoding.EncodeToString([]byte("sh TrustAgentInstall.sh"))
	plain := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
	pushed := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
	failed := seed(t, x.Service, ecs.FleetSpec{Count: 1, Commands: ecs.NoEffect})[0]
	seeded := seed(t, x.Service, ecs.FleetSpec{Count: 1, UserData: script})[0]
	out, err := x.RunInstances(call("R", nil), &ecs.RunInstancesRequest{
		InstanceType: "ecs.g6t.large", ImageId: "aliyun_2_1903_x64_20G_secured_alibase_20210120.vhd", VSwitchId: "vsw-local",
		SecurityGroupId: "sg-local", UserData: script,
	})
	if err != nil {
		t.Fatal(err)
	}
	launched := out.InstanceIdSets.InstanceIdSet[0]
	if i, _ := x.Instance(account, region, launched); i.TrustClient {
		t.Error("user data ran before the first boot")
	}
	x.mustRun(ecs.RunCommandRequest{CommandContent: "sh TrustAgentInstall.sh"}, pushed, failed)
	x.pass(time.Minute)
	for id, want := range map[string]bool{plain: false, pushed: true, failed: false, seeded: true, launched: true} {
		if i, _ := x.Instance(account, region, id); i.TrustClient != want {
			t.Errorf("%s has the trust client: %t, want %t", id, i.TrustClient, want)
		}
	}
}

func TestABadProfileIsRefused(t *testing.T) {
	x := newAssisted(t)
	id := seed(t, x.Service, ecs.FleetSpec{Count: 1})[0]
	for _, err := range []error{
		x.SetProfile(account, "i-gone", ecs.Profile{}), x.SetProfile(account, id, ecs.Profile{Assistant: "waiting"}),
		x.SetProfile(account, id, ecs.Profile{Outcome: "explodes"}),
	} {
		if err == nil {
			t.Error("accepted")
		}
	}
}
