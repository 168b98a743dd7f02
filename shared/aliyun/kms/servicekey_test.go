package kms_test

import (
	"testing"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
	"fleetwarden/test/simcloud/ecs"
	"fleetwarden/test/simcloud/server"
)

func TestTheServiceKeyIsTheOneThatECSMade(t *testing.T) {
	srv, c := newBench(t, admin)
	if _, err := srv.ECS.SeedSnapshots(ecs.SnapshotSpec{Key: "service"}); err != nil {
		t.Fatal(err)
	}
	key, ok := srv.KMS.Find(server.Sharer, server.Home, "alias/acs/ecs")
	if got, err := c.ServiceKey(t.Context(), server.Home); !ok || err != nil || got != key.ID {
		t.Errorf("got %q, %v; want %q", got, err, key.ID)
	}
	_, weak := newBench(t, aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"})
	if got, err := weak.ServiceKey(t.Context(), server.Home); got != "" || fleet.ClassOf(err) != fleet.Denied {
		t.Errorf("without permission: got %q, %v", got, err)
	}
}
