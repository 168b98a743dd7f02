package scenario_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/fleet"
)

// sharer is a story of an account that shares what is encrypted with a key of its own.
type sharer struct {
	t *testing.T
	*stage.Stage
	key string
}

func newSharer(t *testing.T, o stage.Options) *sharer {
	t.Helper()
	s := play(t, o)
	key, err := s.Server.KMS.AddKey(server.Sharer, server.Home, "alias/shared")
	if err != nil {
		t.Fatal(err)
	}
	return &sharer{t, s, key.ID}
}

// image makes an encrypted image.
func (s *sharer) image() string {
	s.t.Helper()
	made, err := s.Server.ECS.SeedImages(ecs.ImageSpec{Key: "alias/shared"})
	if err != nil {
		s.t.Fatal(err)
	}
	return made[0].ID
}

// snapshot makes an encrypted snapshot.
func (s *sharer) snapshot() string {
	s.t.Helper()
	ids, err := s.Server.ECS.SeedSnapshots(ecs.SnapshotSpec{Key: "alias/shared"})
	if err != nil {
		s.t.Fatal(err)
	}
	return ids[0]
}

// shareImage shares an image as the operator does.
func (s *sharer) shareImage(id, account string) error {
	_, err := s.Call(s.t.Context(), stage.Operator, "2014-05-26", "ModifyImageSharePermission",
		map[string]string{"RegionId": server.Home, "ImageId": id, "AddAccount.1": account})
	return err
}

// pass lets the functions do what there is to do.
func (s *sharer) pass(d time.Duration) {
	s.t.Helper()
	ctx, stop := soon()
	defer stop()
	if err := s.Advance(ctx, d); err != nil {
		s.t.Fatal(err)
	}
}

// wantUsable checks whether an account can use a resource.
func (s *sharer) wantUsable(account, id string, want bool) {
	s.t.Helper()
	if ok, why := s.Server.Usable(account, server.Home, id); ok != want {
		s.t.Errorf("%s usable by %s: %t (%s)", id, account, ok, why)
	}
}

// wantRecord checks how often something was recorded.
func (s *sharer) wantRecord(want int, of map[string]string) {
	s.t.Helper()
	all, err := s.Records()
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, r := range all {
		if r.Match(of) {
			n++
		}
	}
	if n != want {
		s.t.Errorf("%d records of %v, not %d", n, of, want)
	}
	if s.t.Failed() {
		s.t.Logf("records:\n%s", showAll(all))
	}
}

func TestASnapshotBecomesUsableOnceTheShareeAccepts(t *testing.T) {
	t.Parallel()
	s := newSharer(t, stage.Options{})
	id := s.snapshot()
	_, err := s.Call(t.Context(), stage.Operator, "2020-01-10", "CreateResourceShare", map[string]string{
		"RegionId": server.Home, "ResourceShareName": "backups", "AllowExternalTargets": "true", "Targets.1": server.Sharee,
		"Resources.1.ResourceType": "Snapshot", "Resources.1.ResourceId": id})
	if err != nil {
		t.Fatal(err)
	}
	s.wantUsable(server.Sharee, id, false)
	s.pass(10 * time.Minute)
	s.wantRecord(1, map[string]string{"kind": "ensure-share-role", "state": "done", "id": fleet.SnapshotShareRole})
	s.accept()
	s.pass(10 * time.Minute)
	s.wantUsable(server.Sharee, id, true)
	s.wantRecord(0, map[string]string{"function": "setup-share-role", "state": "failed"})
}

// accept accepts the sharee's only invitation.
func (s *sharer) accept() {
	s.t.Helper()
	answer, err := s.Call(s.t.Context(), stage.Sharee, "2020-01-10", "ListResourceShareInvitations", map[string]string{"RegionId": server.Home})
	if err != nil {
		s.t.Fatal(err)
	}
	list, _ := answer["ResourceShareInvitations"].([]any)
	if len(list) != 1 {
		s.t.Fatalf("invitations: %v", answer)
	}
	item, _ := list[0].(map[string]any)
	_, err = s.Call(s.t.Context(), stage.Sharee, "2020-01-10", "AcceptResourceShareInvitation", map[string]string{
		"RegionId": server.Home, "ResourceShareInvitationId": fmt.Sprint(item["ResourceShareInvitationId"])})
	if err != nil {
		s.t.Fatal(err)
	}
}

// Killed at each of its calls in turn, setup-share-role leaves a world that the next
// looks put right.
func TestSetupShareRoleDiesAtAnyCallAndTheShareComesRight(t *testing.T) {
	t.Parallel()
	s := newSharer(t, stage.Options{})
	s.sharedAtLast()
	calls := count(s.Stage, "setup-share-role", "*", anyCode)
	if calls < 10 {
		t.Fatalf("only %d calls", calls)
	}
	for _, d := range deaths(calls) {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			s := newSharer(t, stage.Options{})
			s.Stack.Kill("setup-share-role", d.call, d.when)
			s.sharedAtLast()
		})
	}
}

// sharedAtLast shares an image, which fails at first, and again when the functions have made the
// role.
func (s *sharer) sharedAtLast() {
	s.t.Helper()
	id := s.image()
	if err := s.shareImage(id, server.Sharee); err == nil {
		s.t.Fatal("an encrypted image was shared without the role")
	}
	s.pass(30 * time.Minute)
	if err := s.shareImage(id, server.Sharee); err != nil {
		s.t.Errorf("sharing again: %v", err)
	}
	s.wantUsable(server.Sharee, id, true)
}

// The role of setup-share-role can touch no other role and no other policy.
func TestSetupShareRoleMayTouchTheShareRolesAlone(t *testing.T) {
	t.Parallel()
	s := newSharer(t, stage.Options{})
	keys, err := s.KeysOf("setup-share-role")
	if err != nil {
		t.Fatal(err)
	}
	const victim = "fleetwarden-attach-role"
	trust := `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"RAM":["acs:ram::1000000000000001:root"]}}],"Version":"1"}`
	for action, params := range map[string]map[string]string{
		"UpdateRole":           {"RoleName": victim, "NewAssumeRolePolicyDocument": trust},
		"AttachPolicyToRole":   {"RoleName": fleet.ImageShareRole, "PolicyType": "System", "PolicyName": "AdministratorAccess"},
		"DetachPolicyFromRole": {"RoleName": victim, "PolicyType": "Custom", "PolicyName": victim},
		"CreatePolicyVersion":  {"PolicyName": victim, "PolicyDocument": `{"Version":"1","Statement":[]}`},
		"TagResources":         {"ResourceType": "role", "ResourceNames.1": victim, "Tag.1.Key": "a", "Tag.1.Value": "b"},
		"DeleteRole":           {"RoleName": fleet.ImageShareRole},
	} {
		if _, err := s.Call(t.Context(), keys, "2015-05-01", action, params); err == nil || !strings.Contains(err.Error(), "NoPermission") {
			t.Errorf("%s: %v", action, err)
		}
	}
}

// Ten thousand changes of an account's shares cost one full listing for each window of a
// hundred messages, and one write for what is really new.
func TestTenThousandShareChangesCostOneListingAWindow(t *testing.T) {
	t.Parallel()
	s := newSharer(t, stage.Options{})
	if _, err := s.Server.ECS.SeedImages(ecs.ImageSpec{Key: "alias/shared", Count: 40, SharedWith: []string{server.Sharee}}); err != nil {
		t.Fatal(err)
	}
	const changes, window = 10_000, 100
	message, err := json.Marshal(fleet.Messages([]fleet.Ref{{Scope: fleet.Scope{Account: server.Sharer}, Kind: fleet.KindImageShare}})[0])
	if err != nil {
		t.Fatal(err)
	}
	for range changes {
		inbox := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-setup-share-role"}
		if _, err := s.Server.MNS.Send(inbox, mns.Outgoing{Body: string(message)}); err != nil {
			t.Fatal(err)
		}
	}
	s.pass(50 * time.Minute) // before the timer's own look at the full hour
	passes := count(s.Stage, "setup-share-role", "ecs:DescribeRegions", carriedOut)
	if passes < 1 || passes > changes/window+1 {
		t.Errorf("%d passes for %d windows", passes, changes/window)
	}
	writes := 0
	for _, api := range []string{"ram:CreateRole", "ram:UpdateRole", "ram:CreatePolicy", "ram:CreatePolicyVersion", "ram:AttachPolicyToRole", "ram:TagResources"} {
		writes += count(s.Stage, "setup-share-role", api, carriedOut)
	}
	if writes == 0 || writes > 10 {
		t.Errorf("%d writes", writes)
	}
	// A listing: the regions; in each, resource shares, images, and what is shared of them.
	listing := 1 + 2*len(s.Server.World.Regions) + 40 + 1 + 1
	reads := 0
	for _, api := range []string{"ecs:DescribeRegions", "ecs:DescribeImages", "ecs:DescribeImageSharePermission", "ecs:DescribeSnapshots", "kms:DescribeKey", "resourcesharing:ListResourceShareAssociations"} {
		reads += count(s.Stage, "setup-share-role", api, carriedOut)
	}
	if reads > 2*passes*listing {
		t.Errorf("%d reads for %d listings of %d", reads, passes, listing)
	}
	t.Logf("%d passes, %d reads, %d writes", passes, reads, writes)
}

// The whole directory is trusted ahead. Only the first share shows which key is used: it
// fails, the key is granted, and the same share succeeds when it is asked for again.
func TestADirectoryTrustedAheadCanUseASnapshotOnceItsKeyIsGranted(t *testing.T) {
	t.Parallel()
	s := newSharer(t, stage.Options{Policy: "share_ahead.yaml"})
	id := s.snapshot()
	s.pass(70 * time.Minute)
	s.wantRecord(1, map[string]string{"kind": "ensure-share-role", "state": "done", "id": fleet.SnapshotShareRole})
	answer, err := s.Call(t.Context(), stage.Operator, "2020-03-31", "GetResourceDirectory", nil)
	if err != nil {
		t.Fatal(err)
	}
	directory, _ := answer["ResourceDirectory"].(map[string]any)
	target := fmt.Sprint(directory["ResourceDirectoryId"])
	made, err := s.Call(t.Context(), stage.Operator, "2020-01-10", "CreateResourceShare", map[string]string{
		"RegionId": server.Home, "ResourceShareName": "all", "Targets.1": target,
		"Resources.1.ResourceType": "Snapshot", "Resources.1.ResourceId": id})
	if err != nil {
		t.Fatal(err)
	}
	s.pass(15 * time.Minute)
	s.wantRecord(0, map[string]string{"function": "setup-share-role", "state": "failed"})
	s.wantRecord(1, map[string]string{"kind": "attach-key-policy", "state": "done", "id": "fleetwarden-share-snapshot-1"})
	share, _ := made["ResourceShare"].(map[string]any)
	_, err = s.Call(t.Context(), stage.Operator, "2020-01-10", "AssociateResourceShare", map[string]string{
		"RegionId": server.Home, "ResourceShareId": fmt.Sprint(share["ResourceShareId"]), "Targets.1": target})
	if err != nil {
		t.Fatal(err)
	}
	s.pass(15 * time.Minute)
	s.wantUsable(server.Member, id, true)
	s.wantUsable(server.Sharee, id, false)
}
