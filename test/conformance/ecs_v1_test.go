package conformance_test

import (
	"encoding/json"
	"errors"
	"testing"

	v1 "github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fleetwarden/deploy/local/simcloud/server"
)

// TestTheOlderSDKIsServedToo: it signs with HMAC-SHA1 and reads JSON. Its typed clients of
// ECS and Security Center take longer to compile than all else here; they make the same
// requests of the same names.
func TestTheOlderSDKIsServedToo(t *testing.T) {
	x := newInstances(t)
	x.role(t, "app", ecsTrust)
	c, err := v1.NewClientWithOptions(server.Home, v1.NewConfig(), credentials.NewAccessKeyCredential("local-ak", "local-sk"))
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		InstanceIdSets      struct{ InstanceIdSet []string }
		InstanceRamRoleSets struct {
			InstanceRamRoleSet []struct{ RamRoleName string }
		}
		Instances struct{ Instance []struct{ Status string } }
	}
	call := func(api string, params map[string]string) error {
		r := requests.NewCommonRequest()
		r.Method, r.Scheme, r.Domain, r.Version, r.ApiName, r.QueryParams = "POST", "http", x.URL()[len("http://"):], "2014-05-26", api, params
		out, err := c.ProcessCommonRequest(r)
		if err != nil {
			return err
		}
		return json.Unmarshal(out.GetHttpContentBytes(), &answer)
	}
	ok := func(api string, params map[string]string) {
		t.Helper()
		if err := call(api, params); err != nil {
			t.Fatalf("%s: %v", api, err)
		}
	}
	ok("RunInstances", map[string]string{
		"ImageId": uefiImage, "InstanceType": "ecs.g7t.large", "VSwitchId": "vsw-local", "SecurityGroupId": "sg-local",
		"SystemDisk.Category": "cloud_essd", "SecurityOptions.TrustedSystemMode": "vTPM", "Tag.1.Key": "team", "Tag.1.Value": "a",
	})
	id := answer.InstanceIdSets.InstanceIdSet[0]
	if i := x.find(t, id); i.DiskCategory != "cloud_essd" || i.Tags["team"] != "a" || i.Tags["acs:ecs:supportVtpm"] == "" {
		t.Errorf("launched %+v", i)
	}

	one := `["` + id + `"]`
	ok("AttachInstanceRamRole", map[string]string{"InstanceIds": one, "RamRoleName": "app"})
	ok("DescribeInstanceRamRole", map[string]string{"InstanceIds": one})
	if r := answer.InstanceRamRoleSets.InstanceRamRoleSet; len(r) != 1 || r[0].RamRoleName != "app" {
		t.Errorf("roles are %v", r)
	}
	ok("DescribeInstances", map[string]string{"InstanceIds": one})
	if i := answer.Instances.Instance; len(i) != 1 || i[0].Status != "Pending" {
		t.Errorf("instances are %v", i)
	}

	err = call("AttachInstanceRamRole", map[string]string{"InstanceIds": one, "RamRoleName": "unknown"})
	var e sdkerrors.Error
	if !errors.As(err, &e) || e.ErrorCode() != "InvalidRamRole.NotFound" {
		t.Errorf("attaching an unknown role: %v", err)
	}
}
