package ecs_test

import (
	"context"
	"fmt"
	"testing"

	sdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	simecs "fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/fleet"
)

func TestRolesAreReadByTheFiftyAndNoRoleIsEmpty(t *testing.T) {
	for name, hide := range map[string]bool{"shown with an empty name": false, "not shown": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.ECS.HideRoleless(hide)
			fleet := b.seed(t, simecs.FleetSpec{Count: 250, Drift: map[string]float64{"noRole": 0.1, "wrongRole": 0.02}})
			got, err := b.RoleNames(t.Context(), region, fleet.IDs)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]int{50, 50, 50, 50, 50}, b.batches("DescribeInstanceRamRole")); diff != "" {
				t.Error(diff)
			}
			count := map[string]int{}
			for _, name := range got {
				count[name]++
			}
			want := map[string]int{role: 220, simecs.WrongRole: 5, "": 25}
			if diff := cmp.Diff(want, count); diff != "" {
				t.Error(diff)
			}
			for _, id := range fleet.Drifted["noRole"] {
				if name, ok := got[id]; !ok || name != "" {
					t.Errorf("%s: got %q, %v", id, name, ok)
				}
			}
		})
	}
}

func TestHalfAnAnswerAboutRolesIsNotTakenForNoRole(t *testing.T) {
	client, _ := newClient(t, pages(t, map[string]string{"": `{"RequestId":"R","TotalCount":2,` +
		`"InstanceRamRoleSets":{"InstanceRamRoleSet":[{"InstanceId":"i-1","RamRoleName":"r"}]}}`}))
	got, err := client.RoleNames(t.Context(), region, []string{"i-1", "i-2"})
	if err == nil {
		t.Errorf("got %v, want an error: the role of i-2 is not known", got)
	}
}

func TestAttachReturnsEachInstancesAnswer(t *testing.T) {
	b := newBench(t)
	free := b.seed(t, simecs.FleetSpec{Count: 2, Role: "-"}).IDs
	taken := b.seed(t, simecs.FleetSpec{Count: 1, Role: simecs.WrongRole}).IDs[0]
	classic := b.seed(t, simecs.FleetSpec{Count: 1, Role: "-", Network: "classic"}).IDs[0]
	got, err := b.AttachRole(t.Context(), region, role, append(free, taken, classic, "i-unknown"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{free[0]: "", free[1]: "", taken: "InvalidOperation.RamRoleAlreadyAttached",
		classic: "InvalidNetworkType.MismatchRamRole", "i-unknown": "InvalidInstanceId.NotFound"}
	codes := map[string]string{}
	for id, answer := range got {
		codes[id] = fleet.CodeOf(answer.Err)
		if answer.RequestID == "" {
			t.Errorf("%s: no request id", id)
		}
		if (answer.Err == nil) != (want[id] == "") {
			t.Errorf("%s: got %v", id, answer.Err)
		}
	}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Error(diff)
	}
	if class := fleet.ClassOf(got["i-unknown"].Err); class != fleet.NotFound {
		t.Errorf("i-unknown: got class %v", class)
	}
	names, err := b.RoleNames(t.Context(), region, []string{free[0], taken, classic})
	if diff := cmp.Diff(map[string]string{free[0]: role, taken: simecs.WrongRole, classic: ""}, names); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestAttachOfARoleThatDoesNotExistFailsAsAWhole(t *testing.T) {
	b := newBench(t)
	id := b.seed(t, simecs.FleetSpec{Count: 1, Role: "-"}).IDs[0]
	got, err := b.AttachRole(t.Context(), region, "no-such-role", []string{id})
	if got != nil || fleet.CodeOf(err) != "InvalidRamRole.NotFound" || fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestMoreIdsThanACallTakesAreRefused(t *testing.T) {
	b := newBench(t)
	ids := make([]string, 101)
	for i := range ids {
		ids[i] = fmt.Sprintf("i-%d", i)
	}
	for name, change := range changes(b.Client) {
		if got, err := change(t.Context(), ids); got != nil || fleet.ClassOf(err) != fleet.Invalid {
			t.Errorf("%s: got %v, %v, want invalid", name, got, err)
		}
	}
}

type change func(ctx context.Context, ids []string) (map[string]fleet.BatchAnswer, error)

func changes(c *ecs.Client) map[string]change {
	return map[string]change{
		"AttachInstanceRamRole": func(ctx context.Context, ids []string) (map[string]fleet.BatchAnswer, error) {
			return c.AttachRole(ctx, region, role, ids)
		},
		"DetachInstanceRamRole": func(ctx context.Context, ids []string) (map[string]fleet.BatchAnswer, error) {
			return c.DetachRole(ctx, region, role, ids)
		},
	}
}

func TestChangeWhoseAnswerWasLostIsSentOnce(t *testing.T) {
	for _, action := range []string{"AttachInstanceRamRole", "DetachInstanceRamRole"} {
		b := newBench(t, simcloud.Fault{Action: action, Kind: simcloud.TimeoutAfter})
		fleetRole := map[string]string{"AttachInstanceRamRole": "-", "DetachInstanceRamRole": role}[action]
		id := b.seed(t, simecs.FleetSpec{Count: 1, Role: fleetRole}).IDs[0]
		_, err := changes(b.Client)[action](t.Context(), []string{id})
		if fleet.ClassOf(err) != fleet.Lost || len(b.batches(action)) != 1 {
			t.Errorf("%s: got %v after %d calls, want Lost after 1", action, err, len(b.batches(action)))
		}
	}
}

func TestDetachTakesOnlyTheNamedRole(t *testing.T) {
	b := newBench(t)
	ours := b.seed(t, simecs.FleetSpec{Count: 1}).IDs[0]
	other := b.seed(t, simecs.FleetSpec{Count: 1, Role: simecs.WrongRole}).IDs[0]
	got, err := b.DetachRole(t.Context(), region, role, []string{ours, other, "i-unknown"})
	if err != nil {
		t.Fatal(err)
	}
	if got[ours].Err != nil || got[other].Err == nil || got["i-unknown"].Err == nil {
		t.Errorf("got %v", got)
	}
	names, err := b.RoleNames(t.Context(), region, []string{ours, other})
	if diff := cmp.Diff(map[string]string{ours: "", other: simecs.WrongRole}, names); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// diskIDs lists all disks of the region, for tests only.
func diskIDs(t *testing.T, b *bench) (ids []string) {
	t.Helper()
	api := aliyun.API{Product: aliyun.ECS, Action: "DescribeDisks", Region: region}
	page, err := aliyun.Do[sdk.DescribeDisksRequest, sdk.DescribeDisksResponseBody](t.Context(), b.session, api,
		&sdk.DescribeDisksRequest{RegionId: new(string(region)), MaxResults: new(int32(500))})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range page.Disks.Disk {
		ids = append(ids, *d.DiskId)
	}
	return ids
}

func TestSystemDisksAreReadByTheHundred(t *testing.T) {
	b := newBench(t)
	fleet := b.seed(t, simecs.FleetSpec{Count: 250, Drift: map[string]float64{"badDisk": 0.02}})
	ids := diskIDs(t, b)
	got, err := b.SystemDisksByID(t.Context(), region, append(ids, "d-unknown"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{0, 100, 100, 51}, b.batches("DescribeDisks")); diff != "" {
		t.Error(diff)
	}
	count := map[string]int{}
	for _, category := range got {
		count[category]++
	}
	if diff := cmp.Diff(map[string]int{"cloud_essd": 245, "cloud_efficiency": 5}, count); diff != "" {
		t.Error(diff)
	}
	for _, id := range fleet.Drifted["badDisk"] {
		if got[id] != "cloud_efficiency" {
			t.Errorf("%s: got %q", id, got[id])
		}
	}
}

func TestDisksThatAreNoSystemDisksAreLeftOut(t *testing.T) {
	client, _ := newClient(t, pages(t, map[string]string{"": `{"RequestId":"R","Disks":{"Disk":[` +
		`{"DiskId":"d-1","InstanceId":"i-1","Type":"data","Category":"cloud"},` +
		`{"DiskId":"d-2","InstanceId":"","Type":"system","Category":"cloud"},` +
		`{"DiskId":"d-3","InstanceId":"i-1","Type":"system","Category":"cloud_essd"},` +
		`{"DiskId":"d-4","InstanceId":"i-1","Type":"data","Category":"cloud"}]}}`}))
	got, err := client.SystemDisksByID(t.Context(), region, []string{"d-1", "d-2", "d-3", "d-4"})
	if diff := cmp.Diff(map[string]string{"i-1": "cloud_essd"}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestSystemDiskOfOneInstance(t *testing.T) {
	b := newBench(t)
	for _, category := range []string{"cloud_essd", "cloud_efficiency"} {
		id := b.seed(t, simecs.FleetSpec{Count: 1, SystemDisk: category}).IDs[0]
		if got, err := b.SystemDiskOf(t.Context(), region, id); err != nil || got != category {
			t.Errorf("got %q, %v, want %s", got, err, category)
		}
	}
	none := b.seed(t, simecs.FleetSpec{Count: 1, SystemDisk: simecs.NoDisk}).IDs[0]
	for _, id := range []string{none, "i-unknown"} {
		if got, err := b.SystemDiskOf(t.Context(), region, id); err != nil || got != "" {
			t.Errorf("%s: got %q, %v, want none", id, got, err)
		}
	}
}

func TestCallsWithoutPermissionAreDenied(t *testing.T) {
	b := newBench(t)
	if err := b.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	cloud := aliyuntest.Cloud(t, b.URL(), aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"})
	c := ecs.New(cloud.NewSession(0))
	for name, call := range map[string]func() error{
		"Listings":     func() error { _, err := c.Listings(t.Context(), region, []string{"i-1"}); return err },
		"RoleNames":    func() error { _, err := c.RoleNames(t.Context(), region, []string{"i-1"}); return err },
		"SystemDiskOf": func() error { _, err := c.SystemDiskOf(t.Context(), region, "i-1"); return err },
		"SystemDisksByID": func() error {
			_, err := c.SystemDisksByID(t.Context(), region, []string{"d-1"})
			return err
		},
		"AttachRole": func() error { _, err := c.AttachRole(t.Context(), region, role, []string{"i-1"}); return err },
		"DetachRole": func() error { _, err := c.DetachRole(t.Context(), region, role, []string{"i-1"}); return err },
	} {
		if err := call(); fleet.ClassOf(err) != fleet.Denied {
			t.Errorf("%s: got %v, want denied", name, err)
		}
	}
}

func TestTheInstancesOfARoleAreReadByTheFifty(t *testing.T) {
	b := newBench(t)
	fleet := b.seed(t, simecs.FleetSpec{Count: 120, Drift: map[string]float64{"noRole": 0.1}})
	got, err := b.RoleUsers(t.Context(), region, role)
	if err != nil || len(got) != 108 {
		t.Fatalf("%d of 108, %v", len(got), err)
	}
	for _, id := range fleet.Drifted["noRole"] {
		if _, ok := got[id]; ok {
			t.Errorf("%s has no role", id)
		}
	}
	for id, l := range got {
		if l.Type == "" {
			t.Errorf("%s: got %+v", id, l)
		}
	}
	if none, err := b.RoleUsers(t.Context(), region, "of-nothing"); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}

func TestNotAllInstancesOfARoleAreAnError(t *testing.T) {
	one := `"InstanceRamRoleSets":{"InstanceRamRoleSet":[{"InstanceId":"i-1","RamRoleName":"r"}]}}`
	for name, answer := range map[string]string{
		"the same page again": `{"RequestId":"R","TotalCount":2,` + one,
		"an empty page":       `{"RequestId":"R","TotalCount":2}`,
		"too many":            `{"RequestId":"R","TotalCount":1001,` + one,
	} {
		client, _ := newClient(t, pages(t, map[string]string{"": answer}))
		if got, err := client.RoleUsers(t.Context(), region, "r"); err == nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
