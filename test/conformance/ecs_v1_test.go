package conformance_test

import (
	"errors"
	"testing"
	"time"

	v1 "github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	v1ecs "github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"

	"fleetwarden/deploy/local/simcloud/server"
)

// TestTheOlderSDKIsServedToo: it signs with HMAC-SHA1 and reads JSON.
func TestTheOlderSDKIsServedToo(t *testing.T) {
	x := newInstances(t)
	x.role(t, "app", ecsTrust)
	c, err := v1ecs.NewClientWithOptions(server.Home, v1.NewConfig().WithScheme("http").WithTimeout(10*time.Second), credentials.NewAccessKeyCredential("local-ak", "local-sk"))
	if err != nil {
		t.Fatal(err)
	}
	domain := x.URL()[len("http://"):]
	run := v1ecs.CreateRunInstancesRequest()
	run.Domain, run.ImageId, run.InstanceType, run.VSwitchId, run.SecurityGroupId = domain, uefiImage, "ecs.g7t.large", "vsw-local", "sg-local"
	run.SystemDiskCategory, run.SecurityOptionsTrustedSystemMode = "cloud_essd", "vTPM"
	run.Tag = &[]v1ecs.RunInstancesTag{{Key: "team", Value: "a"}}
	launched, err := c.RunInstances(run)
	if err != nil {
		t.Fatal(err)
	}
	id := launched.InstanceIdSets.InstanceIdSet[0]
	if i := x.find(t, id); i.DiskCategory != "cloud_essd" || i.Tags["team"] != "a" || i.Tags["acs:ecs:supportVtpm"] == "" {
		t.Errorf("launched %+v", i)
	}

	attach := v1ecs.CreateAttachInstanceRamRoleRequest()
	attach.Domain, attach.InstanceIds, attach.RamRoleName = domain, `["`+id+`"]`, "app"
	if _, err := c.AttachInstanceRamRole(attach); err != nil {
		t.Fatal(err)
	}
	describe := v1ecs.CreateDescribeInstanceRamRoleRequest()
	describe.Domain, describe.InstanceIds = domain, `["`+id+`"]`
	roles, err := c.DescribeInstanceRamRole(describe)
	if err != nil {
		t.Fatal(err)
	}
	if r := roles.InstanceRamRoleSets.InstanceRamRoleSet; len(r) != 1 || r[0].RamRoleName != "app" {
		t.Errorf("roles are %v", r)
	}

	list := v1ecs.CreateDescribeInstancesRequest()
	list.Domain, list.InstanceIds = domain, `["`+id+`"]`
	all, err := c.DescribeInstances(list)
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Instances.Instance) != 1 || all.Instances.Instance[0].Status != "Pending" {
		t.Errorf("instances are %v", all.Instances.Instance)
	}

	attach.RamRoleName = "unknown"
	_, err = c.AttachInstanceRamRole(attach)
	var e sdkerrors.Error
	if !errors.As(err, &e) || e.ErrorCode() != "InvalidRamRole.NotFound" {
		t.Errorf("attaching an unknown role: %v", err)
	}
}
