package conformance_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	v1sharing "github.com/aliyun/alibaba-cloud-sdk-go/services/resourcesharing"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/test/simcloud/ram"
	"fleetwarden/test/simcloud/resourcemanager"
	"fleetwarden/test/simcloud/server"
)

func TestASnapshotSharedWithAMemberIsAssociatedAfterAWhile(t *testing.T) {
	x := newSharers(t)
	snapshot := x.snapshot("alias/shared")
	x.role(snapshotRole, trusts("", service(server.Member)), x.keyPolicy())
	api := x.olderSharing("local-ak", "local-sk")
	create := v1sharing.CreateCreateResourceShareRequest()
	create.Domain, create.ResourceShareName = x.host(), "backup"
	create.Resources = &[]v1sharing.CreateResourceShareResources{{ResourceId: snapshot, ResourceType: "Snapshot"}}
	create.Targets = &[]string{server.Member}
	made, err := api.CreateResourceShare(create)
	x.ok(err)
	if s := made.ResourceShare; s.ResourceShareOwner != server.Sharer || s.ResourceShareStatus != "Active" || s.AllowExternalTargets {
		t.Errorf("the share is %+v", s)
	}
	if diff := cmp.Diff([]string{server.Member + " Associating"}, x.associations("Target", nil)); diff != "" {
		t.Error(diff)
	}
	if ok, _ := x.usable(server.Member, snapshot); ok {
		t.Error("usable before it is associated")
	}
	x.pass(6 * time.Second)
	list := v1sharing.CreateListResourceShareAssociationsRequest()
	list.Domain, list.AssociationType = x.host(), "Resource"
	got, err := api.ListResourceShareAssociations(list)
	x.ok(err)
	if a := got.ResourceShareAssociations; len(a) != 1 || a[0].AssociationStatus != "Associated" || a[0].EntityId != snapshot || a[0].EntityType != "Snapshot" {
		t.Errorf("the associations are %+v", a)
	}
	if ok, why := x.usable(server.Member, snapshot); !ok {
		t.Errorf("not usable: %s", why)
	}
	if ok, _ := x.usable(server.Sharee, snapshot); ok {
		t.Error("usable for somebody else")
	}
}

func TestAssociationsFailWithoutTheRoleAndCanBeRepeated(t *testing.T) {
	x := newSharers(t)
	snapshot := x.snapshot(x.key)
	id := x.newShare(snapshot, false, server.Member)
	if diff := cmp.Diff([]string{server.Member + " Failed"}, x.associations("Target", nil)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{snapshot + " Associated"}, x.associations("Resource", nil)); diff != "" {
		t.Error(diff)
	}
	got, err := x.sharing(sharerAdmin, "ListResourceShareAssociations", map[string]string{"AssociationType": "Target", "AssociationStatus": "Failed"})
	x.ok(err)
	row := rowsOf(got, "ResourceShareAssociations")[0]
	detail := row["AssociationFailedDetails"].([]any)[0].(map[string]any)
	if !strings.Contains(fmt.Sprint(row["AssociationStatusMessage"]), snapshotRole) || detail["EntityId"] != snapshot {
		t.Errorf("the failure says %v", row)
	}
	x.role(snapshotRole, trusts("", service(server.Member)), x.keyPolicy())
	_, err = x.sharing(sharerAdmin, "AssociateResourceShare", map[string]string{"ResourceShareId": id, "Targets.1": server.Member})
	x.ok(err)
	x.pass(6 * time.Second)
	if diff := cmp.Diff([]string{server.Member + " Associated"}, x.associations("Target", nil)); diff != "" {
		t.Error(diff)
	}
	other := x.snapshot(x.key)
	x.retrust(snapshotRole, trusts("", service(server.Sharee)))
	_, err = x.sharing(sharerAdmin, "AssociateResourceShare", map[string]string{
		"ResourceShareId": id, "Resources.1.ResourceId": other, "Resources.1.ResourceType": "Snapshot",
	})
	x.ok(err)
	x.pass(6 * time.Second)
	if diff := cmp.Diff([]string{snapshot + " Associated", other + " Failed"}, x.associations("Resource", nil)); diff != "" {
		t.Error(diff)
	}
}

func TestRecordsOfFailedAssociationsGoAfterDays(t *testing.T) {
	x := newSharers(t)
	x.newShare(x.snapshot(x.key), false, server.Member)
	x.pass(48 * time.Hour)
	if got := x.associations("Target", nil); len(got) != 1 {
		t.Errorf("after 48 hours there is %v", got)
	}
	x.pass(48 * time.Hour)
	if got := x.associations("Target", nil); len(got) != 0 {
		t.Errorf("after 96 hours there is %v", got)
	}
}

// TestADirectoryIsReachedOnlyUnderItsCondition: scenarios 2 and 3 of the vendor's
// document, and what comes close to them.
func TestADirectoryIsReachedOnlyUnderItsCondition(t *testing.T) {
	folder := func(id string) string {
		return `{"StringLike":{"sts:ServiceOwnerRDPath":"` + resourcemanager.DirectoryID + "/" + resourcemanager.RootID + "/" + id + `*"}}`
	}
	for _, c := range []struct {
		name, target, trust, want string
	}{
		{"the whole directory", resourcemanager.DirectoryID, trusts(wholeDirectory, "*@ecs.aliyuncs.com"), "Associated"},
		{"the directory by its folder", resourcemanager.DirectoryID, trusts(production, "*@ecs.aliyuncs.com"), "Associated"},
		{"a folder above the member", resourcemanager.Production, trusts(production, "*@ecs.aliyuncs.com"), "Associated"},
		{"a folder by the whole directory", resourcemanager.Web, trusts(wholeDirectory, "*@ecs.aliyuncs.com"), "Associated"},
		{"a folder by its member", resourcemanager.Web, trusts("", service(server.Member)), "Associated"},
		{"an empty folder", resourcemanager.Development, trusts(folder(resourcemanager.Development), "*@ecs.aliyuncs.com"), "Associated"},
		{"an empty folder by nobody in it", resourcemanager.Development, trusts("", service(server.Member)), "Failed"},
		{"another folder", resourcemanager.Web, trusts(folder(resourcemanager.Development), "*@ecs.aliyuncs.com"), "Failed"},
		{"another directory", resourcemanager.Web, trusts(strings.ReplaceAll(wholeDirectory, resourcemanager.DirectoryID, "rd-Other"), "*@ecs.aliyuncs.com"), "Failed"},
		{"a path without its star", resourcemanager.Web, trusts(strings.ReplaceAll(production, "*", ""), "*@ecs.aliyuncs.com"), "Failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newSharers(t)
			snapshot := x.snapshot(x.key)
			x.role(snapshotRole, c.trust, x.keyPolicy())
			x.newShare(snapshot, false, c.target)
			if diff := cmp.Diff([]string{c.target + " " + c.want}, x.associations("Target", nil)); diff != "" {
				t.Error(diff)
			}
			inside := c.target != resourcemanager.Development && c.want == "Associated"
			if ok, why := x.usable(server.Member, snapshot); ok != inside {
				t.Errorf("usable for the member: %t, %s", ok, why)
			}
			if ok, _ := x.usable(server.Sharee, snapshot); ok {
				t.Error("usable outside the directory")
			}
		})
	}
}

func TestWhoLeavesTheFolderLosesTheSnapshot(t *testing.T) {
	x := newSharers(t)
	snapshot := x.snapshot(x.key)
	x.role(snapshotRole, trusts(production, "*@ecs.aliyuncs.com"), x.keyPolicy())
	x.newShare(snapshot, false, resourcemanager.Web)
	move := func(body string, want bool) {
		t.Helper()
		if status := x.control("POST", "directory", body, nil); status != 200 {
			t.Fatalf("moving answered %d", status)
		}
		if ok, why := x.usable(server.Member, snapshot); ok != want {
			t.Errorf("after %s usable is %t: %s", body, ok, why)
		}
	}
	member := `{"account":"` + server.Member + `"`
	move(member+`,"folder":"`+resourcemanager.Development+`"}`, false)
	move(member+`,"folder":"`+resourcemanager.Web+`"}`, true)
	move(member+`}`, false)
}

func TestAnAccountOutsideMustBeAllowedAndAccept(t *testing.T) {
	x := newSharers(t)
	snapshot := x.snapshot(x.key)
	_, err := x.sharing(sharerAdmin, "CreateResourceShare", map[string]string{"ResourceShareName": "s", "Targets.1": server.Sharee})
	wantError(t, err, 400, "InvalidTarget")
	x.role(snapshotRole, trusts("", service(server.Sharee)), x.keyPolicy())
	x.newShare(snapshot, true, server.Sharee)
	if diff := cmp.Diff([]string{server.Sharee + " Associating"}, x.associations("Target", nil)); diff != "" {
		t.Error(diff)
	}
	got, err := x.sharing(shareeAdmin, "ListResourceShareInvitations", nil)
	x.ok(err)
	invitation := rowsOf(got, "ResourceShareInvitations")[0]
	if invitation["Status"] != "Pending" || invitation["SenderAccountId"] != server.Sharer {
		t.Errorf("the invitation is %v", invitation)
	}
	accept := map[string]string{"ResourceShareInvitationId": fmt.Sprint(invitation["ResourceShareInvitationId"])}
	_, err = x.sharing(sharerAdmin, "AcceptResourceShareInvitation", accept)
	wantError(t, err, 409, "EntityNotExists.ResourceShareInvitation")
	_, err = x.sharing(shareeAdmin, "AcceptResourceShareInvitation", accept)
	x.ok(err)
	if ok, why := x.usable(server.Sharee, snapshot); !ok {
		t.Errorf("not usable: %s", why)
	}
	_, err = x.sharing(shareeAdmin, "AcceptResourceShareInvitation", accept)
	wantError(t, err, 409, "InvitationStatus.AlreadyAccepted")
}

func TestAnInvitationFailsWithoutTheRoleAndExpires(t *testing.T) {
	x := newSharers(t)
	x.newShare(x.snapshot(x.key), true, server.Sharee)
	x.newShare("", true, server.Sharee)
	list := func() []map[string]any {
		got, err := x.sharing(shareeAdmin, "ListResourceShareInvitations", nil)
		x.ok(err)
		return rowsOf(got, "ResourceShareInvitations")
	}
	got, err := x.sharing(shareeAdmin, "AcceptResourceShareInvitation", map[string]string{
		"ResourceShareInvitationId": fmt.Sprint(list()[0]["ResourceShareInvitationId"]),
	})
	x.ok(err)
	i := got["ResourceShareInvitation"].(map[string]any)
	if i["Status"] != "AcceptFailed" || !strings.Contains(fmt.Sprint(i["AcceptInvitationFailedDetails"]), snapshotRole) {
		t.Errorf("the invitation is %v", i)
	}
	x.pass(7*24*time.Hour + time.Second)
	if got := list()[1]["Status"]; got != "Expired" {
		t.Errorf("after seven days the other one is %v", got)
	}
}

func TestWhatIsTakenOutIsNotSharedAnyMore(t *testing.T) {
	x := newSharers(t)
	snapshot := x.snapshot("")
	id := x.newShare(snapshot, false, server.Member, resourcemanager.Web)
	listed := func() int {
		got, err := x.sharing(sharerAdmin, "ListSharedResources", map[string]string{"ResourceOwner": "Self", "ResourceType": "Snapshot"})
		x.ok(err)
		return len(rowsOf(got, "SharedResources"))
	}
	out := func(query map[string]string) error {
		query["ResourceShareId"] = id
		_, err := x.sharing(sharerAdmin, "DisassociateResourceShare", query)
		return err
	}
	if n := listed(); n != 1 {
		t.Errorf("%d are shared", n)
	}
	x.ok(out(map[string]string{"Targets.1": server.Member}))
	if ok, _ := x.usable(server.Member, snapshot); !ok {
		t.Error("not usable though the folder still reaches it")
	}
	wantError(t, out(map[string]string{"Targets.1": server.Sharee}), 400, "DisassociateInvalid")
	wantError(t, out(map[string]string{}), 400, "ResourceAndTargetBothEmpty")
	x.ok(out(map[string]string{"ResourceArns.1": "acs:ecs:" + server.Home + ":" + server.Sharer + ":snapshot/" + snapshot}))
	if ok, _ := x.usable(server.Member, snapshot); ok {
		t.Error("usable after it was taken out")
	}
	_, err := x.sharing(sharerAdmin, "DeleteResourceShare", map[string]string{"ResourceShareId": id})
	wantError(t, err, 409, "DeleteResourceShareConflict")
	x.pass(6 * time.Second)
	if diff := cmp.Diff([]string{snapshot + " Disassociated"}, x.associations("Resource", nil)); diff != "" {
		t.Error(diff)
	}
	if n := listed(); n != 0 {
		t.Errorf("%d are still shared", n)
	}
}

func TestADeletedShareEndsAndIsForgotten(t *testing.T) {
	x := newSharers(t)
	snapshot := x.snapshot("")
	id := x.newShare(snapshot, false, server.Member)
	remove := func() error {
		_, err := x.sharing(sharerAdmin, "DeleteResourceShare", map[string]string{"ResourceShareId": id})
		return err
	}
	x.ok(remove())
	wantError(t, remove(), 409, "ResourceShareStatusMismatchAction")
	if ok, _ := x.usable(server.Member, snapshot); ok {
		t.Error("usable after its share was deleted")
	}
	status := func() (out []any) {
		got, err := x.sharing(sharerAdmin, "ListResourceShares", map[string]string{"ResourceOwner": "Self"})
		x.ok(err)
		for _, s := range rowsOf(got, "ResourceShares") {
			out = append(out, s["ResourceShareStatus"])
		}
		return out
	}
	x.pass(6 * time.Second)
	if diff := cmp.Diff([]any{"Deleted"}, status()); diff != "" {
		t.Error(diff)
	}
	x.pass(96 * time.Hour)
	if got := status(); got != nil {
		t.Errorf("after 96 hours there is %v", got)
	}
	wantError(t, remove(), 404, "EntityNotExists.ResourceShare")
}

func TestAShareIsOpenedButNotClosed(t *testing.T) {
	x := newSharers(t)
	id := x.newShare("", false)
	update := func(name, external string) error {
		_, err := x.sharing(sharerAdmin, "UpdateResourceShare", map[string]string{
			"ResourceShareId": id, "ResourceShareName": name, "AllowExternalTargets": external,
		})
		return err
	}
	x.ok(update("wide", "true"))
	wantError(t, update("wide", "false"), 409, "OperationNotPermitted")
	wantError(t, update("a b", "true"), 400, "InvalidParameter.ResourceShareName")
	got, err := x.sharing(sharerAdmin, "ListResourceShares", map[string]string{"ResourceOwner": "Self", "ResourceShareName": "wide"})
	x.ok(err)
	if s := rowsOf(got, "ResourceShares"); len(s) != 1 || s[0]["AllowExternalTargets"] != true {
		t.Errorf("the shares are %v", s)
	}
	_, err = x.sharing(shareeAdmin, "UpdateResourceShare", map[string]string{"ResourceShareId": id, "ResourceShareName": "mine"})
	wantError(t, err, 404, "EntityNotExists.ResourceShare")
}

func TestListsOfSharingArePagedToTheirEnd(t *testing.T) {
	x := newSharers(t)
	id := x.newShare("", true)
	var want []string
	for n := 0; n < 25; n += 5 {
		q := map[string]string{"ResourceShareId": id}
		for i, a := range accounts(n, 5) {
			q[fmt.Sprintf("Targets.%d", i+1)] = a
			want = append(want, a)
		}
		_, err := x.sharing(sharerAdmin, "AssociateResourceShare", q)
		x.ok(err)
	}
	api := x.olderSharing("local-ak", "local-sk")
	list := v1sharing.CreateListResourceShareAssociationsRequest()
	list.Domain, list.AssociationType, list.MaxResults = x.host(), "Target", requests.NewInteger(10)
	var got, sizes []string
	for {
		page, err := api.ListResourceShareAssociations(list)
		x.ok(err)
		sizes = append(sizes, fmt.Sprint(len(page.ResourceShareAssociations)))
		for _, a := range page.ResourceShareAssociations {
			got = append(got, a.EntityId)
		}
		if list.NextToken = page.NextToken; list.NextToken == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || strings.Join(sizes, " ") != "10 10 5" {
		t.Errorf("pages of %v: %s", sizes, diff)
	}
	if n := len(x.associations("Target", nil)); n != 20 {
		t.Errorf("a page holds %d by default", n)
	}
	for query, code := range map[string]string{
		"MaxResults=0": "MaxResults", "MaxResults=101": "MaxResults", "NextToken=x": "NextToken",
		"AssociationStatus=x": "AssociationStatus", "AssociationType=x": "AssociationType",
	} {
		name, value, _ := strings.Cut(query, "=")
		q := map[string]string{"AssociationType": "Target"}
		q[name] = value
		_, err := x.sharing(sharerAdmin, "ListResourceShareAssociations", q)
		wantError(t, err, 400, "InvalidParameter."+code)
	}
}

func TestSharingIsSeenFromBothSidesInItsRegionOnly(t *testing.T) {
	x := newSharers(t)
	snapshot := x.snapshot("")
	id := x.newShare(snapshot, false, resourcemanager.Web)
	memberAdmin := identity{"member-ak", "member-sk", ""}
	look := func(who identity, region, action, owner, rows string) []map[string]any {
		got, err := x.sharing(who, action, map[string]string{"ResourceOwner": owner, "RegionId": region})
		x.ok(err)
		return rowsOf(got, rows)
	}
	for action, rows := range map[string]string{
		"ListResourceShares": "ResourceShares", "ListSharedResources": "SharedResources", "ListSharedTargets": "SharedTargets",
	} {
		for _, who := range []struct {
			identity
			owner string
		}{{sharerAdmin, "Self"}, {memberAdmin, "OtherAccounts"}} {
			got := look(who.identity, server.Home, action, who.owner, rows)
			if len(got) != 1 || got[0]["ResourceShareId"] != id {
				t.Errorf("%s of %s shows %v", action, who.owner, got)
			}
			if got := look(who.identity, server.Another, action, who.owner, rows); len(got) != 0 {
				t.Errorf("%s in another region shows %v", action, got)
			}
		}
		if got := look(shareeAdmin, server.Home, action, "OtherAccounts", rows); len(got) != 0 {
			t.Errorf("%s shows %v to somebody outside", action, got)
		}
	}
	if got := look(memberAdmin, server.Home, "ListSharedTargets", "OtherAccounts", "SharedTargets"); got[0]["TargetId"] != server.Sharer {
		t.Errorf("the member sees %v", got)
	}
}

func TestWhatCannotBeInAShareIsRefused(t *testing.T) {
	x := newSharers(t)
	snapshot, other := x.snapshot(""), x.snapshot("")
	for name, c := range map[string]struct {
		query  map[string]string
		status int
		code   string
	}{
		"no such snapshot":   {map[string]string{"Resources.1.ResourceId": "s-none", "Resources.1.ResourceType": "Snapshot"}, 400, "InvalidParameter.Resources"},
		"another type":       {map[string]string{"Resources.1.ResourceId": snapshot, "Resources.1.ResourceType": "VSwitch"}, 400, "InvalidParameter.ResourceType"},
		"the wrong type":     {map[string]string{"Resources.1.ResourceId": snapshot, "Resources.1.ResourceType": "Image"}, 400, "InvalidParameter.Resources"},
		"no type":            {map[string]string{"Resources.1.ResourceId": snapshot}, 400, "InvalidParameter.Resources"},
		"twice the same":     {map[string]string{"Targets.1": server.Member, "Targets.2": server.Member}, 400, "InvalidParameter.Targets.Duplicate"},
		"six targets":        {map[string]string{"Targets.1": "a", "Targets.2": "b", "Targets.3": "c", "Targets.4": "d", "Targets.5": "e", "Targets.6": "f"}, 400, "InvalidParameter.Targets.Length"},
		"oneself":            {map[string]string{"Targets.1": server.Sharer}, 400, "InvalidParameter.Targets"},
		"not a number":       {map[string]string{"Targets.1": "some-account"}, 400, "InvalidParameter.Targets"},
		"another directory":  {map[string]string{"Targets.1": "rd-Other"}, 400, "InvalidTarget"},
		"another permission": {map[string]string{"Targets.1": server.Member, "PermissionNames.1": "Own"}, 404, "EntityNotExists.Permission"},
		"an ARN elsewhere":   {map[string]string{"ResourceArns.1": "acs:ecs:" + server.Another + ":" + server.Sharer + ":snapshot/" + snapshot}, 400, "InvalidParameter.ResourceArns"},
		"ids and ARNs": {map[string]string{"Resources.1.ResourceId": snapshot, "Resources.1.ResourceType": "Snapshot",
			"ResourceArns.1": "acs:ecs:" + server.Home + ":" + server.Sharer + ":snapshot/" + other}, 400, "InvalidParameter.ResourceConflict"},
		"no name": {map[string]string{"ResourceShareName": "a b"}, 400, "InvalidParameter.ResourceShareName"},
	} {
		q := map[string]string{"ResourceShareName": "s"}
		for k, v := range c.query {
			q[k] = v
		}
		_, err := x.sharing(sharerAdmin, "CreateResourceShare", q)
		if err == nil {
			t.Errorf("%s is taken", name)
		}
		wantError(t, err, c.status, c.code)
	}
	_, err := x.sharing(shareeAdmin, "CreateResourceShare", map[string]string{"ResourceShareName": "s", "Targets.1": server.Member})
	wantError(t, err, 409, "AccountNotInResourceDirectory")
	_, err = x.sharing(shareeAdmin, "CreateResourceShare", map[string]string{
		"ResourceShareName": "s", "Resources.1.ResourceId": snapshot, "Resources.1.ResourceType": "Snapshot",
	})
	wantError(t, err, 400, "InvalidParameter.Resources")
}

func TestAssociationsAreToldToTheTargetAndOnlyThere(t *testing.T) {
	x := newSharers(t)
	snapshot := x.snapshot("")
	id := x.newShare(snapshot, false, resourcemanager.Web)
	_, err := x.sharing(sharerAdmin, "DisassociateResourceShare", map[string]string{"ResourceShareId": id, "Targets.1": resourcemanager.Web})
	x.ok(err)
	x.pass(6 * time.Second)
	var got []map[string]any
	x.mu.Lock()
	for _, e := range x.events {
		if e.Type != "resourcemanager:ResourceSharing:AssociationStatusChange" {
			continue
		}
		if e.Account != server.Member || e.Source != "acs.resourcemanager" || e.Subject != "acs:resourcesharing:cn-hangzhou:"+server.Sharer+":resourceshare/"+id {
			t.Errorf("the envelope is %+v", e)
		}
		var data map[string]any
		x.ok(json.Unmarshal(e.Data, &data))
		got = append(got, data)
	}
	x.mu.Unlock()
	event := func(status, kind string) map[string]any {
		return map[string]any{
			"resourceShareId": id, "resourceOwnerAccountId": server.Sharer, "targetAccountId": server.Member, "serviceName": "ecs.aliyuncs.com",
			"resourceType": "Snapshot", "resourceId": snapshot, "associationStatus": status, "associateType": kind,
		}
	}
	if diff := cmp.Diff([]map[string]any{event("Associated", "Associate"), event("Disassociated", "Disassociate")}, got); diff != "" {
		t.Error(diff)
	}
	records := x.trail("CreateResourceShare")
	if len(records) != 1 || records[0]["serviceName"] != "ResourceSharing" ||
		records[0]["requestParameters"].(map[string]any)["Resources.1.ResourceId"] != snapshot {
		t.Errorf("the records are %v", records)
	}
}

func TestWhoMayNotShareLearnsNothing(t *testing.T) {
	x := newSharers(t)
	x.makeRole("nobody", trusts("", "fc.aliyuncs.com"), `{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`)
	x.pass(6 * time.Second)
	who := x.asFunction("nobody")
	for action, query := range map[string]map[string]string{
		"CreateResourceShare":           {"ResourceShareName": "s"},
		"AssociateResourceShare":        {"ResourceShareId": "rs-1", "Targets.1": server.Member},
		"DisassociateResourceShare":     {"ResourceShareId": "rs-1", "Targets.1": server.Member},
		"UpdateResourceShare":           {"ResourceShareId": "rs-1", "ResourceShareName": "s"},
		"DeleteResourceShare":           {"ResourceShareId": "rs-1"},
		"ListResourceShares":            {"ResourceOwner": "Self"},
		"ListSharedResources":           {"ResourceOwner": "Self"},
		"ListSharedTargets":             {"ResourceOwner": "Self"},
		"ListResourceShareAssociations": {"AssociationType": "Target"},
		"AcceptResourceShareInvitation": {"ResourceShareInvitationId": "i-1"},
		"ListResourceShareInvitations":  nil,
	} {
		_, err := x.sharing(who, action, query)
		wantError(t, err, 403, "Forbidden.RAM")
		if !asked(x.RAM.Permissions(), "resourcesharing:"+action, "*") {
			t.Errorf("%s asks for something else", action)
		}
	}
}

func asked(all []ram.UsedPermission, action, resource string) bool {
	for _, p := range all {
		if p.Action == action && p.Resource == resource {
			return true
		}
	}
	return false
}
