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

func firstShare(ctx context.Context, s *scene) (string, error) {
	_, image, err := s.sealedImage("alias/demo-first")
	if err != nil {
		return "", err
	}
	first := "the share succeeded at once"
	if err = s.shareImage(ctx, image, server.Sharee); err != nil {
		first = "the share failed: " + err.Error()
		if strings.Contains(err.Error(), "AssumeRoleError") {
			first = "AssumeRoleError"
		}
	}
	if err := s.reaction(ctx); err != nil {
		return "", err
	}
	state, err := s.first("state", map[string]string{"kind": "ensure-share-role", "id": imageRole})
	if err != nil {
		return "", err
	}
	if err := s.shareImage(ctx, image, server.Sharee); err != nil {
		return "", err
	}
	return first + "; ensure-share-role: " + state + "; the same call again succeeds", s.reaction(ctx)
}

// launchShared has the sharee launch from an image of the sharer, encrypted with a key
// that the role did not grant before.
func launchShared(ctx context.Context, s *scene) (string, error) {
	_, image, err := s.sealedImage("alias/demo-launched")
	if err != nil {
		return "", err
	}
	before := s.launchAsSharee(ctx, image)
	if err := s.shareTwice(ctx, image); err != nil {
		return "", err
	}
	return fmt.Sprintf("the sharee's launch %s before, %s after", before, s.launchAsSharee(ctx, image)), s.Settle(ctx)
}

func unapproved(ctx context.Context, s *scene) (string, error) {
	snapshot, err := s.sealedSnapshot("alias/demo-unapproved")
	if err != nil {
		return "", err
	}
	if err := s.share(ctx, "unapproved", "Snapshot", snapshot, server.Member); err != nil {
		return "", err
	}
	if err := s.Settle(ctx); err != nil {
		return "", err
	}
	want := map[string]string{"rule": "sharee-approved", "outcome": "violation", "reason": "*" + server.Member + "*"}
	outcome, err := s.first("outcome", want)
	if err != nil {
		return "", err
	}
	ok, _ := s.Server.Usable(server.Member, server.Home, snapshot)
	trust, err := s.trust(ctx, snapshotRole)
	return fmt.Sprintf("sharee-approved: %s; trusted: %t; usable: %t", outcome, strings.Contains(trust, server.Member), ok), err
}

func ahead(ctx context.Context, s *scene) (string, error) {
	_, err := s.trust(ctx, snapshotRole)
	before := err == nil
	if err := s.look(ctx, "snapshot-share", "approved: {accounts: [{id: \""+server.Sharee+"\", trust: ahead}]}"); err != nil {
		return "", err
	}
	doc, err := s.trust(ctx, snapshotRole)
	return fmt.Sprintf("the role was there: %t; now it trusts the account: %t", before, strings.Contains(doc, server.Sharee+"@ecs.aliyuncs.com")), err
}

func folderShare(ctx context.Context, s *scene) (string, error) {
	snapshot, err := s.sealedSnapshot("alias/demo-folder")
	if err != nil {
		return "", err
	}
	return s.shareInside(ctx, inside{"snapshot-share", "Snapshot", snapshot, resourcemanager.Production,
		"approved: {folders: [{id: " + resourcemanager.Production + ", trust: now}]}"})
}

func directoryShare(ctx context.Context, s *scene) (string, error) {
	_, image, err := s.sealedImage("alias/demo-directory")
	if err != nil {
		return "", err
	}
	return s.shareInside(ctx, inside{"image-share", "Image", image, resourcemanager.DirectoryID, "approved: {directory: now}"})
}

// inside is a share within the resource directory, and the policy that approves it.
type inside struct{ kind, resource, id, target, approved string }

// shareInside shares once, which fails; looks as the operator, since the functions' own
// policy approves no part of the directory; and shares again.
func (s *scene) shareInside(ctx context.Context, in inside) (string, error) {
	if err := s.share(ctx, "first-"+in.target, in.resource, in.id, in.target); err != nil {
		return "", err
	}
	if err := s.look(ctx, in.kind, in.approved); err != nil {
		return "", err
	}
	first, _ := s.Server.Usable(server.Member, server.Home, in.id)
	if err := s.share(ctx, "again-"+in.target, in.resource, in.id, in.target); err != nil {
		return "", err
	}
	if err := s.reaction(ctx); err != nil {
		return "", err
	}
	member, _ := s.Server.Usable(server.Member, server.Home, in.id)
	outside, _ := s.Server.Usable(server.Sharee, server.Home, in.id)
	return fmt.Sprintf("usable by a member: %t at first, %t when shared again; by an account outside: %t", first, member, outside), nil
}

// endedShare ends a share. The functions' own policy reports it; the operator's takes
// back what has not been needed for an hour.
func endedShare(ctx context.Context, s *scene) (string, error) {
	key, image, err := s.sealedImage("alias/demo-ended")
	if err != nil {
		return "", err
	}
	if err := s.shareTwice(ctx, image); err != nil {
		return "", err
	}
	_, err = s.Call(ctx, stage.Operator, "2014-05-26", "ModifyImageSharePermission",
		map[string]string{"RegionId": server.Home, "ImageId": image, "RemoveAccount.1": server.Sharee})
	if err != nil {
		return "", err
	}
	if err := s.Settle(ctx); err != nil {
		return "", err
	}
	reported, err := s.first("outcome", map[string]string{"rule": "take-back", "kind": "image-share", "reason": "*" + key + "*"})
	if err != nil {
		return "", err
	}
	const enforce = "takeBack: enforce, takeBackAfter: 1h, approved: {directory: now, accounts: [{id: \"" + server.Sharee + "\"}]}"
	if err := s.look(ctx, "image-share", enforce); err != nil {
		return "", err
	}
	atOnce, err := s.granted(ctx, key)
	if err != nil {
		return "", err
	}
	if err := s.Advance(ctx, time.Hour); err != nil {
		return "", err
	}
	if err := s.look(ctx, "image-share", enforce); err != nil {
		return "", err
	}
	later, err := s.granted(ctx, key)
	return fmt.Sprintf("take-back: %s; key granted: %t, an hour later: %t", reported, atOnce, later), err
}

// otherRoles has setup-share-role's role do what is beyond the two share roles.
func otherRoles(ctx context.Context, s *scene) (string, error) {
	keys, err := s.KeysOf("setup-share-role")
	if err != nil {
		return "", err
	}
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
		switch {
		case err == nil:
			seen = append(seen, try.action+" allowed")
		case strings.Contains(err.Error(), "NoPermission"):
			seen = append(seen, try.action+" denied")
		default:
			seen = append(seen, err.Error())
		}
	}
	return strings.Join(seen, ", "), nil
}
