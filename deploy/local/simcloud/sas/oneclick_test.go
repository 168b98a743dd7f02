package sas_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/sas"
)

// status is how each one-click installation stands, by
// instance.
func (c *cloud) status(ids ...string) map[string]string {
	c.Helper()
	var uuids []string
	name := map[string]string{}
	for _, id := range ids {
		u := c.uuid(id)
		uuids, name[u] = append(uuids, u), id
	}
	out := map[string]string{}
	got := ask(c, c.sas.DescribeAgentInstallStatus, &sas.DescribeAgentInstallStatusRequest{Uuids: strings.Join(uuids, ",")})
	for _, x := range got.AegisClientInvokeStatusResponseList {
		out[name[x.Uuid]] = map[int]string{-1: "none", 0: "installing", 1: "installed", 2: "failed"}[x.Result] + " " + x.ResuleCode
	}
	return out
}

func TestOneClickInstallsWhatCanBeInstalled(t *testing.T) {
	c := newCloud(t)
	one := func(f ecs.FleetSpec) string { f.Count = 1; return c.seed(f)[0] }
	good := one(ecs.FleetSpec{Agent: "uninstalled"})
	fresh := one(ecs.FleetSpec{Agent: "never"})
	online := one(ecs.FleetSpec{})
	stopped := one(ecs.FleetSpec{Agent: "uninstalled", Status: "Stopped"})
	classic := one(ecs.FleetSpec{Agent: "uninstalled", Network: "classic"})
	mute := one(ecs.FleetSpec{Agent: "uninstalled", Assistant: "absent"})
	windows := one(ecs.FleetSpec{Agent: "uninstalled", OS: "windows"})
	unknown := one(ecs.FleetSpec{Agent: "unknown"})
	all := []string{good, fresh, online, stopped, classic, mute, windows}
	c.sas.SetDelays(sas.Delays{Install: 90 * time.Second})
	got := ask(c, c.sas.OperateAgentClientInstall, &sas.OperateAgentClientInstallRequest{
		InstanceIds: strings.Join(append(all, unknown, "i-gone"), ","), Region: region, Os: "linux",
	})
	begun := map[string]bool{}
	for _, x := range got.AegisCelintInstallResposeList {
		begun[x.InstanceId] = x.RecordId > 0 && x.Uuid != ""
	}
	want := map[string]bool{good: true, fresh: true, online: true, stopped: true, classic: true, mute: true}
	if diff := cmp.Diff(want, begun); diff != "" {
		t.Error(diff)
	}
	status := map[string]string{
		good: "installing -1", fresh: "installing -1", online: "failed 1010", stopped: "failed 1005",
		classic: "failed 1006", mute: "failed 1008", windows: "none -1",
	}
	if diff := cmp.Diff(status, c.status(all...)); diff != "" {
		t.Error(diff)
	}
	c.pass(100 * time.Second)
	if diff := cmp.Diff(map[string]string{good: "installed 0"}, c.status(good)); diff != "" {
		t.Error(diff)
	}
	if got := c.agent(good); got != "online+online" {
		t.Errorf("the agent is %s", got)
	}
	c.pass(time.Minute)
	if diff := cmp.Diff(map[string]string{good: "none -1", online: "none -1"}, c.status(good, online)); diff != "" {
		t.Errorf("after two minutes: %s", diff)
	}
}

func TestOneClickIsRefusedWithoutWhatItNeeds(t *testing.T) {
	c := newCloud(t)
	for name, in := range map[string]sas.OperateAgentClientInstallRequest{
		"nothing":    {},
		"no region":  {InstanceIds: "i-1", Os: "linux"},
		"no system":  {InstanceIds: "i-1", Region: region},
		"bad system": {InstanceIds: "i-1", Region: region, Os: "Linux"},
		"too many":   {InstanceIds: strings.Repeat("i-1,", 101), Region: region, Os: "linux"},
	} {
		if _, err := c.sas.OperateAgentClientInstall(call("X", nil), &in); codeOf(err) != "InvalidParameter" {
			t.Errorf("%s: %v", name, err)
		}
	}
	far := c.seed(ecs.FleetSpec{Count: 1, Region: "eu-central-1", Agent: "uninstalled"})[0]
	ask(c, c.sas.OperateAgentClientInstall, &sas.OperateAgentClientInstallRequest{Uuids: c.uuid(far)})
	if diff := cmp.Diff(map[string]string{far: "failed 1001"}, c.status(far)); diff != "" {
		t.Error(diff)
	}
}

func TestAgentsArePausedAndGoOn(t *testing.T) {
	c := newCloud(t)
	id := c.seed(ecs.FleetSpec{Count: 1})[0]
	bare := c.seed(ecs.FleetSpec{Count: 1, Agent: "uninstalled"})[0]
	uuids := c.uuid(id) + "," + c.uuid(bare)
	for _, x := range []struct{ value, want string }{{"0", "pause+pause"}, {"1", "online+online"}} {
		ask(c, c.sas.PauseClient, &sas.PauseClientRequest{Uuids: uuids, Value: x.value})
		if got := c.agent(id); got != x.want {
			t.Errorf("after %s the agent is %s, want %s", x.value, got, x.want)
		}
		if got := c.agent(bare); got != "offline+uninstalled" {
			t.Errorf("after %s an agent that is not there is %s", x.value, got)
		}
	}
	if _, err := c.sas.PauseClient(call("X", nil), &sas.PauseClientRequest{Uuids: uuids, Value: "2"}); codeOf(err) != "InvalidParameter" {
		t.Errorf("a third value: %v", err)
	}
}

func TestInstallCodesAreMadeListedAndDeleted(t *testing.T) {
	c := newCloud(t)
	list := func() []sas.InstallCode {
		return ask(c, c.sas.DescribeInstallCodes, &sas.DescribeInstallCodesRequest{}).InstallCodes
	}
	expires := c.clock.Now().Add(time.Hour).UnixMilli()
	ask(c, c.sas.AddInstallCode, &sas.AddInstallCodeRequest{})
	ask(c, c.sas.AddInstallCode, &sas.AddInstallCodeRequest{Os: "windows", ExpiredDate: expires, OnlyImage: true})
	got := list()
	if len(got) != 2 || got[0].CaptchaCode == got[1].CaptchaCode || got[0].Os != "linux" || got[0].VendorName != "ALIYUN" ||
		got[1].ExpiredDate != expires || !got[1].OnlyImage || got[1].Os != "windows" {
		t.Fatalf("codes are %+v", got)
	}
	c.pass(48 * time.Hour)
	if n := len(list()); n != 2 {
		t.Errorf("%d codes are listed once they have expired", n)
	}
	ask(c, c.sas.DeleteInstallCode, &sas.DeleteInstallCodeRequest{CaptchaCode: got[0].CaptchaCode})
	if left := list(); len(left) != 1 || left[0].CaptchaCode != got[1].CaptchaCode {
		t.Errorf("left are %+v", left)
	}
	for name, err := range map[string]error{
		"deleted":    errOf(c.sas.DeleteInstallCode(call("X", nil), &sas.DeleteInstallCodeRequest{CaptchaCode: got[0].CaptchaCode})),
		"expired":    errOf(c.sas.AddInstallCode(call("X", nil), &sas.AddInstallCodeRequest{ExpiredDate: 1})),
		"bad system": errOf(c.sas.AddInstallCode(call("X", nil), &sas.AddInstallCodeRequest{Os: "beos"})),
	} {
		if codeOf(err) != "InvalidParameter" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestAReleasedInstanceLeavesNothing(t *testing.T) {
	c := newCloud(t)
	id := c.seed(ecs.FleetSpec{Count: 1, Agent: "uninstalled"})[0]
	u := c.uuid(id)
	ask(c, c.sas.OperateAgentClientInstall, &sas.OperateAgentClientInstallRequest{Uuids: u})
	if _, err := c.ecs.DeleteInstance(call("X", nil), &ecs.DeleteInstanceRequest{InstanceId: id, Force: true}); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Hour)
	if got := c.search(sas.DescribeCloudCenterInstancesRequest{}); got != nil {
		t.Errorf("found %v", got)
	}
	if got := ask(c, c.sas.DescribeAgentInstallStatus, &sas.DescribeAgentInstallStatusRequest{Uuids: u}); len(got.AegisClientInvokeStatusResponseList) != 0 {
		t.Errorf("its installation is %v", got)
	}
}
