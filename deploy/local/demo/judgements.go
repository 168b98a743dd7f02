package main

import (
	"context"
	"fmt"

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

// sanctioned has the operator deploy a policy with a consequence, have an instance with a wrong
// disk checked under it, and deploy the first policy again, which has none.
func (s *scene) sanctioned(ctx context.Context, consequence string) ecs.InstanceState {
	fleet := got(s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 1, InstanceType: trustedType, SystemDisk: "cloud_efficiency"}))
	s.under("trustedInstance: {mode: enforce, consequence: "+consequence+", grace: 0s}", func(policy string) {
		s.fleetwarden(ctx, "check", "--policy", policy, "--control", "trusted-instance", "--apply", "--wait", "0s", fleet.IDs[0])
		must(s.Settle(ctx))
	})
	i, ok := s.Server.ECS.Instance(server.Sharer, server.Home, fleet.IDs[0])
	if !ok {
		must(fmt.Errorf("the instance %s is gone", fleet.IDs[0]))
	}
	return i
}
