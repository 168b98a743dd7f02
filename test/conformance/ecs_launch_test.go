package conformance_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	utils "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

type runRequest = ecssdk.RunInstancesRequest

// TestALaunchIsRefusedAsDocumented changes a sound launch in one way each.
func TestALaunchIsRefusedAsDocumented(t *testing.T) {
	x := newInstances(t)
	x.role(t, "app", ecsTrust)
	x.role(t, "fc", fcTrust)
	s := tea.String
	for name, c := range map[string]struct {
		change func(*runRequest)
		want   string
	}{
		"nothing":                     {func(*runRequest) {}, "<nil>"},
		"no VSwitch":                  {func(r *runRequest) { r.VSwitchId = nil }, "400 InvalidVSwitchId.Necessary"},
		"VSwitch twice":               {func(r *runRequest) { r.NetworkInterface = primary("vsw-local") }, "400 InvalidParameter.Conflict"},
		"VSwitch of the primary":      {func(r *runRequest) { r.VSwitchId, r.NetworkInterface = nil, primary("vsw-local") }, "<nil>"},
		"unknown VSwitch":             {func(r *runRequest) { r.VSwitchId = s("vsw-x") }, "404 InvalidVSwitchId.NotFound"},
		"no type":                     {func(r *runRequest) { r.InstanceType = nil }, "400 MissingParameter"},
		"no image":                    {func(r *runRequest) { r.ImageId = nil }, "400 MissingParameter"},
		"image and family":            {func(r *runRequest) { r.ImageFamily = s("acs:x") }, "400 InvalidParameter.Conflict"},
		"ARM image on X86":            {func(r *runRequest) { r.ImageId = s("aliyun_3_arm64_20G_alibase_20230731.vhd") }, "403 ImageNotSupportInstanceType"},
		"UEFI image on a BIOS family": {func(r *runRequest) { r.InstanceType, r.SecurityOptions = s("ecs.g5.large"), nil }, "403 ImageNotSupportInstanceType"},
		"vTPM on a plain family":      {func(r *runRequest) { r.InstanceType = s("ecs.g6.large") }, "400 InvalidParameter.Conflict"},
		"vTPM on the sixth t family":  {func(r *runRequest) { r.InstanceType = s("ecs.g6t.large") }, "400 InvalidParameter.Conflict"},
		"vTPM on g7":                  {func(r *runRequest) { r.InstanceType = s("ecs.g7.large") }, "<nil>"},
		"enclave on g7t":              {func(r *runRequest) { r.SecurityOptions.ConfidentialComputingMode = s("Enclave") }, "400 InvalidParameter.Conflict"},
		"unknown disk":                {func(r *runRequest) { r.SystemDisk.Category = s("floppy") }, "400 InvalidSystemDiskCategory.ValueNotSupported"},
		"entry disk on g7t":           {func(r *runRequest) { r.SystemDisk.Category = s("cloud_essd_entry") }, "403 InvalidDiskCategory.NotSupported"},
		"ultra disk is let through":   {func(r *runRequest) { r.SystemDisk.Category = s("cloud_efficiency") }, "<nil>"},
		"plain image is let through":  {func(r *runRequest) { r.ImageId = s(plainImage) }, "<nil>"},
		"key without encryption":      {func(r *runRequest) { r.SystemDisk.KMSKeyId = s("k") }, "400 InvalidParameter.EncryptedIllegal"},
		"unknown key":                 {func(r *runRequest) { r.SystemDisk.KMSKeyId, r.SystemDisk.Encrypted = s("k"), s("true") }, "404 InvalidParameter.KMSKeyId.NotFound"},
		"role":                        {func(r *runRequest) { r.RamRoleName = s("app") }, "<nil>"},
		"unknown role":                {func(r *runRequest) { r.RamRoleName = s("unknown") }, "404 InvalidRamRole.NotFound"},
		"role of another service":     {func(r *runRequest) { r.RamRoleName = s("fc") }, "401 InvalidRamRole.NotEcsRole"},
		"too much user data":          {func(r *runRequest) { r.UserData = s(base64.StdEncoding.EncodeToString(make([]byte, 32<<10+1))) }, "400 InvalidUserData.SizeExceeded"},
		"just enough user data":       {func(r *runRequest) { r.UserData = s(base64.StdEncoding.EncodeToString(make([]byte, 32<<10))) }, "<nil>"},
		"one hundred and one":         {func(r *runRequest) { r.Amount = tea.Int32(101) }, "400 InvalidParameter.Amount"},
		"one hundred":                 {func(r *runRequest) { r.Amount = tea.Int32(100) }, "<nil>"},
		"dry run":                     {func(r *runRequest) { r.DryRun = tea.Bool(true) }, "400 DryRunOperation"},
		"dry run of a bad launch":     {func(r *runRequest) { r.DryRun, r.VSwitchId = tea.Bool(true), nil }, "400 InvalidVSwitchId.Necessary"},
		"unknown region":              {func(r *runRequest) { r.RegionId = s("cn-nowhere") }, "404 InvalidRegionId.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(x.ECS.Instances())
			r := trustedLaunch(1)
			c.change(r)
			wantCode(t, c.want, x.runByForm(r))
			if after := len(x.ECS.Instances()); (c.want == "<nil>") != (after > before) {
				t.Errorf("there were %d instances and are %d", before, after)
			}
		})
	}
}

// runByForm is RunInstances with its parameters in the body: the SDK puts all into the query,
// where user data is too long for a gateway.
func (x *instances) runByForm(r *runRequest) error {
	s := tea.String
	_, err := x.CallApi(&utils.Params{
		Action: s("RunInstances"), Version: s("2014-05-26"), Protocol: s("HTTP"), Pathname: s("/"), Method: s("POST"), AuthType: s("AK"),
		Style: s("RPC"), ReqBodyType: s("formData"), BodyType: s("json"),
	}, &utils.OpenApiRequest{Body: dara.ToMap(r)}, &dara.RuntimeOptions{})
	return err
}

func primary(vsw string) []*ecssdk.RunInstancesRequestNetworkInterface {
	return []*ecssdk.RunInstancesRequestNetworkInterface{{
		InstanceType: tea.String("Primary"), VSwitchId: tea.String(vsw), SecurityGroupId: tea.String("sg-local"),
	}}
}

func TestTrustedLaunchesNeedKMS(t *testing.T) {
	x := newInstances(t)
	x.KMS.SetStatus(server.Sharer, server.Home, "NotEnabled")
	const refused = "403 InvalidParameter.KMSKeyId.CMKNotEnabled"
	for name, c := range map[string]struct {
		change func(*runRequest)
		want   string
	}{
		"g7t with vTPM":    {func(*runRequest) {}, refused},
		"g7t without vTPM": {func(r *runRequest) { r.SecurityOptions = nil }, refused},
		"g6t":              {sixth(secureImage), refused},
		"g7 with vTPM":     {func(r *runRequest) { r.InstanceType = tea.String("ecs.g7.large") }, refused},
		"g7 without vTPM":  {func(r *runRequest) { r.InstanceType, r.SecurityOptions = tea.String("ecs.g7.large"), nil }, "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			r := trustedLaunch(1)
			c.change(r)
			_, err := x.RunInstances(r)
			wantCode(t, c.want, err)
		})
	}
}

func TestAnOmittedDiskCategoryIsAnUltraDisk(t *testing.T) {
	x := newInstances(t)
	r := trustedLaunch(1)
	r.SystemDisk = nil
	id := x.launch(t, r)[0]
	out, err := x.DescribeDisks(&ecssdk.DescribeDisksRequest{RegionId: tea.String(server.Home), InstanceId: tea.String(id)})
	if err != nil {
		t.Fatal(err)
	}
	if got := tea.StringValue(out.Body.Disks.Disk[0].Category); got != "cloud_efficiency" {
		t.Errorf("the disk is %s", got)
	}
}

func TestOnlyTrustedInstancesCarryTheSystemTag(t *testing.T) {
	x := newInstances(t)
	for name, c := range map[string]struct {
		change func(*runRequest)
		want   bool
	}{
		"vTPM":                  {func(*runRequest) {}, true},
		"g7t without the mode":  {func(r *runRequest) { r.SecurityOptions = nil }, false},
		"enclave without vTPM":  {enclave, true},
		"6t with a secured one": {sixth(secureImage), true},
		"6t with a plain image": {sixth(plainImage), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := trustedLaunch(1)
			c.change(r)
			id := x.launch(t, r)[0]
			if _, got := x.find(t, id).Tags["acs:ecs:supportVtpm"]; got != c.want {
				t.Errorf("the tag is there: %t, want %t", got, c.want)
			}
		})
	}
}

func enclave(r *runRequest) {
	r.InstanceType = tea.String("ecs.c7.large")
	r.SecurityOptions = &ecssdk.RunInstancesRequestSecurityOptions{ConfidentialComputingMode: tea.String("Enclave")}
}

func sixth(image string) func(*runRequest) {
	return func(r *runRequest) {
		r.InstanceType, r.ImageId, r.SecurityOptions = tea.String("ecs.g6t.large"), tea.String(image), nil
	}
}

func TestAClientTokenLaunchesOnce(t *testing.T) {
	x := newInstances(t)
	r := trustedLaunch(3)
	r.ClientToken = tea.String("t-1")
	first := x.launch(t, r)
	if diff := cmp.Diff(first, x.launch(t, r)); diff != "" {
		t.Errorf("the second answer differs: %s", diff)
	}
	r.Amount = tea.Int32(2)
	_, err := x.RunInstances(r)
	wantCode(t, "400 IdempotentParameterMismatch", err)
	if n := len(x.ECS.Instances()); n != 3 {
		t.Errorf("%d instances, want 3", n)
	}
	r.ClientToken = tea.String("t-2")
	if again := x.launch(t, r); slices.Contains(first, again[0]) {
		t.Error("another token gave the same instances")
	}
}

func TestALaunchTemplateFillsWhatTheRequestLeavesOut(t *testing.T) {
	x := newInstances(t)
	template := ecs.TemplateSpec{
		Name: "fleet", InstanceType: "ecs.g7t.large", ImageID: uefiImage, PrimaryInterfaceVSwitch: "vsw-local",
		SecurityGroupID: "sg-local", SystemDiskCategory: "cloud_essd", TrustedSystemMode: "vTPM",
	}
	id, err := x.ECS.SeedTemplate(template)
	if err != nil {
		t.Fatal(err)
	}
	template.InstanceType, template.SystemDiskCategory = "ecs.g7.xlarge", "cloud_ssd"
	if again, err := x.ECS.SeedTemplate(template); err != nil || again != id {
		t.Fatalf("the second version went to %s, %v", again, err)
	}
	in := func() *runRequest { return &runRequest{RegionId: tea.String(server.Home)} }
	for name, c := range map[string]struct {
		request    func(*runRequest)
		kind, disk string
	}{
		"by id, default version": {func(r *runRequest) { r.LaunchTemplateId = tea.String(id) }, "ecs.g7t.large", "cloud_essd"},
		"by name":                {func(r *runRequest) { r.LaunchTemplateName = tea.String("fleet") }, "ecs.g7t.large", "cloud_essd"},
		"by version": {func(r *runRequest) {
			r.LaunchTemplateName, r.LaunchTemplateVersion = tea.String("fleet"), tea.Int64(2)
		}, "ecs.g7.xlarge", "cloud_ssd"},
		"the request wins": {func(r *runRequest) {
			r.LaunchTemplateId, r.InstanceType = tea.String(id), tea.String("ecs.c7t.large")
		}, "ecs.c7t.large", "cloud_essd"},
	} {
		t.Run(name, func(t *testing.T) {
			r := in()
			c.request(r)
			made := x.launch(t, r)[0]
			if i := x.find(t, made); i.InstanceType != c.kind || i.DiskCategory != c.disk {
				t.Errorf("launched %s with %s", i.InstanceType, i.DiskCategory)
			}
		})
	}
	r := in()
	r.LaunchTemplateId = tea.String("lt-x")
	_, err = x.RunInstances(r)
	wantCode(t, "404 InvalidLaunchTemplate.NotFound", err)
}

func TestCreateInstanceLeavesItStopped(t *testing.T) {
	x := newInstances(t)
	out, err := x.CreateInstance(&ecssdk.CreateInstanceRequest{
		RegionId: tea.String(server.Home), InstanceType: tea.String("ecs.g7t.large"), ImageId: tea.String(uefiImage),
		VSwitchId: tea.String("vsw-local"), SecurityGroupId: tea.String("sg-local"),
	})
	if err != nil {
		t.Fatal(err)
	}
	id := tea.StringValue(out.Body.InstanceId)
	x.advance(t, time.Hour)
	if diff := cmp.Diff([]string{"Pending", "Stopped"}, x.states(t, id)); diff != "" {
		t.Error(diff)
	}
	if i := x.ECS.Instances()[0]; i.Status != "Stopped" || len(i.Tags) != 0 {
		t.Errorf("the instance is %+v", i)
	}
	if _, err := x.StartInstance(&ecssdk.StartInstanceRequest{InstanceId: tea.String(id)}); err != nil {
		t.Fatal(err)
	}
	x.advance(t, time.Hour)
	got := strings.Join(x.states(t, id), " ")
	if want := "Pending Stopped Starting Running ecs:CloudAssistant:FirstHeartbeat"; got != want {
		t.Errorf("the instance went through %s, want %s", got, want)
	}
}

func TestPassingARoleNeedsPermission(t *testing.T) {
	x := newInstances(t)
	x.role(t, "app", ecsTrust)
	if err := x.RAM.AddUser(server.Sharer, "dev", "dev-ak", "dev-sk", "AliyunECSFullAccess"); err != nil {
		t.Fatal(err)
	}
	dev := ecsClient(t, x.URL(), "dev")
	r := trustedLaunch(1)
	r.RamRoleName = tea.String("app")
	_, err := dev.RunInstances(r)
	wantCode(t, "403 InvalidUser.PassRoleForbidden", err)
	id := x.launch(t, trustedLaunch(1))[0]
	_, err = dev.AttachInstanceRamRole(&ecssdk.AttachInstanceRamRoleRequest{RegionId: tea.String(server.Home), InstanceIds: idArray(t, id), RamRoleName: tea.String("app")})
	wantCode(t, "403 InvalidUser.PassRoleForbidden", err)
	if got := x.roles(t, id)[id]; got != "" {
		t.Errorf("the instance got role %s", got)
	}
}

func TestAFreshRoleIsNotYetVisible(t *testing.T) {
	x := newInstances(t)
	id := x.launch(t, trustedLaunch(1))[0]
	x.createRole(t, "fresh", ecsTrust)
	attach := func() error {
		_, err := x.AttachInstanceRamRole(&ecssdk.AttachInstanceRamRoleRequest{RegionId: tea.String(server.Home), InstanceIds: idArray(t, id), RamRoleName: tea.String("fresh")})
		return err
	}
	wantCode(t, "404 InvalidRamRole.NotFound", attach())
	x.advance(t, time.Minute)
	wantCode(t, "<nil>", attach())
}
