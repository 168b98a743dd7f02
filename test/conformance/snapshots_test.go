package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/server"
)

// snapshots lists snapshots with the official SDK.
func (x *sharers) snapshots(who identity, in *ecssdk.DescribeSnapshotsRequest) []*ecssdk.DescribeSnapshotsResponseBodySnapshotsSnapshot {
	x.t.Helper()
	if in.RegionId == nil {
		in.RegionId = tea.String(server.Home)
	}
	got, err := x.ecs(who).DescribeSnapshots(in)
	x.ok(err)
	return got.Body.Snapshots.Snapshot
}

func TestSnapshotsAreListedByIDKeyAndEncryption(t *testing.T) {
	x := newSharers(t)
	plain, own, under := x.snapshot(""), x.snapshot(x.key), x.snapshot("service")
	ids := func(in *ecssdk.DescribeSnapshotsRequest) (out []string) {
		for _, s := range x.snapshots(sharerAdmin, in) {
			out = append(out, tea.StringValue(s.SnapshotId))
		}
		return out
	}
	for name, c := range map[string]struct {
		in   *ecssdk.DescribeSnapshotsRequest
		want []string
	}{
		"all":           {&ecssdk.DescribeSnapshotsRequest{}, []string{plain, own, under}},
		"encrypted":     {&ecssdk.DescribeSnapshotsRequest{Encrypted: tea.Bool(true)}, []string{own, under}},
		"by key":        {&ecssdk.DescribeSnapshotsRequest{KMSKeyId: &x.key}, []string{own}},
		"by id":         {&ecssdk.DescribeSnapshotsRequest{SnapshotIds: tea.String(`["` + plain + `","s-none"]`)}, []string{plain}},
		"no id":         {&ecssdk.DescribeSnapshotsRequest{SnapshotIds: tea.String(`[]`)}, nil},
		"under way":     {&ecssdk.DescribeSnapshotsRequest{Status: tea.String("progressing")}, nil},
		"other regions": {&ecssdk.DescribeSnapshotsRequest{RegionId: tea.String(server.Another)}, nil},
	} {
		if diff := cmp.Diff(c.want, ids(c.in)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	got := x.snapshots(sharerAdmin, &ecssdk.DescribeSnapshotsRequest{SnapshotIds: tea.String(`["` + own + `"]`)})[0]
	if !tea.BoolValue(got.Encrypted) || tea.StringValue(got.KMSKeyId) != x.key || tea.StringValue(got.Status) != "accomplished" || tea.StringValue(got.SourceDiskSize) != "20" {
		t.Errorf("the snapshot is %v", got)
	}
	var hidden struct{ IDs []string }
	x.control("POST", "snapshots", `{"key":"service","hideKey":true}`, &hidden)
	got = x.snapshots(sharerAdmin, &ecssdk.DescribeSnapshotsRequest{SnapshotIds: tea.String(`["` + hidden.IDs[0] + `"]`)})[0]
	if !tea.BoolValue(got.Encrypted) || tea.StringValue(got.KMSKeyId) != "" {
		t.Errorf("a snapshot that hides its key shows %v", got)
	}
	_, err := x.ecs(sharerAdmin).DescribeSnapshots(&ecssdk.DescribeSnapshotsRequest{
		RegionId: tea.String(server.Home), SnapshotIds: tea.String(`["` + strings.Repeat(`s","`, 100) + `s"]`),
	})
	wantError(t, err, 400, "InvalidParameter")
}

func TestSnapshotsArePagedToTheirEndWithThoseOfOthers(t *testing.T) {
	x := newSharers(t)
	var seeded struct{ IDs []string }
	x.control("POST", "snapshots", `{"count":230}`, &seeded)
	var theirs struct{ IDs []string }
	x.control("POST", "snapshots", fmt.Sprintf(`{"account":%q,"count":3}`, server.Member), &theirs)
	memberAdmin := identity{"member-ak", "member-sk", ""}
	x.newShare(seeded.IDs[7], false, server.Member)
	var got []string
	in := &ecssdk.DescribeSnapshotsRequest{RegionId: tea.String(server.Home), MaxResults: tea.Int32(100)}
	for page := 1; ; page++ {
		out, err := x.ecs(sharerAdmin).DescribeSnapshots(in)
		x.ok(err)
		for _, s := range out.Body.Snapshots.Snapshot {
			got = append(got, tea.StringValue(s.SnapshotId))
		}
		if in.NextToken = out.Body.NextToken; tea.StringValue(in.NextToken) == "" {
			break
		}
	}
	if diff := cmp.Diff(seeded.IDs, got); diff != "" {
		t.Error(diff)
	}
	list := x.snapshots(memberAdmin, &ecssdk.DescribeSnapshotsRequest{MaxResults: tea.Int32(100)})
	if len(list) != 4 || tea.StringValue(list[3].SnapshotId) != seeded.IDs[7] ||
		tea.StringValue(list[3].Tags.Tag[0].TagKey) != "acs:ecs:sharedFrom:"+server.Sharer+":"+server.Home+":"+seeded.IDs[7] {
		t.Errorf("the member sees %v", list)
	}
	tagged := x.snapshots(sharerAdmin, &ecssdk.DescribeSnapshotsRequest{Tag: []*ecssdk.DescribeSnapshotsRequestTag{{Key: tea.String("acs:ecs:isShared")}}})
	if len(tagged) != 1 || tea.StringValue(tagged[0].SnapshotId) != seeded.IDs[7] {
		t.Errorf("tagged as shared are %v", tagged)
	}
}

// TestACopyUnderAnotherKeyCanBeShared is the way out for service keys.
func TestACopyUnderAnotherKeyCanBeShared(t *testing.T) {
	x := newSharers(t)
	image, _ := x.image("service")
	x.role(imageRole, trusts("", service(server.Sharee)), x.keyPolicy())
	api := x.ecs(sharerAdmin)
	copyImage := &ecssdk.CopyImageRequest{RegionId: tea.String(server.Home), ImageId: &image, Encrypted: tea.Bool(true), KMSKeyId: &x.key}
	_, err := api.CopyImage(copyImage)
	wantError(t, err, 403, "InvalidParameter.KMSKeyId.KMSUnauthorized")
	x.role("AliyunECSDiskEncryptDefaultRole", ecsTrust, "")
	made, err := api.CopyImage(copyImage)
	x.ok(err)
	id := tea.StringValue(made.Body.ImageId)
	wantError(t, x.share(id, server.Sharee), 403, "IncorrectImageStatus")
	x.pass(time.Minute)
	x.ok(x.share(id, server.Sharee))
}

func TestASharedSnapshotMakesADataDiskOnlyWithTheKey(t *testing.T) {
	x := newSharers(t)
	snapshot := x.snapshot(x.key)
	x.role(snapshotRole, trusts("", service(server.Member)), x.keyPolicy())
	memberAdmin := identity{"member-ak", "member-sk", ""}
	launch := func(encrypted bool) error {
		disk := &ecssdk.RunInstancesRequestDataDisk{SnapshotId: &snapshot}
		if encrypted {
			disk.Encrypted = tea.String("true")
		}
		_, err := x.ecs(memberAdmin).RunInstances(&ecssdk.RunInstancesRequest{
			RegionId: tea.String(server.Home), ImageId: tea.String(uefiImage), InstanceType: tea.String("ecs.g7.large"),
			VSwitchId: tea.String("vsw-local"), SecurityGroupId: tea.String("sg-local"), DataDisk: []*ecssdk.RunInstancesRequestDataDisk{disk},
		})
		return err
	}
	wantError(t, launch(true), 404, "InvalidSnapshotId.NotFound")
	x.newShare(snapshot, false, server.Member)
	wantError(t, launch(false), 400, "InvalidParameter.EncryptedIllegal")
	x.ok(launch(true))
	x.control("POST", "keys", fmt.Sprintf(`{"key":%q,"state":"Disabled"}`, x.key), nil)
	wantError(t, launch(true), 403, "InvalidParameter.KMSKeyId.KMSUnauthorized")
}
