package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	v1sharing "github.com/aliyun/alibaba-cloud-sdk-go/services/resourcesharing"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/server"
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
		t.Error("usable for another account")
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
	x.pass(6 * time.Second)
	if diff := cmp.Diff([]string{snapshot + " Disassociated"}, x.associations("Resource", nil)); diff != "" {
		t.Error(diff)
	}
	wantError(t, remove(), 409, "ResourceShareStatusMismatchAction")
	x.pass(96 * time.Hour)
	if got := x.associations("Resource", nil); len(got) != 0 {
		t.Errorf("after 96 hours there is %v", got)
	}
	wantError(t, remove(), 404, "EntityNotExists.ResourceShare")
}
