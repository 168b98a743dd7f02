package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/resourcemanager"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
)

// The steps on sharing what is encrypted with a key of the account's own.

// The roles and the policy that setup-share-role keeps.
const (
	imageRole    = "AliyunECSShareEncryptImageDefaultRole"
	snapshotRole = "AliyunECSShareEncryptSnapshotDefaultRole"
	imageKeys    = "fleetwarden-share-image-1"
)

func firstShare(ctx context.Context, s *scene) string {
	_, image := s.sealedImage("alias/demo-first")
	first := "the share succeeded at once"
	if err := s.shareImage(ctx, image, server.Sharee); err != nil {
		first = short(err.Error(), "AssumeRoleError", "AssumeRoleError")
	}
	s.reaction(ctx)
	state := s.first("state", map[string]string{"kind": "ensure-share-role", "id": imageRole})
	must(s.shareImage(ctx, image, server.Sharee))
	s.reaction(ctx)
	return first + "; ensure-share-role: " + state + "; the same call again succeeds"
}

// launchShared has the sharee launch from an image of the sharer, encrypted with a key
// that the role did not grant before.
func launchShared(ctx context.Context, s *scene) string {
	_, image := s.sealedImage("alias/demo-launched")
	before := s.launchAsSharee(ctx, image)
	s.shareTwice(ctx, image)
	after := s.launchAsSharee(ctx, image)
	must(s.Settle(ctx))
	return fmt.Sprintf("the sharee's launch %s before, %s after", before, after)
}

func unapproved(ctx context.Context, s *scene) string {
	snapshot := s.sealedSnapshot("alias/demo-unapproved")
	s.share(ctx, "unapproved", "Snapshot", snapshot, server.Member)
	must(s.Settle(ctx))
	want := map[string]string{"rule": "sharee-approved", "outcome": "violation", "reason": "*" + server.Member + "*"}
	outcome := s.first("outcome", want)
	ok, _ := s.Server.Usable(server.Member, server.Home, snapshot)
	return fmt.Sprintf("sharee-approved: %s; trusted: %t; usable: %t", outcome, strings.Contains(s.trust(ctx, snapshotRole), server.Member), ok)
}

func ahead(ctx context.Context, s *scene) string {
	_, before := s.Server.RAM.FindRole(server.Sharer, snapshotRole)
	s.look(ctx, "snapshot-share", "approved: {accounts: [{id: \""+server.Sharee+"\", trust: ahead}]}")
	return fmt.Sprintf("the role was there: %t; now it trusts the account: %t", before, strings.Contains(s.trust(ctx, snapshotRole), server.Sharee+"@ecs.aliyuncs.com"))
}

func folderShare(ctx context.Context, s *scene) string {
	snapshot := s.sealedSnapshot("alias/demo-folder")
	return s.shareInside(ctx, inside{"snapshot-share", "Snapshot", snapshot, resourcemanager.Production,
		"approved: {folders: [{id: " + resourcemanager.Production + ", trust: now}]}"})
}

func directoryShare(ctx context.Context, s *scene) string {
	_, image := s.sealedImage("alias/demo-directory")
	return s.shareInside(ctx, inside{"image-share", "Image", image, resourcemanager.DirectoryID, "approved: {directory: now}"})
}

// inside is a share within the resource directory, and the policy that approves it.
type inside struct{ kind, resource, id, target, approved string }

// shareInside shares once, which fails; looks as the operator, since the functions' own
// policy approves no part of the directory; and shares again.
func (s *scene) shareInside(ctx context.Context, in inside) string {
	s.share(ctx, "first-"+in.target, in.resource, in.id, in.target)
	s.look(ctx, in.kind, in.approved)
	first, _ := s.Server.Usable(server.Member, server.Home, in.id)
	s.share(ctx, "again-"+in.target, in.resource, in.id, in.target)
	s.reaction(ctx)
	member, _ := s.Server.Usable(server.Member, server.Home, in.id)
	outside, _ := s.Server.Usable(server.Sharee, server.Home, in.id)
	return fmt.Sprintf("usable by a member: %t at first, %t when shared again; by an account outside: %t", first, member, outside)
}

// endedShare ends a share. The functions' own policy reports it; the operator's takes
// back what has not been needed for an hour.
func endedShare(ctx context.Context, s *scene) string {
	key, image := s.sealedImage("alias/demo-ended")
	s.shareTwice(ctx, image)
	got(s.Call(ctx, stage.Operator, "2014-05-26", "ModifyImageSharePermission",
		map[string]string{"RegionId": server.Home, "ImageId": image, "RemoveAccount.1": server.Sharee}))
	must(s.Settle(ctx))
	reported := s.first("outcome", map[string]string{"rule": "take-back", "kind": "image-share", "reason": "*" + key + "*"})
	const enforce = "takeBack: enforce, takeBackAfter: 1h, approved: {directory: now, accounts: [{id: \"" + server.Sharee + "\"}]}"
	s.look(ctx, "image-share", enforce)
	atOnce := s.granted(ctx, key)
	must(s.Advance(ctx, time.Hour))
	s.look(ctx, "image-share", enforce)
	return fmt.Sprintf("take-back: %s; key granted: %t, an hour later: %t", reported, atOnce, s.granted(ctx, key))
}

// otherRoles has setup-share-role's role do what is beyond the two share roles.
func otherRoles(ctx context.Context, s *scene) string {
	keys := got(s.KeysOf("setup-share-role"))
	var seen []string
	for _, try := range []struct {
		action string
		params map[string]string
	}{
		{"DeleteRole", map[string]string{"RoleName": imageRole}},
		{"AttachPolicyToRole", map[string]string{"RoleName": imageRole, "PolicyName": "AdministratorAccess", "PolicyType": "System"}},
		{"DetachPolicyFromRole", map[string]string{"RoleName": systrust, "PolicyName": "AliyunSysTrustFullAccess", "PolicyType": "System"}},
	} {
		_, err := s.Call(ctx, keys, "2015-05-01", try.action, try.params)
		seen = append(seen, verdict(try.action, err))
	}
	return strings.Join(seen, ", ")
}
