package ecs_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/wire"
)

const (
	account = "1000000000000001"
	region  = "cn-hangzhou"
)

// everything is a RAM and a KMS in which all is well.
type everything struct{}

func (everything) RoleVisible(string, string) (exists, trustsECS bool) { return true, true }
func (everything) Enabled(string, string) bool                         { return true }
func (everything) Key(string, string, string) (found, enabled bool)    { return true, true }

func newECS() *ecs.Service {
	clock := simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	return ecs.New(simcloud.NewWorld(clock, []string{account, "1000000000000002"}, []string{region, "cn-shanghai"}), everything{}, everything{})
}

// seededAgents is a Security Center that remembers the seeded agents, by instance.
type seededAgents map[string]string

func (seededAgents) Launched(ecs.Machine)                 {}
func (seededAgents) Started(ecs.Machine)                  {}
func (seededAgents) Released(ecs.Machine)                 {}
func (seededAgents) Installer(ecs.Machine, []string)      {}
func (x seededAgents) Seeded(m ecs.Machine, agent string) { x[m.ID()] = agent }

// question is what a call asked RAM.
type question struct {
	action, resource string
	conditions       map[string]string
}

// call is a call by the account's administrator; asked receives its questions.
func call(action string, asked *[]question) *wire.Call {
	return &wire.Call{
		Product: "ecs", Action: action, Region: region, Caller: wire.Identity{Account: account},
		Params: map[string]string{"RegionId": region},
		Authorize: func(action, resource string, conditions map[string]string) error {
			if asked != nil {
				*asked = append(*asked, question{action, resource, conditions})
			}
			return nil
		},
	}
}

// denied is call by a caller without any rights.
func denied(action string) *wire.Call {
	c := call(action, nil)
	c.Authorize = func(string, string, map[string]string) error { return wire.Errorf(403, "Forbidden.RAM", "no") }
	return c
}

func codeOf(err error) string {
	var e *wire.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return e.Code
}

func seed(t testing.TB, s *ecs.Service, f ecs.FleetSpec) []string {
	t.Helper()
	out, err := s.SeedFleet(f)
	if err != nil {
		t.Fatal(err)
	}
	return out.IDs
}

// api is one API with its parameters.
func api[In, Out any](s *ecs.Service, method func(*wire.Call, *In) (*Out, error), in *In) func(*wire.Call) error {
	return func(c *wire.Call) error {
		_, err := routed(s, method, c, in)
		return err
	}
}

// routed calls an API as the router does.
func routed[In, Out any](s *ecs.Service, method func(*wire.Call, *In) (*Out, error), c *wire.Call, in *In) (*Out, error) {
	mutex, err := s.Enter(c)
	if err != nil {
		return nil, err
	}
	mutex.Lock()
	defer mutex.Unlock()
	return method(c, in)
}

// apis are all APIs, as far as they name an instance on this one.
func apis(t *testing.T, s *ecs.Service, id string) map[string]func(*wire.Call) error {
	t.Helper()
	tag, one := []ecs.TagParam{{Key: "k", Value: "v"}}, []string{id}
	const kind, image = "ecs.g7t.large", "aliyun_3_x64_20G_uefi_alibase_20230727.vhd"
	return map[string]func(*wire.Call) error{
		"RunInstances":                  api(s, s.RunInstances, &ecs.RunInstancesRequest{InstanceType: kind, ImageId: image, VSwitchId: "vsw-local", SecurityGroupId: "sg-local"}),
		"CreateInstance":                api(s, s.CreateInstance, &ecs.CreateInstanceRequest{InstanceType: kind, ImageId: image, VSwitchId: "vsw-local", SecurityGroupId: "sg-local"}),
		"DescribeInstances":             api(s, s.DescribeInstances, &ecs.DescribeInstancesRequest{}),
		"DescribeInstanceRamRole":       api(s, s.DescribeInstanceRamRole, &ecs.DescribeInstanceRamRoleRequest{RamRoleName: "app"}),
		"DescribeImages":                api(s, s.DescribeImages, &ecs.DescribeImagesRequest{}),
		"DescribeDisks":                 api(s, s.DescribeDisks, &ecs.DescribeDisksRequest{}),
		"DescribeRegions":               api(s, s.DescribeRegions, &ecs.DescribeRegionsRequest{}),
		"DescribeUserData":              api(s, s.DescribeUserData, &ecs.DescribeUserDataRequest{InstanceId: id}),
		"ListTagResources":              api(s, s.ListTagResources, &ecs.ListTagResourcesRequest{ResourceType: "instance", Tag: tag}),
		"TagResources":                  api(s, s.TagResources, &ecs.TagResourcesRequest{ResourceType: "instance", ResourceId: one, Tag: tag}),
		"UntagResources":                api(s, s.UntagResources, &ecs.UntagResourcesRequest{ResourceType: "instance", ResourceId: one, All: true}),
		"AttachInstanceRamRole":         api(s, s.AttachInstanceRamRole, &ecs.AttachInstanceRamRoleRequest{InstanceIds: []string{id}, RamRoleName: "app"}),
		"DetachInstanceRamRole":         api(s, s.DetachInstanceRamRole, &ecs.DetachInstanceRamRoleRequest{InstanceIds: []string{id}}),
		"StartInstance":                 api(s, s.StartInstance, &ecs.StartInstanceRequest{InstanceId: id}),
		"StartInstances":                api(s, s.StartInstances, &ecs.StartInstancesRequest{InstanceId: one}),
		"StopInstance":                  api(s, s.StopInstance, &ecs.StopInstanceRequest{InstanceId: id}),
		"StopInstances":                 api(s, s.StopInstances, &ecs.StopInstancesRequest{InstanceId: one}),
		"DeleteInstance":                api(s, s.DeleteInstance, &ecs.DeleteInstanceRequest{InstanceId: id, Force: true}),
		"CreateCommand":                 api(s, s.CreateCommand, &ecs.CreateCommandRequest{Name: "n", Type: "RunShellScript", CommandContent: "dHJ1ZQ=="}),
		"DescribeCommands":              api(s, s.DescribeCommands, &ecs.DescribeCommandsRequest{}),
		"InvokeCommand":                 api(s, s.InvokeCommand, &ecs.InvokeCommandRequest{CommandId: "c-1", InstanceId: one}),
		"RunCommand":                    api(s, s.RunCommand, &ecs.RunCommandRequest{Type: "RunShellScript", CommandContent: "true", InstanceId: one}),
		"DescribeInvocations":           api(s, s.DescribeInvocations, &ecs.DescribeInvocationsRequest{}),
		"DescribeCloudAssistantStatus":  api(s, s.DescribeCloudAssistantStatus, &ecs.DescribeCloudAssistantStatusRequest{InstanceId: one}),
		"DescribeSnapshots":             api(s, s.DescribeSnapshots, &ecs.DescribeSnapshotsRequest{}),
		"CopyImage":                     api(s, s.CopyImage, &ecs.CopyImageRequest{ImageId: "m-1"}),
		"ModifyImageSharePermission":    api(s, s.ModifyImageSharePermission, &ecs.ModifyImageSharePermissionRequest{ImageId: "m-1"}),
		"DescribeImageSharePermission":  api(s, s.DescribeImageSharePermission, &ecs.DescribeImageSharePermissionRequest{ImageId: "m-1"}),
		"ModifyInstanceMetadataOptions": api(s, s.ModifyInstanceMetadataOptions, &ecs.ModifyInstanceMetadataOptionsRequest{InstanceId: id, HttpEndpoint: "enabled"}),
	}
}

// resources is what each API asks RAM for, beside ram:PassRole. I stands for
// the instance, A for the account and region.
var resources = map[string]string{
	"RunInstances": "A:instance/*", "CreateInstance": "A:instance/*",
	"DescribeInstances": "A:instance/*", "DescribeInstanceRamRole": "A:instance/*",
	"DescribeUserData": "A:instance/I",
	"DescribeRegions":  "*", "DescribeImages": "A:image/*", "DescribeDisks": "A:disk/*",
	"ListTagResources": "A:instance/*",
	"TagResources":     "A:instance/I", "UntagResources": "A:instance/I",
	"AttachInstanceRamRole": "A:instance/I", "DetachInstanceRamRole": "A:instance/I",
	"StartInstance": "A:instance/I", "StartInstances": "A:instance/I", "StopInstance": "A:instance/I", "StopInstances": "A:instance/I",
	"CreateCommand": "A:command/*", "DescribeCommands": "A:command/*",
	"InvokeCommand": "A:instance/I A:command/c-1", "RunCommand": "A:instance/I A:command/*",
	"DescribeInvocations":          "A:instance/* A:command/*",
	"DescribeCloudAssistantStatus": "A:instance/*",
	"DescribeSnapshots":            "A:snapshot/*",
	"CopyImage":                    "A:image/*",
	"ModifyImageSharePermission":   "A:image/m-1", "DescribeImageSharePermission": "A:image/m-1",
	"DeleteInstance": "A:instance/I", "ModifyInstanceMetadataOptions": "A:instance/I",
}

func TestEachCallAsksRAMForItsResources(t *testing.T) {
	s := newECS()
	id := seed(t, s, ecs.FleetSpec{Count: 1})[0]
	expand := strings.NewReplacer("A:", "acs:ecs:"+region+":"+account+":", "/I", "/"+id)
	for name, do := range apis(t, s, id) {
		var asked []question
		c := call(name, &asked)
		c.Params["ImageId"], c.Params["ResourceType"] = "m-1", "instance"
		_ = do(c) // whether it then succeeds is other tests' matter
		if len(asked) == 0 {
			t.Errorf("%s asks nothing", name)
			continue
		}
		for n, want := range strings.Fields(expand.Replace(resources[name])) {
			if n >= len(asked) || asked[n].action != "ecs:"+name || asked[n].resource != want {
				t.Errorf("%s asks for %v, want %s", name, asked, want)
			}
		}
	}
}

func TestACallerWithoutRightsChangesAndLearnsNothing(t *testing.T) {
	s := newECS()
	id := seed(t, s, ecs.FleetSpec{Count: 1})[0]
	before := s.Instances()
	for name, do := range apis(t, s, id) {
		if got := codeOf(do(denied(name))); got != "Forbidden.RAM" {
			t.Errorf("%s answers %s", name, got)
		}
	}
	for name, do := range apis(t, s, "i-gone") {
		if got := codeOf(do(denied(name))); got != "Forbidden.RAM" {
			t.Errorf("%s of an instance that does not exist answers %s", name, got)
		}
	}
	if diff := cmp.Diff(before, s.Instances()); diff != "" {
		t.Error(diff)
	}
}

func TestALaunchPassesItsHardeningToRAM(t *testing.T) {
	for _, strategy := range []string{"", "Active", "Deactive"} {
		var asked []question
		_, _ = newECS().RunInstances(call("RunInstances", &asked), &ecs.RunInstancesRequest{SecurityEnhancementStrategy: strategy})
		if got := asked[0].conditions["ecs:SecurityEnhancementStrategy"]; got != strategy {
			t.Errorf("with %q the condition key is %q", strategy, got)
		}
		if _, there := asked[0].conditions["ecs:SecurityEnhancementStrategy"]; there != (strategy != "") {
			t.Errorf("with %q the condition key is there: %t", strategy, there)
		}
	}
}

func TestAClientTokenLaunchesOnceEvenAtTheSameTime(t *testing.T) {
	s := newECS()
	in := &ecs.RunInstancesRequest{
		InstanceType: "ecs.g7t.large", ImageId: "aliyun_3_x64_20G_uefi_alibase_20230727.vhd",
		VSwitchId: "vsw-local", SecurityGroupId: "sg-local", Amount: 3, ClientToken: "t-1",
	}
	var together sync.WaitGroup
	answers := make([]*ecs.RunInstancesResponse, 8)
	for i := range answers {
		together.Go(func() {
			out, err := routed(s, s.RunInstances, call("RunInstances", nil), in)
			if err != nil {
				t.Error(err)
			}
			answers[i] = out
		})
	}
	together.Wait()
	for _, a := range answers {
		if diff := cmp.Diff(answers[0], a); diff != "" {
			t.Errorf("two answers differ: %s", diff)
		}
	}
	if n := len(s.Instances()); n != 3 {
		t.Errorf("%d instances, want 3", n)
	}
}

func TestAnotherAccountAndRegionSeeNothing(t *testing.T) {
	s := newECS()
	id := seed(t, s, ecs.FleetSpec{Count: 1})[0]
	for _, at := range []struct{ account, region string }{{"1000000000000002", region}, {account, "cn-shanghai"}} {
		c := call("DescribeInstances", nil)
		c.Caller.Account, c.Region = at.account, at.region
		out, err := routed(s, s.DescribeInstances, c, &ecs.DescribeInstancesRequest{InstanceIds: []string{id}})
		if err != nil || len(out.Instances.Instance) != 0 {
			t.Errorf("%v sees %v, %v", at, out, err)
		}
		_, err = s.StopInstance(c, &ecs.StopInstanceRequest{InstanceId: id})
		if codeOf(err) != "InvalidInstanceId.NotFound" {
			t.Errorf("%v stops it: %v", at, err)
		}
	}
}
