package conformance_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/server"
)

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
		{"an empty folder that no account is in", resourcemanager.Development, trusts("", service(server.Member)), "Failed"},
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

func TestAssociationEventsGoToTheTargetOnly(t *testing.T) {
	x := newSharers(t)
	snapshot := x.snapshot("")
	id := x.newShare(snapshot, false, resourcemanager.Web)
	_, err := x.sharing(sharerAdmin, "DeleteResourceShare", map[string]string{"ResourceShareId": id})
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
