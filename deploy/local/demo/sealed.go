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
func (s *scene) sealedImage(alias string) (key, image string, err error) {
	k, err := s.Server.KMS.AddKey(server.Sharer, server.Home, alias)
	if err != nil {
		return "", "", err
	}
	made, err := s.Server.ECS.SeedImages(ecs.ImageSpec{Key: alias})
	if err != nil {
		return "", "", err
	}
	return k.ID, made[0].ID, nil
}

func (s *scene) sealedSnapshot(alias string) (string, error) {
	if _, err := s.Server.KMS.AddKey(server.Sharer, server.Home, alias); err != nil {
		return "", err
	}
	ids, err := s.Server.ECS.SeedSnapshots(ecs.SnapshotSpec{Key: alias})
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

func (s *scene) shareImage(ctx context.Context, image, account string) error {
	_, err := s.Call(ctx, stage.Operator, "2014-05-26", "ModifyImageSharePermission",
		map[string]string{"RegionId": server.Home, "ImageId": image, "AddAccount.1": account})
	return err
}

// shareTwice shares an image with the sharee: the first time must fail, since nothing
// grants the image's key, and wakes the functions.
func (s *scene) shareTwice(ctx context.Context, image string) error {
	if s.shareImage(ctx, image, server.Sharee) == nil {
		return fmt.Errorf("%s was shared though no role grants its key", image)
	}
	if err := s.reaction(ctx); err != nil {
		return err
	}
	if err := s.shareImage(ctx, image, server.Sharee); err != nil {
		return err
	}
	return s.reaction(ctx)
}

// reaction lets the functions do what there is to do, and RAM show it to ECS.
func (s *scene) reaction(ctx context.Context) error {
	if err := s.Settle(ctx); err != nil {
		return err
	}
	return s.Advance(ctx, time.Minute)
}

// share makes a resource share.
func (s *scene) share(ctx context.Context, name, kind, id, target string) error {
	_, err := s.Call(ctx, stage.Operator, "2020-01-10", "CreateResourceShare", map[string]string{
		"RegionId": server.Home, "ResourceShareName": name, "Targets.1": target,
		"Resources.1.ResourceType": kind, "Resources.1.ResourceId": id})
	return err
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
func (s *scene) look(ctx context.Context, kind, choices string) error {
	dir, err := os.MkdirTemp("", "fleetwarden-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	policy, message := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "message.json")
	if err := s.reaction(ctx); err != nil { // the share has come to its end
		return err
	}
	text := "version: 1\ncontrols: {shareRole: {mode: enforce, " + choices + "}}\n"
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		return err
	}
	text = fmt.Sprintf(`{"v": 1, "scope": {"account": %q}, "kind": %q, "ids": [""], "try": 0}`, server.Sharer, kind)
	if err := os.WriteFile(message, []byte(text), 0o600); err != nil {
		return err
	}
	if err := s.Stack.UsePolicy(policy); err != nil {
		return err
	}
	if _, err := s.terminal(ctx, "setup-share-role", "--policy", policy, "--apply", "--event", message); err != nil {
		return err
	}
	if err := s.reaction(ctx); err != nil {
		return err
	}
	return s.Stack.UsePolicy("")
}

// trust is a role's trust policy.
func (s *scene) trust(ctx context.Context, role string) (string, error) {
	answer, err := s.Call(ctx, stage.Operator, "2015-05-01", "GetRole", map[string]string{"RoleName": role})
	return fmt.Sprint(answer), err
}

// granted reports whether our policy for the keys of images names a key.
func (s *scene) granted(ctx context.Context, key string) (bool, error) {
	answer, err := s.Call(ctx, stage.Operator, "2015-05-01", "GetPolicy", map[string]string{"PolicyName": imageKeys, "PolicyType": "Custom"})
	return strings.Contains(fmt.Sprint(answer), key), err
}
