package kms_test

import (
	"testing"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
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

func TestWhereKMSIsNotServedItIsNotAsked(t *testing.T) {
	srv, c := newBench(t, admin)
	for _, region := range []fleet.Region{"cn-nanjing", "us-southeast-1"} {
		if key, err := c.ServiceKey(t.Context(), region); key != "" || err != nil {
			t.Errorf("%s: got %q, %v", region, key, err)
		}
		if status, err := c.AccountStatus(t.Context(), region); status != fleet.NoKMS || err != nil {
			t.Errorf("%s: got %q, %v", region, status, err)
		}
	}
	if n := len(srv.Log.Since(0)); n > 0 {
		t.Errorf("%d calls were sent", n)
	}
}
