package scenario_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// The role of member accounts is right in the same sense as a function's own.

func TestTheMembersRoleLacksNoAction(t *testing.T) {
	t.Parallel()
	s, _ := everydayMember(t, stage.Options{})
	for _, p := range s.Server.RAM.Permissions() {
		if (p.Caller == stack.Member || strings.HasPrefix(p.Caller, "fleetwarden-")) && !p.Allowed {
			t.Errorf("%s was denied %s on %s", p.Caller, p.Action, p.Resource)
		}
	}
}

// Each action of the role is asked for. The home stories show that each matters, where the
// functions have the same ones.
func TestTheMembersRoleHasNoUnusedAction(t *testing.T) {
	t.Parallel()
	s, _ := everydayMember(t, stage.Options{})
	asked := map[string]bool{}
	for _, p := range s.Server.RAM.Permissions() {
		if p.Caller == stack.Member && p.Allowed {
			asked[p.Action] = true
		}
	}
	for _, action := range actions(t, filepath.Join("member", "policy")) {
		if !asked[action] {
			t.Errorf("no call needed %s", action)
		}
	}
}

// everydayMember is a story in which the functions have to do in a member account all
// that they do there: a launch and the role for it, an agent to be pushed and one that is
// not known yet, and shares that come, change and end.
func everydayMember(t *testing.T, o stage.Options) (*stage.Stage, []string) {
	t.Helper()
	o.Policy, o.Optional = "member_everyday.yaml", []string{"push-agent-run-command"}
	m := &member{t, play(t, o)}
	launched := m.launch()
	m.tell("attach-role", "instance", launched)
	m.tell("validate-instance", "instance", launched)
	m.tell("push-agent", "instance", launched) // Security Center does not know it yet
	m.pass(5 * time.Minute)
	old, err := m.Server.ECS.SeedFleet(ecs.FleetSpec{Account: server.Member, Count: 1, InstanceType: "ecs.g6t.large", Agent: "uninstalled"})
	if err != nil {
		t.Fatal(err)
	}
	m.pass(5 * time.Minute)
	m.tell("push-agent", "instance", old.IDs[0])
	m.tell("attach-role", "instance", old.IDs[0])

	first := m.share("alias/first", server.Sharee)
	m.call("2020-01-10", "CreateResourceShare", map[string]string{"ResourceShareName": "backups", "AllowExternalTargets": "true", "Targets.1": server.Sharee,
		"Resources.1.ResourceType": "Snapshot", "Resources.1.ResourceId": m.snapshot("alias/first")})
	m.pass(70 * time.Minute)
	second := m.share("alias/second", server.Sharer)
	m.pass(140 * time.Minute)
	m.call("2014-05-26", "ModifyImageSharePermission", map[string]string{"ImageId": first, "RemoveAccount.1": server.Sharee})
	m.call("2014-05-26", "ModifyImageSharePermission", map[string]string{"ImageId": second, "RemoveAccount.1": server.Sharer})
	m.pass(5 * time.Hour)
	return m.Stage, outcome(t, m.Stage)
}

// member is a stage seen by the administrator of the member account.
type member struct {
	t *testing.T
	*stage.Stage
}

// call is one that may be refused, if a function lacks a right.
func (m *member) call(version, action string, params map[string]string) map[string]any {
	m.t.Helper()
	params["RegionId"] = server.Home
	answer, err := m.Call(m.t.Context(), stage.Member, version, action, params)
	if err != nil {
		m.t.Logf("the member's %s: %v", action, err)
	}
	return answer
}

func (m *member) launch() string {
	m.t.Helper()
	answer := m.call("2014-05-26", "RunInstances", map[string]string{
		"InstanceType": goodType, "ImageId": goodImage, "SystemDisk.Category": "cloud_essd", "VSwitchId": "vsw-local",
		"SecurityGroupId": "sg-local", "SecurityOptions.TrustedSystemMode": "vTPM",
	})
	sets, _ := answer["InstanceIdSets"].(map[string]any)
	ids, _ := sets["InstanceIdSet"].([]any)
	if len(ids) != 1 {
		m.t.Fatalf("launching gave %v", answer)
	}
	return ids[0].(string)
}

// A process of ours can be killed at a call that it makes with the keys of a member's role.
func TestAMembersLaunchComesByTheMembersBus(t *testing.T) {
	s := play(t, stage.Options{Members: []string{server.Member}})
	s.KillAt("attach-role", "AttachInstanceRamRole", fc.Before)
	m := &member{t, s}
	id := m.launch()
	m.pass(20 * time.Minute)
	if got, _ := s.Server.ECS.Instance(server.Member, server.Home, id); got.Role != systrust {
		t.Errorf("the member's instance has the role %q", got.Role)
	}
	killed := 0
	for _, x := range s.Stack.Invocations() {
		if x.Function == "attach-role" && x.ErrorType == fc.Unhandled {
			killed++
		}
	}
	if killed != 1 {
		t.Errorf("%d invocations of attach-role ended with their process, want 1", killed)
	}
}

// share puts an image into the member's world that is shared from the start.
func (m *member) share(key, with string) string {
	m.t.Helper()
	if _, err := m.Server.KMS.AddKey(server.Member, server.Home, key); err != nil {
		m.t.Fatal(err)
	}
	made, err := m.Server.ECS.SeedImages(ecs.ImageSpec{Account: server.Member, Key: key, SharedWith: []string{with}})
	if err != nil {
		m.t.Fatal(err)
	}
	return made[0].ID
}

func (m *member) snapshot(key string) string {
	m.t.Helper()
	ids, err := m.Server.ECS.SeedSnapshots(ecs.SnapshotSpec{Account: server.Member, Key: key})
	if err != nil {
		m.t.Fatal(err)
	}
	return ids[0]
}

// tell puts a ref of the member's into a function's inbox.
func (m *member) tell(function, kind, id string) {
	m.t.Helper()
	inbox := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-" + function}
	body := fmt.Sprintf(`{"v": 1, "scope": {"account": %q, "region": %q}, "kind": %q, "ids": [%q]}`, server.Member, server.Home, kind, id)
	if _, err := m.Server.MNS.Send(inbox, mns.Outgoing{Body: body}); err != nil {
		m.t.Fatal(err)
	}
}

// pass lets the functions do what there is to do.
func (m *member) pass(d time.Duration) {
	m.t.Helper()
	ctx, stop := soon()
	defer stop()
	if err := m.Advance(ctx, d); err != nil {
		m.t.Fatal(err)
	}
}
