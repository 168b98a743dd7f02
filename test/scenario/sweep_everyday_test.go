package scenario_test

import (
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// everydaySweep is a story in which a sweep has to do all that it is for.
func everydaySweep(t *testing.T, o stage.Options) (*stage.Stage, []string) {
	t.Helper()
	s := everydayFleet(t, o)
	// A message of a newer version that was put back as often as it may be.
	inbox := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-sweep"}
	if _, err := s.Server.MNS.Send(inbox, mns.Outgoing{Body: `{"v": 2, "putBack": 10}`}); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		s.pass(time.Minute) // watch-shares has not looked for itself yet
		starts := kept(s.Stage, "starts/")
		if n > 0 && len(starts) > 0 { // the sweep before cannot be read, which this one notifies a channel of
			if err := s.Server.OSS.Replace(stack.Bucket, starts[0], []byte(`{"v":9}`)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := night(s.Stage); err != nil {
			t.Log(err) // for want of a right
		}
		s.pass(20 * time.Minute) // until ActionTrail shows who made the roles
		s.operator("2014-05-26", "ModifyImageSharePermission", map[string]string{"ImageId": s.shared, "RemoveAccount.1": server.Sharee, "RemoveAccount.2": server.Member})
	}
	return s.Stage, outcome(t, s.Stage)
}

// everydayAccount is one that no function has checked yet.
type everydayAccount struct {
	*sharer
	shared string // an image
}

// everydayFleet has instances of all kinds, one without an agent and one of the sixth
// generation, drift of each control, and shares of images and snapshots, with accounts
// and with a folder.
func everydayFleet(t *testing.T, o stage.Options) everydayAccount {
	t.Helper()
	o.Policy, o.Optional = "sweep_everyday.yaml", []string{"validate-instance-tag"}
	s := newSharer(t, o)
	standing(t, s.Stage, "app-role", "oss-read.json")
	s.operator("2015-05-01", "AttachPolicyToRole", map[string]string{"RoleName": "app-role", "PolicyType": "System", "PolicyName": "AliyunECSReadOnlyAccess"})
	if _, err := s.Server.ECS.SeedImages(ecs.ImageSpec{Key: "service", SharedWith: []string{server.Sharee}}); err != nil {
		t.Fatal(err)
	}
	for _, f := range []ecs.FleetSpec{
		{Role: "-", Agent: "uninstalled"}, {Role: "app-role", SystemDisk: "cloud_efficiency"}, {InstanceType: "ecs.g6t.large"},
	} {
		f.Count = 1
		if _, err := s.Server.ECS.SeedFleet(f); err != nil {
			t.Fatal(err)
		}
	}
	shared, err := s.Server.ECS.SeedImages(ecs.ImageSpec{Key: "alias/shared", SharedWith: []string{server.Sharee, server.Member}})
	if err != nil {
		t.Fatal(err)
	}
	s.operator("2020-01-10", "CreateResourceShare", map[string]string{"ResourceShareName": "production", "Targets.1": "fd-Prod000001",
		"Resources.1.ResourceType": "Snapshot", "Resources.1.ResourceId": s.snapshot()})
	return everydayAccount{s, shared[0].ID}
}
