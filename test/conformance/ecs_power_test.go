package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

func (x *instances) find(t *testing.T, id string) ecs.InstanceState {
	t.Helper()
	i, ok := x.ECS.Instance(server.Sharer, server.Home, id)
	if !ok {
		t.Fatalf("there is no instance %s", id)
	}
	return i
}

func TestAStoppedInstanceChargesByItsMode(t *testing.T) {
	x := newInstances(t)
	for name, c := range map[string]struct {
		mode *string
		want string
	}{
		"no mode":      {nil, "KeepCharging"},
		"KeepCharging": {tea.String("KeepCharging"), "KeepCharging"},
		"StopCharging": {tea.String("StopCharging"), "StopCharging"},
	} {
		t.Run(name, func(t *testing.T) {
			id := x.seed(t, ecs.FleetSpec{Count: 1})[0]
			if _, err := x.StopInstance(&ecssdk.StopInstanceRequest{InstanceId: tea.String(id), StoppedMode: c.mode}); err != nil {
				t.Fatal(err)
			}
			if got := x.find(t, id); got.Status != "Stopping" {
				t.Errorf("at first it is %s", got.Status)
			}
			_, err := x.StopInstance(&ecssdk.StopInstanceRequest{InstanceId: tea.String(id)})
			wantCode(t, "403 IncorrectInstanceStatus", err)
			x.advance(t, time.Minute)
			if got := x.find(t, id); got.Status != "Stopped" || got.StoppedMode != c.want {
				t.Errorf("then it is %s, %s", got.Status, got.StoppedMode)
			}
		})
	}
}

func TestAStartedInstanceHasNoStoppedMode(t *testing.T) {
	x := newInstances(t)
	id := x.seed(t, ecs.FleetSpec{Count: 1, Status: "Stopped"})[0]
	if got := x.find(t, id).StoppedMode; got != "KeepCharging" {
		t.Errorf("stopped, its mode is %s", got)
	}
	if _, err := x.StartInstances(&ecssdk.StartInstancesRequest{RegionId: tea.String(server.Home), InstanceId: tea.StringSlice([]string{id})}); err != nil {
		t.Fatal(err)
	}
	x.advance(t, time.Minute)
	if got := x.find(t, id); got.Status != "Running" || got.StoppedMode != "Not-applicable" {
		t.Errorf("started, it is %s with mode %s", got.Status, got.StoppedMode)
	}
}

func TestAnInstanceReleasedOnItsWayUpRaisesNothingMore(t *testing.T) {
	x := newInstances(t)
	id := x.launch(t, trustedLaunch(1))[0]
	x.advance(t, 3*time.Second)
	x.deleteNow(t, id)
	x.advance(t, time.Hour)
	if diff := cmp.Diff([]string{"Pending", "Starting", "Deleted"}, x.states(t, id)); diff != "" {
		t.Error(diff)
	}
}

func TestAStoppedInstanceIsReleasedWithoutForce(t *testing.T) {
	x := newInstances(t)
	id := x.seed(t, ecs.FleetSpec{Count: 1, Status: "Stopped"})[0]
	if _, err := x.DeleteInstance(&ecssdk.DeleteInstanceRequest{InstanceId: tea.String(id)}); err != nil {
		t.Fatal(err)
	}
	if _, there := x.ECS.Instance(server.Sharer, server.Home, id); there {
		t.Error("it is still there")
	}
}

func TestInstancesOfALaunchDoNotShareTheirTags(t *testing.T) {
	x := newInstances(t)
	r := trustedLaunch(2)
	r.Tag = []*ecssdk.RunInstancesRequestTag{{Key: tea.String("team"), Value: tea.String("a")}}
	two := x.launch(t, r)
	_, err := x.TagResources(&ecssdk.TagResourcesRequest{
		RegionId: tea.String(server.Home), ResourceType: tea.String("instance"), ResourceId: tea.StringSlice(two[:1]),
		Tag: []*ecssdk.TagResourcesRequestTag{{Key: tea.String("team"), Value: tea.String("b")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := x.find(t, two[0]).Tags["team"], x.find(t, two[1]).Tags["team"]; a != "b" || b != "a" {
		t.Errorf("the tags are %s, and of its neighbour %s", a, b)
	}
}

func TestAResourceHasAtMostTwentyTagsOfItsOwn(t *testing.T) {
	x := newInstances(t)
	id := x.launch(t, trustedLaunch(1))[0] // with a system tag, which does not count
	tag := func(from, to int) error {
		in := &ecssdk.TagResourcesRequest{RegionId: tea.String(server.Home), ResourceType: tea.String("instance"), ResourceId: tea.StringSlice([]string{id})}
		for i := from; i < to; i++ {
			in.Tag = append(in.Tag, &ecssdk.TagResourcesRequestTag{Key: tea.String(fmt.Sprint("k", i)), Value: tea.String("v")})
		}
		_, err := x.TagResources(in)
		return err
	}
	wantCode(t, "<nil>", tag(0, 20))
	wantCode(t, "403 QuotaExceed.TagNum", tag(20, 21))
	wantCode(t, "<nil>", tag(0, 5))
	if n := len(x.find(t, id).Tags); n != 21 {
		t.Errorf("it has %d tags", n)
	}
}

func TestABatchIsAllTogetherOrEachForItself(t *testing.T) {
	x := newInstances(t)
	up := x.seed(t, ecs.FleetSpec{Count: 1})[0]
	down := x.seed(t, ecs.FleetSpec{Count: 1, Status: "Stopped"})[0]
	in := &ecssdk.StopInstancesRequest{RegionId: tea.String(server.Home), InstanceId: tea.StringSlice([]string{up, down, up})}
	_, err := x.StopInstances(in)
	wantCode(t, "403 IncorrectInstanceStatus", err)
	if got := x.find(t, up).Status; got != "Running" {
		t.Errorf("after a refused batch the good one is %s", got)
	}
	in.BatchOptimization = tea.String("SuccessFirst")
	in.DryRun = tea.Bool(true)
	_, err = x.StopInstances(in)
	wantCode(t, "400 DRYRUN.SUCCESS", err)
	in.DryRun = nil
	out, err := x.StopInstances(in)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range out.Body.InstanceResponses.InstanceResponse {
		got = append(got, strings.Join([]string{tea.StringValue(r.Code), tea.StringValue(r.PreviousStatus), tea.StringValue(r.CurrentStatus)}, " "))
	}
	if diff := cmp.Diff([]string{"200 Running Stopping", "IncorrectInstanceStatus Stopped Stopped"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestADeletedInstanceIsGoneWithItsDisks(t *testing.T) {
	x := newInstances(t)
	id := x.seed(t, ecs.FleetSpec{Count: 1})[0]
	other := x.seed(t, ecs.FleetSpec{Count: 1})[0]
	_, err := x.DeleteInstance(&ecssdk.DeleteInstanceRequest{InstanceId: tea.String(id)})
	wantCode(t, "403 IncorrectInstanceStatus", err)
	_, err = x.DeleteInstance(&ecssdk.DeleteInstanceRequest{InstanceId: tea.String(id), Force: tea.Bool(true), DryRun: tea.Bool(true)})
	wantCode(t, "400 DryRunOperation", err)
	if _, err := x.DeleteInstance(&ecssdk.DeleteInstanceRequest{InstanceId: tea.String(id), Force: tea.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	x.advance(t, time.Minute)
	if diff := cmp.Diff([]string{"Deleted"}, x.states(t, id)); diff != "" {
		t.Error(diff)
	}
	_, err = x.DescribeUserData(&ecssdk.DescribeUserDataRequest{RegionId: tea.String(server.Home), InstanceId: tea.String(id)})
	wantCode(t, "404 InvalidInstanceId.NotFound", err)
	out, err := x.DescribeDisks(&ecssdk.DescribeDisksRequest{RegionId: tea.String(server.Home)})
	if err != nil {
		t.Fatal(err)
	}
	if d := out.Body.Disks.Disk; len(d) != 1 || tea.StringValue(d[0].InstanceId) != other {
		t.Errorf("disks left: %v", d)
	}
}

func TestDeletionProtectionHolds(t *testing.T) {
	x := newInstances(t)
	r := trustedLaunch(1)
	r.DeletionProtection = tea.Bool(true)
	id := x.launch(t, r)[0]
	_, err := x.DeleteInstance(&ecssdk.DeleteInstanceRequest{InstanceId: tea.String(id), Force: tea.Bool(true)})
	wantCode(t, "403 InvalidOperation.DeletionProtection", err)
}

func TestMetadataTokensCanBeRequired(t *testing.T) {
	x := newInstances(t)
	two := x.launch(t, trustedLaunch(2))
	_, err := x.ModifyInstanceMetadataOptions(&ecssdk.ModifyInstanceMetadataOptionsRequest{
		RegionId: tea.String(server.Home), InstanceId: tea.String(two[0]), HttpEndpoint: tea.String("enabled"), HttpTokens: tea.String("required"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := x.find(t, two[0]).HTTPTokens, x.find(t, two[1]).HTTPTokens; a != "required" || b != "optional" {
		t.Errorf("tokens are %s, and of its neighbour %s", a, b)
	}
}

func TestTagsComeAndGo(t *testing.T) {
	x := newInstances(t)
	two := x.launch(t, trustedLaunch(2))
	region, kind := tea.String(server.Home), tea.String("instance")
	tag := func(key, value string, ids ...string) error {
		_, err := x.TagResources(&ecssdk.TagResourcesRequest{
			RegionId: region, ResourceType: kind, ResourceId: tea.StringSlice(ids),
			Tag: []*ecssdk.TagResourcesRequestTag{{Key: tea.String(key), Value: tea.String(value)}},
		})
		return err
	}
	wantCode(t, "<nil>", tag("team", "a", two[0]))
	wantCode(t, "<nil>", tag("team", "b", two[0]))
	wantCode(t, "400 InvalidTagKey.Malformed", tag("acs:ecs:supportVtpm", "false", two[0]))
	wantCode(t, "404 InvalidResourceId.NotFound", tag("team", "c", two[1], "i-gone"))
	want := map[string]string{"team": "b", "acs:ecs:supportVtpm": "true"}
	if diff := cmp.Diff(want, x.find(t, two[0]).Tags); diff != "" {
		t.Error(diff)
	}
	if n := len(x.find(t, two[1]).Tags); n != 1 {
		t.Errorf("its neighbour has %d tags", n)
	}
	out, err := x.ListTagResources(&ecssdk.ListTagResourcesRequest{RegionId: region, ResourceType: kind, Tag: []*ecssdk.ListTagResourcesRequestTag{{Key: tea.String("team")}}})
	if err != nil {
		t.Fatal(err)
	}
	if r := out.Body.TagResources.TagResource; len(r) != 1 || tea.StringValue(r[0].ResourceId) != two[0] || tea.StringValue(r[0].TagValue) != "b" {
		t.Errorf("tagged with team: %v", r)
	}
	if _, err := x.UntagResources(&ecssdk.UntagResourcesRequest{RegionId: region, ResourceType: kind, ResourceId: tea.StringSlice(two), All: tea.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"acs:ecs:supportVtpm": "true"}, x.find(t, two[0]).Tags); diff != "" {
		t.Errorf("after taking all off: %s", diff)
	}
}

func TestARoleIsDetachedOnce(t *testing.T) {
	x := newInstances(t)
	id := x.seed(t, ecs.FleetSpec{Count: 1, Role: "app"})[0]
	detach := func(role string) (int32, string) {
		out, err := x.DetachInstanceRamRole(&ecssdk.DetachInstanceRamRoleRequest{RegionId: tea.String(server.Home), InstanceIds: idArray(t, id), RamRoleName: tea.String(role)})
		if err != nil {
			t.Fatal(err)
		}
		return tea.Int32Value(out.Body.FailCount), tea.StringValue(out.Body.DetachInstanceRamRoleResults.DetachInstanceRamRoleResult[0].Code)
	}
	if n, code := detach("other"); n != 1 || code == "200" {
		t.Errorf("another role was detached: %d %s", n, code)
	}
	if n, code := detach("app"); n != 0 || code != "200" {
		t.Errorf("its role was not detached: %d %s", n, code)
	}
	if got := x.find(t, id).Role; got != "" {
		t.Errorf("it has role %s", got)
	}
}
