package conformance_test

import (
	"fmt"
	"testing"
	"time"

	v1 "github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	v1rm "github.com/aliyun/alibaba-cloud-sdk-go/services/resourcemanager"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/server"
)

const directoryAPI = "2020-03-31"

func (c *cloud) olderDirectory() *v1rm.Client {
	c.t.Helper()
	api, err := v1rm.NewClientWithOptions(server.Home, v1.NewConfig().WithScheme("http").WithTimeout(10*time.Second), credentials.NewAccessKeyCredential("local-ak", "local-sk"))
	c.ok(err)
	return api
}

func TestTheDirectoryIsShownToTheManagementAccount(t *testing.T) {
	c := newCloud(t, server.Options{})
	api := c.olderDirectory()
	get := v1rm.CreateGetResourceDirectoryRequest()
	get.Domain = c.host()
	rd, err := api.GetResourceDirectory(get)
	c.ok(err)
	if d := rd.ResourceDirectory; d.ResourceDirectoryId != resourcemanager.DirectoryID || d.RootFolderId != resourcemanager.RootID || d.MasterAccountId != server.Sharer {
		t.Errorf("the directory is %+v", d)
	}
	folder := v1rm.CreateGetFolderRequest()
	folder.Domain, folder.FolderId = c.host(), resourcemanager.Web
	f, err := api.GetFolder(folder)
	c.ok(err)
	path := resourcemanager.DirectoryID + "/" + resourcemanager.RootID + "/" + resourcemanager.Production + "/" + resourcemanager.Web
	if f.Folder.ResourceDirectoryPath != path || f.Folder.ParentFolderId != resourcemanager.Production || f.Folder.FolderName != "Web" {
		t.Errorf("the folder is %+v", f.Folder)
	}
	list := v1rm.CreateListAccountsRequest()
	list.Domain = c.host()
	all, err := api.ListAccounts(list)
	c.ok(err)
	if a := all.Accounts.Account; len(a) != 1 || a[0].AccountId != server.Member || a[0].ResourceDirectoryPath != path+"/"+server.Member || a[0].FolderId != resourcemanager.Web {
		t.Errorf("the members are %+v", a)
	}
	up := v1rm.CreateListAncestorsRequest()
	up.Domain, up.ChildId = c.host(), server.Member
	above, err := api.ListAncestors(up)
	c.ok(err)
	var ids []string
	for _, f := range above.Folders.Folder {
		ids = append(ids, f.FolderId)
	}
	if diff := cmp.Diff([]string{resourcemanager.RootID, resourcemanager.Production, resourcemanager.Web}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestTheDirectoryRefusesOthersAndWhatIsNotThere(t *testing.T) {
	c := newCloud(t, server.Options{})
	memberAdmin := identity{"member-ak", "member-sk", ""}
	got, err := c.rpc(memberAdmin, directoryAPI, "GetResourceDirectory", nil)
	c.ok(err)
	if id := got["ResourceDirectory"].(map[string]any)["ResourceDirectoryId"]; id != resourcemanager.DirectoryID {
		t.Errorf("a member sees directory %v", id)
	}
	_, err = c.rpc(shareeAdmin, directoryAPI, "GetResourceDirectory", nil)
	wantError(t, err, 404, "ResourceDirectoryNotInUse")
	for action, q := range map[string]map[string]string{
		"GetFolder": {"FolderId": resourcemanager.Web}, "ListAccounts": {},
		"ListAncestors": {"ChildId": resourcemanager.Web},
	} {
		for _, who := range []identity{shareeAdmin, memberAdmin} {
			_, err := c.rpc(who, directoryAPI, action, q)
			wantError(t, err, 404, "EntityNotExists.ResourceDirectory")
		}
	}
	for action, x := range map[string]struct{ param, value, code string }{
		"GetFolder": {"FolderId", "fd-none", "Folder"}, "ListAncestors": {"ChildId", "fd-none", "Folder"},
	} {
		_, err := c.rpc(sharerAdmin, directoryAPI, action, map[string]string{x.param: x.value})
		wantError(t, err, 404, "EntityNotExists."+x.code)
	}
	for param, value := range map[string]string{"PageSize": "101", "PageNumber": "0"} {
		_, err := c.rpc(sharerAdmin, directoryAPI, "ListAccounts", map[string]string{param: value})
		wantError(t, err, 400, "InvalidParameter."+param)
	}
}

func TestMembersArePagedAndMoved(t *testing.T) {
	c := newCloud(t, server.Options{})
	for _, a := range accounts(0, 24) {
		c.ok(c.Directory.Move(a, resourcemanager.Development))
	}
	c.ok(c.Directory.Leave(server.Member))
	api := c.olderDirectory()
	var got []string
	for page := 1; page <= 3; page++ {
		list := v1rm.CreateListAccountsRequest()
		list.Domain, list.PageNumber = c.host(), requests.NewInteger(page)
		out, err := api.ListAccounts(list)
		c.ok(err)
		if out.TotalCount != 24 {
			t.Errorf("there are %d members", out.TotalCount)
		}
		for _, a := range out.Accounts.Account {
			got = append(got, a.AccountId)
		}
	}
	if diff := cmp.Diff(accounts(0, 24), got); diff != "" {
		t.Error(diff)
	}
	for _, err := range []error{
		c.Directory.Move(server.Sharer, resourcemanager.Web), c.Directory.Move(server.Sharee, "fd-none"), c.Directory.Leave(server.Sharee),
	} {
		if err == nil {
			t.Error("a move that cannot be is taken")
		}
	}
}

func TestTheDirectoryAsksRAMByPath(t *testing.T) {
	c := newCloud(t, server.Options{})
	path := resourcemanager.DirectoryID + "/" + resourcemanager.RootID + "/" + resourcemanager.Development
	c.makeRole("reader", trusts("", "fc.aliyuncs.com"),
		fmt.Sprintf(`{"Effect":"Allow","Action":"resourcemanager:GetFolder","Resource":"acs:resourcemanager:*:%s:folder/%s"}`, server.Sharer, path))
	c.pass(6 * time.Second)
	who := c.asFunction("reader")
	_, err := c.rpc(who, directoryAPI, "GetFolder", map[string]string{"FolderId": resourcemanager.Development})
	c.ok(err)
	for action, q := range map[string]map[string]string{
		"GetFolder": {"FolderId": resourcemanager.Web}, "ListAccounts": {},
		"ListAncestors": {"ChildId": resourcemanager.Web}, "GetResourceDirectory": {},
	} {
		_, err := c.rpc(who, directoryAPI, action, q)
		wantError(t, err, 403, "Forbidden.RAM")
	}
}
