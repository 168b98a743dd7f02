package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// The steps on what a launch must get right, and what the policy may make of it.

func wrongImage(ctx context.Context, s *scene) string {
	l := good()
	l.Image = "centos_7_9_x64_20G_alibase_20230816.vhd"
	ids := s.launched(ctx, l)
	reason := s.first("reason", map[string]string{"rule": "image", "id": ids[0]})
	return "image: " + s.outcome("image", ids[0]) + ", " + short(reason, "needs UEFI", "it needs UEFI")
}

// withoutKMS switches KMS off after a launch: without it there would be none.
func withoutKMS(ctx context.Context, s *scene) string {
	got(s.Run(ctx, good()))
	s.Server.KMS.SetStatus(server.Sharer, server.Home, "NotEnabled")
	defer s.Server.KMS.SetStatus(server.Sharer, server.Home, "Enabled")
	must(s.Settle(ctx))
	outcome := s.first("outcome", map[string]string{"rule": "kms-enabled", "outcome": "violation"})
	return "kms-enabled: " + outcome
}

func tagged(ctx context.Context, s *scene) string {
	i := s.sanctioned(ctx, "tag")
	return "tag fleetwarden:violation=" + i.Tags["fleetwarden:violation"]
}

func stopped(ctx context.Context, s *scene) string {
	i := s.sanctioned(ctx, "stop")
	return fmt.Sprintf("%s, tag fleetwarden:stopped=%s", i.Status, i.Tags["fleetwarden:stopped"])
}

// sanctioned lets the operator apply a policy with a consequence to an instance with a
// wrong disk, by hand: the functions' own policy has none.
func (s *scene) sanctioned(ctx context.Context, consequence string) ecs.InstanceState {
	fleet := got(s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 1, InstanceType: trustedType, SystemDisk: "cloud_efficiency"}))
	dir := got(os.MkdirTemp("", "fleetwarden-demo-"))
	defer os.RemoveAll(dir)
	policy := filepath.Join(dir, "policy.yaml")
	text := fmt.Sprintf("version: 1\ncontrols: {trustedInstance: {mode: enforce, consequence: %s, grace: 0s}}\n", consequence)
	must(os.WriteFile(policy, []byte(text), 0o600))
	s.terminal(ctx, "validate-instance", "--policy", policy, "--apply", fleet.IDs[0])
	must(s.Settle(ctx))
	i, ok := s.Server.ECS.Instance(server.Sharer, server.Home, fleet.IDs[0])
	if !ok {
		must(fmt.Errorf("the instance %s is gone", fleet.IDs[0]))
	}
	return i
}
