package server

import (
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/kms"
)

// ecsKeys is what ECS asks KMS.
type ecsKeys struct{ kms *kms.KMS }

// Enabled implements ecs.Keys.
func (k ecsKeys) Enabled(account, region string) bool {
	return k.kms.Status(account, region) == "Enabled"
}

// Key implements ecs.Keys.
func (k ecsKeys) Key(account, region, id string) (found, enabled bool) {
	key, ok := k.kms.Find(account, region, id)
	return ok, ok && key.State == "Enabled"
}

// fleet serves POST /_sim/fleet.
func (s *Server) fleet(f ecs.FleetSpec) (any, error) {
	fleet, err := s.ECS.SeedFleet(f)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"count": len(fleet.IDs), "drifted": fleet.Drifted}
	if len(fleet.IDs) <= 1000 {
		out["ids"] = fleet.IDs
	}
	return out, nil
}
