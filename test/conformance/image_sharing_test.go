package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/kms"
	"fleetwarden/deploy/local/simcloud/server"
)

func (x *sharers) launch(image string, encrypted bool) error {
	x.t.Helper()
	in := &ecssdk.RunInstancesRequest{
		RegionId: tea.String(server.Home), ImageId: &image, InstanceType: tea.String("ecs.g7.large"),
		VSwitchId: tea.String("vsw-local"), SecurityGroupId: tea.String("sg-local"),
		SystemDisk: &ecssdk.RunInstancesRequestSystemDisk{Category: tea.String("cloud_essd")},
	}
	if encrypted {
		in.SystemDisk.Encrypted = tea.String("true")
	}
	_, err := x.ecs(shareeAdmin).RunInstances(in)
	return err
}

func TestAnEncryptedImageIsSharedAndLaunchedOnceTheRoleReallyAllowsIt(t *testing.T) {
	x := newSharers(t)
	image, _ := x.image("alias/shared")
	wantError(t, x.share(image, server.Sharee), 403, "AssumeRoleError")
	wantError(t, x.launch(image, true), 404, "InvalidImageId.NotFound")

	x.role(imageRole, trusts("", service(server.Sharee)), x.keyPolicy())
	x.ok(x.share(image, server.Sharee))
	if ok, why := x.usable(server.Sharee, image); !ok {
		t.Errorf("not usable: %s", why)
	}
	wantError(t, x.launch(image, false), 400, "InvalidParameter.EncryptedIllegal")
	x.ok(x.launch(image, true))

	x.retrust(imageRole, trusts("", service(server.Member)))
	if ok, _ := x.usable(server.Sharee, image); ok {
		t.Error("usable though the role trusts another account")
	}
	wantError(t, x.launch(image, true), 403, "InvalidParameter.KMSKeyId.KMSUnauthorized")
}

func TestSharingAnEncryptedImageFailsWhereverTheChainBreaks(t *testing.T) {
	type world struct{ role, trust, policy string }
	right := func(x *sharers) world {
		return world{imageRole, trusts("", service(server.Sharee)), x.keyPolicy()}
	}
	for name, change := range map[string]func(*sharers, *world){
		"the other kind's role": func(_ *sharers, w *world) { w.role = snapshotRole },
		"plain ECS is trusted":  func(_ *sharers, w *world) { w.trust = trusts("", "ecs.aliyuncs.com") },
		"another account":       func(_ *sharers, w *world) { w.trust = trusts("", service(server.Member)) },
		"a directory of others": func(_ *sharers, w *world) { w.trust = trusts(wholeDirectory, "*@ecs.aliyuncs.com") },
		"no policy":             func(_ *sharers, w *world) { w.policy = "" },
		"another key":           func(x *sharers, w *world) { w.policy = strings.ReplaceAll(w.policy, x.key, "no-such-key") },
		"another region":        func(_ *sharers, w *world) { w.policy = strings.ReplaceAll(w.policy, server.Home, server.Another) },
		"no decryption":         func(_ *sharers, w *world) { w.policy = strings.ReplaceAll(w.policy, "kms:Decrypt", "kms:Nothing") },
		"no listing":            func(_ *sharers, w *world) { w.policy = strings.ReplaceAll(w.policy, "kms:List*", "kms:Nothing") },
		"listing in the wrong form": func(x *sharers, w *world) {
			w.policy = strings.Replace(w.policy, `"`+x.list()+`"`, `"`+x.list()+"/"+x.key+`"`, 1)
		},
		"a denial": func(_ *sharers, w *world) {
			w.policy += `,{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}`
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newSharers(t)
			image, _ := x.image(x.key)
			w := right(x)
			change(x, &w)
			x.role(w.role, w.trust, w.policy)
			code := "AssumeRoleError"
			if ok := right(x); w.role == ok.role && w.trust == ok.trust { // the role is assumed, and may not use the key
				code = "InvalidParameter.KMSKeyId.KMSUnauthorized"
			}
			wantError(t, x.share(image, server.Sharee), 403, code)
			if got := x.shared(image); len(got) != 0 {
				t.Errorf("shared with %v all the same", got)
			}
		})
	}
}

func TestAKeyThatMayNotBeTaggedIsACaseOfItsOwn(t *testing.T) {
	x := newSharers(t)
	image, _ := x.image(x.key)
	x.role(imageRole, trusts("", service(server.Sharee)), strings.ReplaceAll(x.keyPolicy(), "kms:TagResource", "kms:Nothing"))
	wantError(t, x.share(image, server.Sharee), 403, "InvalidParameter.KMSKeyId.CMKUnauthorized")
}

func TestAKeyThatIsNotEnabledCannotBeShared(t *testing.T) {
	for _, state := range kms.States()[1:] {
		x := newSharers(t)
		image, _ := x.image(x.key)
		x.role(imageRole, trusts("", service(server.Sharee)), x.keyPolicy())
		x.control("POST", "keys", fmt.Sprintf(`{"key":%q,"state":%q}`, x.key, state), nil)
		wantError(t, x.share(image, server.Sharee), 403, "InvalidParameter.KMSKeyId.CMKNotEnabled")
	}
}

func TestANewRoleCountsOnlyWhenItIsVisible(t *testing.T) {
	x := newSharers(t)
	image, _ := x.image(x.key)
	x.makeRole(imageRole, trusts("", service(server.Sharee)), x.keyPolicy())
	wantError(t, x.share(image, server.Sharee), 403, "AssumeRoleError")
	x.pass(6 * time.Second)
	x.ok(x.share(image, server.Sharee))
}

func TestServiceKeysCannotBeShared(t *testing.T) {
	x := newSharers(t)
	image, snapshot := x.image("service")
	x.role(imageRole, trusts("", service(server.Sharee)), `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	wantError(t, x.share(image, server.Sharee), 403, "InvalidOperation.ServiceKeyEncryptedImageUnsupported")
	for kind, id := range map[string]string{"Image": image, "Snapshot": snapshot} {
		_, err := x.sharing(sharerAdmin, "CreateResourceShare", map[string]string{
			"ResourceShareName": "s", "Resources.1.ResourceId": id, "Resources.1.ResourceType": kind, "Targets.1": server.Member,
		})
		wantError(t, err, 403, "InvalidOperation.ServiceKeyEncrypted"+kind+"Unsupported")
	}
	plain, _ := x.image("")
	x.ok(x.share(plain, server.Sharee))
	x.ok(x.launch(plain, false))
}

// shared are the accounts of an image, in order.
func (x *sharers) shared(image string) (out []string) {
	x.t.Helper()
	for page := int32(1); ; page++ {
		got, err := x.ecs(sharerAdmin).DescribeImageSharePermission(&ecssdk.DescribeImageSharePermissionRequest{
			RegionId: tea.String(server.Home), ImageId: &image, PageNumber: &page, PageSize: tea.Int32(7),
		})
		x.ok(err)
		for _, a := range got.Body.Accounts.Account {
			out = append(out, tea.StringValue(a.AliyunId))
		}
		if int(page)*7 >= int(tea.Int32Value(got.Body.TotalCount)) {
			return out
		}
	}
}

func accounts(from, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("20000000000%05d", from+i))
	}
	return out
}

func TestTheEleventhAccountOfACallIsIgnoredAndTheFiftyFirstRefused(t *testing.T) {
	x := newSharers(t)
	image, _ := x.image("")
	x.ok(x.share(image, accounts(0, 12)...))
	if diff := cmp.Diff(accounts(0, 10), x.shared(image)); diff != "" {
		t.Error(diff)
	}
	for n := 10; n < 50; n += 10 {
		x.ok(x.share(image, accounts(n, 10)...))
	}
	wantError(t, x.share(image, accounts(50, 1)...), 403, "QuotaExceed.ShareImageUser")
	x.ok(x.share(image, accounts(49, 1)...))
	_, err := x.ecs(sharerAdmin).ModifyImageSharePermission(&ecssdk.ModifyImageSharePermissionRequest{
		RegionId: tea.String(server.Home), ImageId: &image,
		RemoveAccount: tea.StringSlice(accounts(0, 11)), AddAccount: tea.StringSlice(accounts(50, 1)),
	})
	x.ok(err)
	if diff := cmp.Diff(accounts(10, 41), x.shared(image)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeSharedIsRefusedWhole(t *testing.T) {
	x := newSharers(t)
	image, _ := x.image("")
	wantError(t, x.share(image, server.Sharee, "no-account"), 404, "InvalidAccount.NotFound")
	wantError(t, x.share(image, server.Sharee, server.Sharer), 404, "InvalidAccount.Forbbiden")
	wantError(t, x.share("m-none", server.Sharee), 404, "InvalidImageId.NotFound")
	if got := x.shared(image); len(got) != 0 {
		t.Errorf("shared with %v", got)
	}
	_, err := x.ecs(sharerAdmin).ModifyImageSharePermission(&ecssdk.ModifyImageSharePermissionRequest{
		RegionId: tea.String(server.Home), ImageId: &image, IsPublic: tea.Bool(false),
	})
	wantError(t, err, 403, "Image.NotPublic")
	encrypted, _ := x.image(x.key)
	_, err = x.ecs(sharerAdmin).ModifyImageSharePermission(&ecssdk.ModifyImageSharePermissionRequest{
		RegionId: tea.String(server.Home), ImageId: &encrypted, IsPublic: tea.Bool(true),
	})
	wantError(t, err, 403, "OperationDeined.EncryptedSnapshot")
	var two struct{ Images []struct{ ID string } }
	x.control("POST", "images", `{"key":"alias/shared","disks":2}`, &two)
	wantError(t, x.share(two.Images[0].ID, server.Sharee), 403, "OperationDeined.FullImage")
}

func TestImageSharingLeavesRecordsAlsoWhenItFails(t *testing.T) {
	x := newSharers(t)
	image, _ := x.image(x.key)
	_ = x.share(image, server.Sharee)
	x.role(imageRole, trusts("", service(server.Sharee)), x.keyPolicy())
	x.ok(x.share(image, server.Sharee))
	x.pass(10 * time.Second)
	records := x.trail("ModifyImageSharePermission")
	if len(records) != 2 || records[0]["errorCode"] != "AssumeRoleError" || records[1]["errorCode"] != nil {
		t.Fatalf("the records are %v", records)
	}
	for _, r := range records {
		p := r["requestParameters"].(map[string]any)
		if p["AddAccount.1"] != server.Sharee || p["ImageId"] != image || r["serviceName"] != "Ecs" {
			t.Errorf("the parameters are %v", p)
		}
		refs := r["referencedResources"].(map[string]any)["ACS::ECS::Image"]
		if diff := cmp.Diff([]any{image}, refs); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAnImageShowsItsSharingToItsOwnerAndItselfToTheSharee(t *testing.T) {
	x := newSharers(t)
	image, snapshot := x.image(x.key)
	look := func(who identity) *ecssdk.DescribeImagesResponseBodyImagesImage {
		got, err := x.ecs(who).DescribeImages(&ecssdk.DescribeImagesRequest{RegionId: tea.String(server.Home), ImageId: &image})
		x.ok(err)
		if len(got.Body.Images.Image) == 0 {
			return nil
		}
		return got.Body.Images.Image[0]
	}
	own := look(sharerAdmin)
	disk := own.DiskDeviceMappings.DiskDeviceMapping[0]
	if tea.StringValue(own.IsSelfShared) != "false" || tea.StringValue(disk.SnapshotId) != snapshot || tea.StringValue(disk.Encrypted) != "true" {
		t.Errorf("the image is %v", own)
	}
	if look(shareeAdmin) != nil {
		t.Error("the other account sees it before it is shared")
	}
	x.role(imageRole, trusts("", service(server.Sharee)), x.keyPolicy())
	x.ok(x.share(image, server.Sharee))
	if got := tea.StringValue(look(sharerAdmin).IsSelfShared); got != "true" {
		t.Errorf("IsSelfShared is %s", got)
	}
	theirs := look(shareeAdmin)
	if theirs == nil || tea.StringValue(theirs.ImageOwnerAlias) != "others" || tea.StringValue(theirs.IsSelfShared) != "" {
		t.Errorf("the sharee sees %v", theirs)
	}
}
