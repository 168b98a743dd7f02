package conformance_test

import (
	"fmt"
	"testing"
	"time"

	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/tea"
	v1 "github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	v1sharing "github.com/aliyun/alibaba-cloud-sdk-go/services/resourcesharing"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/server"
)

const (
	imageRole    = "AliyunECSShareEncryptImageDefaultRole"
	snapshotRole = "AliyunECSShareEncryptSnapshotDefaultRole"
	sharingAPI   = "2020-01-10"
)

// sharers is a cloud with a customer's key in the sharer's account.
type sharers struct {
	*cloud
	key string
}

func newSharers(t *testing.T) *sharers {
	t.Helper()
	c := newCloud(t, server.Options{})
	var made struct{ ID string }
	if status := c.control("POST", "keys", `{"alias":"alias/shared"}`, &made); status != 200 {
		t.Fatalf("making a key answered %d", status)
	}
	return &sharers{c, made.ID}
}

func (x *sharers) ecs(who identity) *ecssdk.Client {
	x.t.Helper()
	c, err := ecssdk.NewClient(x.config(who))
	x.ok(err)
	return c
}

// image seeds an image under a key and returns its id and its snapshot's.
func (x *sharers) image(key string) (image, snapshot string) {
	x.t.Helper()
	var out struct{ Images []ecs.SeededImage }
	if status := x.control("POST", "images", fmt.Sprintf(`{"key":%q}`, key), &out); status != 200 || len(out.Images) != 1 {
		x.t.Fatalf("seeding an image answered %d %v", status, out)
	}
	return out.Images[0].ID, out.Images[0].Snapshots[0]
}

// snapshot seeds a snapshot under a key.
func (x *sharers) snapshot(key string) string {
	x.t.Helper()
	var out struct{ IDs []string }
	if status := x.control("POST", "snapshots", fmt.Sprintf(`{"key":%q}`, key), &out); status != 200 || len(out.IDs) != 1 {
		x.t.Fatalf("seeding a snapshot answered %d %v", status, out)
	}
	return out.IDs[0]
}

// trusts is a trust policy for services, under a condition.
func trusts(condition string, services ...string) string {
	list := ""
	for i, s := range services {
		if i > 0 {
			list += ","
		}
		list += fmt.Sprintf("%q", s)
	}
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":[` + list + `]}` + condition + `}]}`
}

func (x *sharers) list() string {
	return "acs:kms:" + server.Home + ":" + server.Sharer + ":key"
}

// keyPolicy is the statements of the vendor's sample policy for the key.
func (x *sharers) keyPolicy() string {
	return `{"Effect":"Allow","Action":"kms:List*","Resource":"` + x.list() + `"},` +
		`{"Effect":"Allow","Action":["kms:DescribeKey","kms:TagResource","kms:UntagResource","kms:Encrypt","kms:Decrypt","kms:GenerateDataKey"],` +
		`"Resource":"` + x.list() + `/` + x.key + `"}`
}

// role makes a share role and lets all products see it.
func (x *sharers) role(name, trust, statements string) {
	x.t.Helper()
	x.makeRole(name, trust, statements)
	x.pass(6 * time.Second)
}

// retrust replaces a role's trust policy.
func (x *sharers) retrust(name, trust string) {
	x.t.Helper()
	_, err := x.ram(sharerAdmin).UpdateRole(&ramsdk.UpdateRoleRequest{RoleName: &name, NewAssumeRolePolicyDocument: &trust})
	x.ok(err)
	x.pass(6 * time.Second)
}

func service(account string) string { return account + "@ecs.aliyuncs.com" }

// share calls ModifyImageSharePermission.
func (x *sharers) share(image string, accounts ...string) error {
	x.t.Helper()
	_, err := x.ecs(sharerAdmin).ModifyImageSharePermission(&ecssdk.ModifyImageSharePermissionRequest{
		RegionId: tea.String(server.Home), ImageId: &image, AddAccount: tea.StringSlice(accounts),
	})
	return err
}

// usable asks the control API.
func (x *sharers) usable(account, resource string) (ok bool, why string) {
	x.t.Helper()
	var out struct {
		Usable bool
		Why    string
	}
	if status := x.control("GET", "usable?account="+account+"&region="+server.Home+"&resource="+resource, "", &out); status != 200 {
		x.t.Fatalf("usable answered %d", status)
	}
	return out.Usable, out.Why
}

// sharing calls Resource Sharing, which is regional.
func (x *sharers) sharing(who identity, action string, query map[string]string) (map[string]any, error) {
	x.t.Helper()
	q := map[string]string{"RegionId": server.Home}
	for k, v := range query {
		q[k] = v
	}
	return x.rpc(who, sharingAPI, action, q)
}

// newShare makes a resource share with a snapshot and targets and lets it settle.
func (x *sharers) newShare(snapshot string, external bool, targets ...string) (id string) {
	x.t.Helper()
	q := map[string]string{"ResourceShareName": "s", "AllowExternalTargets": fmt.Sprint(external)}
	if snapshot != "" {
		q["Resources.1.ResourceId"], q["Resources.1.ResourceType"] = snapshot, "Snapshot"
	}
	for i, t := range targets {
		q[fmt.Sprintf("Targets.%d", i+1)] = t
	}
	out, err := x.sharing(sharerAdmin, "CreateResourceShare", q)
	x.ok(err)
	x.pass(6 * time.Second)
	return out["ResourceShare"].(map[string]any)["ResourceShareId"].(string)
}

// associations are the entities of a kind with their status, in order.
func (x *sharers) associations(kind string, query map[string]string) (out []string) {
	x.t.Helper()
	q := map[string]string{"AssociationType": kind}
	for k, v := range query {
		q[k] = v
	}
	got, err := x.sharing(sharerAdmin, "ListResourceShareAssociations", q)
	x.ok(err)
	for _, a := range rowsOf(got, "ResourceShareAssociations") {
		out = append(out, fmt.Sprint(a["EntityId"], " ", a["AssociationStatus"]))
	}
	return out
}

func rowsOf(body map[string]any, name string) (out []map[string]any) {
	list, _ := body[name].([]any)
	for _, r := range list {
		out = append(out, r.(map[string]any))
	}
	return out
}

// olderSharing is the older SDK's client.
func (x *sharers) olderSharing(key, secret string) *v1sharing.Client {
	x.t.Helper()
	c, err := v1sharing.NewClientWithOptions(server.Home, v1.NewConfig().WithScheme("http").WithTimeout(10*time.Second), credentials.NewAccessKeyCredential(key, secret))
	x.ok(err)
	return c
}

// wholeDirectory and production are the conditions of the vendor's scenarios 2
// and 3.
var (
	wholeDirectory = `{"StringEquals":{"sts:ServiceOwnerRDId":"` + resourcemanager.DirectoryID + `"}}`
	production     = `{"StringLike":{"sts:ServiceOwnerRDPath":"` + resourcemanager.DirectoryID + "/" + resourcemanager.RootID + "/" + resourcemanager.Production + `*"}}`
)
