package scenario_test

import (
	"testing"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
)

// everydayShares is a story in which the functions of shares have to do all they are
// for: roles to be made, an account and a key that come later, a process that dies, a
// write that does not arrive, and what is not needed any more taken back.
func everydayShares(t *testing.T, o stage.Options) (*stage.Stage, []string) {
	t.Helper()
	o.Policy = "share_everyday.yaml"
	s := newSharer(t, o)
	s.KillAt("setup-share-role", "CreateRole", fc.Before)
	lost := []simcloud.Fault{{Role: "fleetwarden-setup-share-role", Product: "ram", Action: "AttachPolicyToRole", Kind: simcloud.TimeoutBefore, Count: 5}} // more often than the platform tries
	if err := s.Server.Faults.Set(1, lost, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	first, err := s.Server.ECS.SeedImages(ecs.ImageSpec{Key: "alias/shared", SharedWith: []string{server.Sharee}})
	if err != nil {
		t.Fatal(err)
	}
	s.operator("2020-01-10", "CreateResourceShare", map[string]string{"ResourceShareName": "production", "Targets.1": "fd-Prod000001",
		"Resources.1.ResourceType": "Snapshot", "Resources.1.ResourceId": s.snapshot()})
	s.pass(70 * time.Minute)

	// A member of the approved folder is shared with by itself, and another key comes.
	if _, err := s.Server.KMS.AddKey(server.Sharer, server.Home, "alias/later"); err != nil {
		t.Fatal(err)
	}
	second, err := s.Server.ECS.SeedImages(ecs.ImageSpec{Key: "alias/later", SharedWith: []string{server.Sharee, server.Member}})
	if err != nil {
		t.Fatal(err)
	}
	s.pass(140 * time.Minute)

	// Nothing is shared any more.
	for _, image := range []string{first[0].ID, second[0].ID} {
		s.operator("2014-05-26", "ModifyImageSharePermission", map[string]string{"ImageId": image, "RemoveAccount.1": server.Sharee, "RemoveAccount.2": server.Member})
	}
	s.pass(5 * time.Hour)
	return s.Stage, outcome(t, s.Stage)
}

// operator makes a call that may be refused, if a function lacks a right.
func (s *sharer) operator(version, action string, params map[string]string) {
	s.t.Helper()
	params["RegionId"] = server.Home
	if _, err := s.Call(s.t.Context(), stage.Operator, version, action, params); err != nil {
		s.t.Logf("the operator's %s: %v", action, err)
	}
}
