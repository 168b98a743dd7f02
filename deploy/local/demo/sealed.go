package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
)

// The steps on sharing use the following.

// sealedImage makes an image that is encrypted with a key of its own.
func (s *scene) sealedImage(alias string) (key, image string) {
	k := got(s.Server.KMS.AddKey(server.Sharer, server.Home, alias))
	made := got(s.Server.ECS.SeedImages(ecs.ImageSpec{Key: alias}))
	return k.ID, made[0].ID
}

func (s *scene) sealedSnapshot(alias string) string {
	got(s.Server.KMS.AddKey(server.Sharer, server.Home, alias))
	ids := got(s.Server.ECS.SeedSnapshots(ecs.SnapshotSpec{Key: alias}))
	return ids[0]
}

func (s *scene) shareImage(ctx context.Context, image, account string) error {
	_, err := s.Call(ctx, stage.Operator, "2014-05-26", "ModifyImageSharePermission",
		map[string]string{"RegionId": server.Home, "ImageId": image, "AddAccount.1": account})
	return err
}

// shareTwice shares an image with the sharee: the first time must fail, since nothing
// grants the image's key, and wakes the functions.
func (s *scene) shareTwice(ctx context.Context, image string) {
	if s.shareImage(ctx, image, server.Sharee) == nil {
		must(fmt.Errorf("%s was shared though no role grants its key", image))
	}
	s.reaction(ctx)
	must(s.shareImage(ctx, image, server.Sharee))
	s.reaction(ctx)
}

// reaction lets the functions do what there is to do, and RAM show it to ECS.
func (s *scene) reaction(ctx context.Context) {
	must(s.Settle(ctx))
	must(s.Advance(ctx, time.Minute))
}

// share makes a resource share.
func (s *scene) share(ctx context.Context, name, kind, id, target string) {
	got(s.Call(ctx, stage.Operator, "2020-01-10", "CreateResourceShare", map[string]string{
		"RegionId": server.Home, "ResourceShareName": name, "Targets.1": target,
		"Resources.1.ResourceType": kind, "Resources.1.ResourceId": id}))
}

// launchAsSharee says how the sharee's launch from an image went.
func (s *scene) launchAsSharee(ctx context.Context, image string) string {
	_, err := s.Call(ctx, stage.Sharee, "2014-05-26", "RunInstances", map[string]string{
		"RegionId": server.Home, "ImageId": image, "InstanceType": "ecs.g7.large", "VSwitchId": "vsw-local", "SecurityGroupId": "sg-local",
		"SystemDisk.Category": "cloud_essd", "SystemDisk.Encrypted": "true"})
	switch {
	case err == nil:
		return "succeeds"
	case strings.Contains(err.Error(), "InvalidImageId.NotFound"):
		return "fails"
	}
	return "fails with " + err.Error()
}

// look has the operator deploy another policy, have the shares of a kind checked under it,
// and deploy the first policy again.
func (s *scene) look(ctx context.Context, kind, choices string) {
	s.reaction(ctx) // the share has come to its end
	message := filepath.Join(s.out, "message.json")
	must(os.WriteFile(message, fmt.Appendf(nil, `{"v": 1, "scope": {"account": %q}, "kind": %q, "ids": [""]}`, server.Sharer, kind), 0o600))
	defer os.Remove(message)
	s.under("shareRole: {mode: enforce, "+choices+"}", func(policy string) {
		s.fleetwarden(ctx, "check", "--policy", policy, "--apply", "--wait", "0s", "--event", message)
		s.reaction(ctx)
	})
}

// trust is a role's trust policy.
func (s *scene) trust(ctx context.Context, role string) string {
	return fmt.Sprint(got(s.Call(ctx, stage.Operator, "2015-05-01", "GetRole", map[string]string{"RoleName": role})))
}

// granted reports whether our policy for the keys of images names a key.
func (s *scene) granted(ctx context.Context, key string) bool {
	answer := got(s.Call(ctx, stage.Operator, "2015-05-01", "GetPolicy", map[string]string{"PolicyName": imageKeys, "PolicyType": "Custom"}))
	return strings.Contains(fmt.Sprint(answer), key)
}
