package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// The steps on what a launch must get right, and what the policy may make of it.

func wrongImage(ctx context.Context, s *scene) (string, error) {
	l := good()
	l.Image = "centos_7_9_x64_20G_alibase_20230816.vhd"
	ids, err := s.launched(ctx, l)
	if err != nil {
		return "", err
	}
	outcome, err := s.outcome("image", ids[0])
	if err != nil {
		return "", err
	}
	reason, err := s.first("reason", map[string]string{"rule": "image", "id": ids[0]})
	if !strings.Contains(reason, "needs UEFI") {
		return "image: " + outcome + ", " + reason, err
	}
	return "image: " + outcome + ", it needs UEFI", err
}

// withoutKMS switches KMS off after a launch: without it there would be none.
func withoutKMS(ctx context.Context, s *scene) (string, error) {
	if _, err := s.Run(ctx, good()); err != nil {
		return "", err
	}
	s.Server.KMS.SetStatus(server.Sharer, server.Home, "NotEnabled")
	defer s.Server.KMS.SetStatus(server.Sharer, server.Home, "Enabled")
	if err := s.Settle(ctx); err != nil {
		return "", err
	}
	outcome, err := s.first("outcome", map[string]string{"rule": "kms-enabled", "outcome": "violation"})
	return "kms-enabled: " + outcome, err
}

func tagged(ctx context.Context, s *scene) (string, error) {
	i, err := s.sanctioned(ctx, "tag")
	return "tag fleetwarden:violation=" + i.Tags["fleetwarden:violation"], err
}

func stopped(ctx context.Context, s *scene) (string, error) {
	i, err := s.sanctioned(ctx, "stop")
	return fmt.Sprintf("%s, tag fleetwarden:stopped=%s", i.Status, i.Tags["fleetwarden:stopped"]), err
}

// sanctioned lets the operator apply a policy with a consequence to an instance with a
// wrong disk, by hand: the functions' own policy has none.
func (s *scene) sanctioned(ctx context.Context, consequence string) (ecs.InstanceState, error) {
	fleet, err := s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 1, InstanceType: trustedType, SystemDisk: "cloud_efficiency"})
	if err != nil {
		return ecs.InstanceState{}, err
	}
	dir, err := os.MkdirTemp("", "fleetwarden-demo-")
	if err != nil {
		return ecs.InstanceState{}, err
	}
	defer os.RemoveAll(dir)
	policy := filepath.Join(dir, "policy.yaml")
	text := fmt.Sprintf("version: 1\ncontrols: {trustedInstance: {mode: enforce, consequence: %s, grace: 0s}}\n", consequence)
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		return ecs.InstanceState{}, err
	}
	if _, err := s.terminal(ctx, "validate-instance", "--policy", policy, "--apply", fleet.IDs[0]); err != nil {
		return ecs.InstanceState{}, err
	}
	if err := s.Settle(ctx); err != nil {
		return ecs.InstanceState{}, err
	}
	i, ok := s.Server.ECS.Instance(server.Sharer, server.Home, fleet.IDs[0])
	if !ok {
		return i, fmt.Errorf("the instance %s is gone", fleet.IDs[0])
	}
	return i, nil
}
