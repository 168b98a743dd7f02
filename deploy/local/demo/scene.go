package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// scene is the stage, where the repository and the functions are, and where to write.
type scene struct {
	*stage.Stage
	root, bin, out string
	old            old
}

const (
	trustedType = "ecs.g7t.large"
	uefiImage   = "aliyun_3_x64_20G_uefi_alibase_20230727.vhd"
	systrust    = "AliyunECSInstanceForYundunSysTrustRole"
)

// good is a launch as the rules want it.
func good() stage.Launch {
	return stage.Launch{Region: server.Home, Type: trustedType, Image: uefiImage, Category: "cloud_essd", VSwitch: "vsw-local", Trusted: "vTPM"}
}

// launched runs a launch and lets the world come to rest.
func (s *scene) launched(ctx context.Context, l stage.Launch) ([]string, error) {
	ids, err := s.Run(ctx, l)
	if err != nil {
		return nil, err
	}
	return ids, s.Settle(ctx)
}

// roles says which roles instances have: the role's name if all have the same.
func (s *scene) roles(ctx context.Context, ids []string) (string, error) {
	count := map[string]int{}
	for _, id := range ids {
		role, err := s.RoleOf(ctx, server.Home, id)
		if err != nil {
			return "", err
		}
		if role == "" {
			role = "no role"
		}
		count[role]++
	}
	if len(count) == 1 {
		for role := range count {
			return role, nil
		}
	}
	return fmt.Sprint(count), nil
}

// first returns a member of the first record that has all these members.
func (s *scene) first(member string, want map[string]string) (string, error) {
	records, err := s.Records()
	if err != nil {
		return "", err
	}
	for _, r := range records {
		if r.Match(want) {
			return r[member], nil
		}
	}
	return "no such record", nil
}

// outcome returns what a rule said last about one thing.
func (s *scene) outcome(rule, id string) (string, error) {
	records, err := s.Records()
	if err != nil {
		return "", err
	}
	last := "nothing"
	for _, r := range records {
		if r.Match(map[string]string{"type": "finding", "rule": rule, "id": id}) {
			last = r["outcome"]
		}
	}
	return last, nil
}

// changes counts the changes that were done.
func (s *scene) changes() (int, error) {
	records, err := s.Records()
	n := 0
	for _, r := range records {
		if r.Match(map[string]string{"type": "change", "state": "done"}) {
			n++
		}
	}
	return n, err
}

// unchanged plays something and says whether the world is as it was.
func (s *scene) unchanged(ctx context.Context, play func() error) (string, error) {
	before, err := s.Digest()
	if err != nil {
		return "", err
	}
	if err := play(); err != nil {
		return "", err
	}
	if err := s.Settle(ctx); err != nil {
		return "", err
	}
	after, err := s.Digest()
	if err != nil {
		return "", err
	}
	if before != after {
		return "the world has changed", nil
	}
	return "nothing changed", nil
}

// terminal runs a function as the operator types it.
func (s *scene) terminal(ctx context.Context, function string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, function, "main"), args...)
	cmd.Env = append(os.Environ(), "ALIBABA_CLOUD_ENDPOINT_URL="+s.Server.URL(),
		"FLEETWARDEN_LEDGER=oss://"+stack.Bucket+"/ledger?region="+server.Home,
		"FLEETWARDEN_POLICY="+filepath.Join(s.root, "deploy", "local", "policy.yaml"),
		"ALIBABA_CLOUD_ACCESS_KEY_ID="+stage.Operator.ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+stage.Operator.Secret)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("running %s: %w: %s", function, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
