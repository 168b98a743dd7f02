package conformance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	ramapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// instances is a cloud and the official ECS client before it.
type instances struct {
	*server.Server
	*ecssdk.Client

	mu     sync.Mutex
	events []simcloud.Event
}

const (
	uefiImage   = "aliyun_3_x64_20G_uefi_alibase_20230727.vhd"
	plainImage  = "aliyun_2_1903_x64_20G_alibase_20230103.vhd"
	secureImage = "aliyun_2_1903_x64_20G_secured_alibase_20210120.vhd"
	ecsTrust    = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["ecs.aliyuncs.com"]}}]}`
	fcTrust     = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`
)

func newInstances(t *testing.T) *instances {
	t.Helper()
	s, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	x := &instances{Server: s, Client: ecsClient(t, s.URL(), "local")}
	s.World.Subscribe(func(e simcloud.Event) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.events = append(x.events, e)
	})
	return x
}

func ecsClient(t *testing.T, url, user string) *ecssdk.Client {
	t.Helper()
	c, err := ecssdk.NewClient(&openapi.Config{
		AccessKeyId: tea.String(user + "-ak"), AccessKeySecret: tea.String(user + "-sk"),
		Endpoint: tea.String(url[len("http://"):]), Protocol: tea.String("http"), RegionId: tea.String(server.Home),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// role makes a role and lets it become visible.
func (x *instances) role(t *testing.T, name, trust string) {
	t.Helper()
	x.createRole(t, name, trust)
	x.advance(t, time.Minute)
}

// createRole makes a role as the administrator of the home account.
func (x *instances) createRole(t *testing.T, name, trust string) {
	t.Helper()
	c, err := ramsdk.NewClient(&ramapi.Config{
		AccessKeyId: tea.String("local-ak"), AccessKeySecret: tea.String("local-sk"),
		Endpoint: tea.String(x.URL()[len("http://"):]), Protocol: tea.String("http"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateRole(&ramsdk.CreateRoleRequest{RoleName: tea.String(name), AssumeRolePolicyDocument: tea.String(trust)}); err != nil {
		t.Fatal(err)
	}
}

func (x *instances) advance(t *testing.T, d time.Duration) {
	t.Helper()
	if err := x.World.Clock.Advance(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// trustedLaunch is a sound launch of trusted instances.
func trustedLaunch(n int32) *ecssdk.RunInstancesRequest {
	return &ecssdk.RunInstancesRequest{
		RegionId: tea.String(server.Home), InstanceType: tea.String("ecs.g7t.large"), ImageId: tea.String(uefiImage),
		VSwitchId: tea.String("vsw-local"), SecurityGroupId: tea.String("sg-local"), Amount: tea.Int32(n),
		SystemDisk:      &ecssdk.RunInstancesRequestSystemDisk{Category: tea.String("cloud_essd")},
		SecurityOptions: &ecssdk.RunInstancesRequestSecurityOptions{TrustedSystemMode: tea.String("vTPM")},
	}
}

func (x *instances) launch(t *testing.T, in *ecssdk.RunInstancesRequest) []string {
	t.Helper()
	out, err := x.RunInstances(in)
	if err != nil {
		t.Fatal(err)
	}
	return tea.StringSliceValue(out.Body.InstanceIdSets.InstanceIdSet)
}

func idArray(t *testing.T, ids ...string) *string {
	t.Helper()
	b, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	return tea.String(string(b))
}

// code is the HTTP status and code of an SDK's error; "" for none.
func code(err error) string {
	var e *tea.SDKError
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%d %s", tea.IntValue(e.StatusCode), tea.StringValue(e.Code))
}

func wantCode(t *testing.T, want string, err error) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("the answer is %s, want %s", got, want)
	}
}

// states is the instance's StateChange states and FirstHeartbeats in order.
func (x *instances) states(t *testing.T, id string) (got []string) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.events {
		var d struct{ ResourceID, ResourceType, State, InstanceID string }
		if err := json.Unmarshal(e.Data, &d); err != nil {
			t.Fatal(err)
		}
		if d.ResourceID == id && d.ResourceType == "ALIYUN::ECS::Instance" && e.Type == "ecs:Instance:StateChange" {
			got = append(got, d.State)
		}
		if d.InstanceID == id {
			got = append(got, e.Type)
		}
	}
	return got
}

func TestALaunchedInstanceIsDescribedAndGetsARole(t *testing.T) {
	x := newInstances(t)
	x.role(t, "app", ecsTrust)
	id := x.launch(t, trustedLaunch(1))[0]
	x.advance(t, time.Minute)

	all, err := x.DescribeInstances(&ecssdk.DescribeInstancesRequest{RegionId: tea.String(server.Home), InstanceIds: idArray(t, id)})
	if err != nil {
		t.Fatal(err)
	}
	got := all.Body.Instances.Instance[0]
	seen := map[string]string{
		"status": tea.StringValue(got.Status), "family": tea.StringValue(got.InstanceTypeFamily), "vpc": tea.StringValue(got.VpcAttributes.VpcId),
		"network": tea.StringValue(got.InstanceNetworkType), "tag": tea.StringValue(got.Tags.Tag[0].TagKey),
		"tokens": tea.StringValue(got.MetadataOptions.HttpTokens), "os": tea.StringValue(got.OSType), "image": tea.StringValue(got.ImageId),
	}
	want := map[string]string{
		"status": "Running", "family": "ecs.g7t", "vpc": "vpc-local", "network": "vpc", "tag": "acs:ecs:supportVtpm",
		"tokens": "optional", "os": "linux", "image": uefiImage,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}

	attached, err := x.AttachInstanceRamRole(&ecssdk.AttachInstanceRamRoleRequest{RegionId: tea.String(server.Home), InstanceIds: idArray(t, id), RamRoleName: tea.String("app")})
	if err != nil {
		t.Fatal(err)
	}
	r := attached.Body.AttachInstanceRamRoleResults.AttachInstanceRamRoleResult[0]
	if tea.StringValue(r.Code) != "200" || r.Success != nil {
		t.Errorf("a result that is well must be code 200 without Success, got %v", r)
	}
	if got := x.roles(t, id); got[id] != "app" {
		t.Errorf("the instance has role %q after the attach", got[id])
	}
	if diff := cmp.Diff([]string{"Pending", "Starting", "Running", "ecs:CloudAssistant:FirstHeartbeat"}, x.states(t, id)); diff != "" {
		t.Error(diff)
	}
}

func (x *instances) roles(t *testing.T, ids ...string) map[string]string {
	t.Helper()
	out, err := x.DescribeInstanceRamRole(&ecssdk.DescribeInstanceRamRoleRequest{RegionId: tea.String(server.Home), InstanceIds: idArray(t, ids...), PageSize: tea.Int32(50)})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range out.Body.InstanceRamRoleSets.InstanceRamRoleSet {
		got[tea.StringValue(r.InstanceId)] = tea.StringValue(r.RamRoleName)
	}
	return got
}

func TestAttachingFailsInPartWithStatus200(t *testing.T) {
	x := newInstances(t)
	x.role(t, "app", ecsTrust)
	taken := x.seed(t, ecs.FleetSpec{Count: 1, Role: "other"})[0]
	classic := x.seed(t, ecs.FleetSpec{Count: 1, Role: "-", Network: "classic"})[0]
	free := x.seed(t, ecs.FleetSpec{Count: 1, Role: "-"})[0]
	out, err := x.AttachInstanceRamRole(&ecssdk.AttachInstanceRamRoleRequest{
		RegionId: tea.String(server.Home), InstanceIds: idArray(t, taken, classic, free, "i-gone"), RamRoleName: tea.String("app"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := tea.Int32Value(out.Body.FailCount); n != 3 {
		t.Errorf("FailCount is %d, want 3", n)
	}
	var codes []string
	for _, r := range out.Body.AttachInstanceRamRoleResults.AttachInstanceRamRoleResult {
		codes = append(codes, tea.StringValue(r.Code))
	}
	want := []string{"InvalidOperation.RamRoleAlreadyAttached", "InvalidNetworkType.MismatchRamRole", "200", "InvalidInstanceId.NotFound"}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Error(diff)
	}
	if got := x.roles(t, taken, classic, free); got[taken] != "other" || got[classic] != "" || got[free] != "app" {
		t.Errorf("roles after a partial failure: %v", got)
	}
}

func (x *instances) seed(t *testing.T, f ecs.FleetSpec) []string {
	t.Helper()
	out, err := x.ECS.SeedFleet(f)
	if err != nil {
		t.Fatal(err)
	}
	return out.IDs
}

func TestAttachingIsRefusedAsAWhole(t *testing.T) {
	x := newInstances(t)
	x.role(t, "app", ecsTrust)
	x.role(t, "fc", fcTrust)
	id := x.seed(t, ecs.FleetSpec{Count: 1, Role: "-"})[0]
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("i-", i)
	}
	for name, c := range map[string]struct {
		ids  *string
		role string
		want string
	}{
		"ids are not JSON":           {tea.String("i-1,i-2"), "app", "400 InvalidInstanceIds.Malformed"},
		"no ids":                     {tea.String("[]"), "app", "400 InvalidInstanceIds.Malformed"},
		"no such role":               {idArray(t, id), "unknown", "404 InvalidRamRole.NotFound"},
		"role of another service":    {idArray(t, id), "fc", "404 InvalidRamRole.NotEcsRole"},
		"one hundred and one ids":    {idArray(t, many...), "app", "400 InvalidParameter"},
		"one hundred is not refused": {idArray(t, many[:100]...), "app", "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := x.AttachInstanceRamRole(&ecssdk.AttachInstanceRamRoleRequest{RegionId: tea.String(server.Home), InstanceIds: c.ids, RamRoleName: tea.String(c.role)})
			wantCode(t, c.want, err)
		})
	}
	_, err := x.DescribeInstanceRamRole(&ecssdk.DescribeInstanceRamRoleRequest{RegionId: tea.String(server.Home)})
	wantCode(t, "403 InvalidParameter.AllEmpty", err)
	_, err = x.DescribeInstanceRamRole(&ecssdk.DescribeInstanceRamRoleRequest{RegionId: tea.String(server.Home), InstanceIds: idArray(t, many[:51]...)})
	wantCode(t, "400 InvalidParameter", err)
	_, err = x.DescribeInstances(&ecssdk.DescribeInstancesRequest{RegionId: tea.String(server.Home), InstanceIds: idArray(t, many...)})
	wantCode(t, "400 InvalidParameter", err)
}
