package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// acts are the steps, in their order.
var acts = []act{
	{"a trusted instance (g7t, vTPM) is launched without a role", "it has " + systrust, trustedLaunch},
	{"a trusted instance is launched with a cloud_efficiency system disk", "system-disk: violation", wrongDisk},
	{"a trusted instance is launched from an image that boots by BIOS", "image: violation, it needs UEFI", wrongImage},
	{"KMS is switched off after a launch", "kms-enabled: violation", withoutKMS},
	{"the operator applies a policy that tags violations", "tag fleetwarden:violation=trusted-instance", tagged},
	{"the operator applies a policy that stops violations", "Stopped, tag fleetwarden:stopped=trusted-instance", stopped},
	{"CreateInstance launches a g7t, and cannot ask for vTPM", "trusted-mode: violation, CreateInstance cannot set it", createInstance},
	{"an ordinary g7 is launched", "no role, 0 changes", ordinary},
	{"a trusted instance in a self-managed scope is launched", "no role, systrust-role: not-applicable", selfManaged},
	{"a trusted instance has another owner's role", "role AppRole, systrust-role: conflict", conflict},
	{"100 trusted instances are launched at once", "all have " + systrust + ", by 1 AttachInstanceRamRole", hundred},
	{"a trusted instance is bought in the console", "it has " + systrust, console},
	{"a launch is denied for want of a vSwitch", "denied-launch: violation, with the parameter to change", denied},
	{"a Linux and a Windows instance are launched without Security Center's agent", "Linux online after 1 command, Windows online after 1 command", linuxAndWindows},
	{"an instance has neither the agent nor Cloud Assistant", "agent-online: violation, with the command to type; 0 commands ran", noAssistant},
	{"an operator asks why an instance has no agent", "the push failed: no site of the installer answered", whyNoAgent},
	{"the first heartbeat of a new instance comes twice", "online after 1 command", heartbeatTwice},
	{"a g6t is launched without the trust client's script", "trust client installed: true, after 1 command, tag fleetwarden:trust-client=2", trustClient},
	{"an operator looks at a drifted instance by hand, as a dry run", "planned attach-role; nothing changed", dryRun},
	{"the event of a launch comes a second time", "nothing changed, 0 changes", twice},
	{"a forged event names instances and accounts of others", "nothing changed, 0 changes", forged},
	{"attach-role tries what its RAM policy does not allow", "AdministratorAccess denied, another role denied", denial},
	{"push-agent tries to run a script of its own on an instance", "RunCommand denied", ownScript},
	{"an encrypted image is shared for the first time", "AssumeRoleError; ensure-share-role: done; the same call again succeeds", firstShare},
	{"another one, with another key, is shared with an approved account", "the sharee's launch fails before, succeeds after", launchShared},
	{"the operator approves an account ahead of the first share", "the role was there: false; now it trusts the account: true", ahead},
	{"an encrypted snapshot is shared with an unapproved account", "sharee-approved: violation; trusted: false; usable: false", unapproved},
	{"a snapshot is shared with a folder, which the operator's policy approves", "usable by a member: false at first, true when shared again; by an account outside: false", folderShare},
	{"an image is shared with the directory, which the operator's policy approves", "usable by a member: false at first, true when shared again; by an account outside: false", directoryShare},
	{"a share ends, and the operator's policy takes back after an hour", "take-back: violation; key granted: true, an hour later: false", endedShare},
	{"setup-share-role tries what its RAM policy does not allow", "DeleteRole denied, AttachPolicyToRole denied, DetachPolicyFromRole denied", otherRoles},
	{"an event rule is disabled, and an operator asks the doctor", "well: true; event-rules: fail, aliyun eventbridge EnableRule; well again: true", examined},
	{"an operator pauses all changes for an hour, and an instance is launched", "paused: systrust-role: violation, no role; after its end: " + systrust, paused},
	{"a fleet of 2,000, whose launch no function saw, is swept at night", "20 without a role now have " + systrust + "; system-disk: 10 violations", swept},
	{"a day passes, and the next sweep with it", "2 reports; 0 roles attached", sweptAgain},
	{"the report of the last sweep", "findings-001.csv, findings-001.jsonl, report.html, summary.json", reported},
	{"the role is detached from 25 instances by hand, and the operator plans", "planned: 25 attach-role", planned},
	{"the operator applies the plan, and undoes it", "after the apply: " + systrust + "; after the undo: no role; the world is as before: true", applied},
	{"the operator names a DingTalk robot in the policy, tries it, and a night passes", "channel ops took the sample card: {\"errcode\":0,\"errmsg\":\"ok\"}; 1 digest", notified},
}

func trustedLaunch(ctx context.Context, s *scene) string {
	ids := s.launched(ctx, good())
	return "it has " + s.roles(ctx, ids)
}

func wrongDisk(ctx context.Context, s *scene) string {
	l := good()
	l.Category = "cloud_efficiency"
	ids := s.launched(ctx, l)
	return "system-disk: " + s.outcome("system-disk", ids[0])
}

func createInstance(ctx context.Context, s *scene) string {
	l := good()
	ids := got(s.Create(ctx, l))
	must(s.Settle(ctx))
	remedy := s.first("remedy", map[string]string{"rule": "trusted-mode", "id": ids[0]})
	return "trusted-mode: " + s.outcome("trusted-mode", ids[0]) + ", " + short(remedy, "CreateInstance cannot set it", "CreateInstance cannot set it")
}

func ordinary(ctx context.Context, s *scene) string {
	before := s.changes()
	l := good()
	l.Type, l.Trusted = "ecs.g7.large", ""
	ids := s.launched(ctx, l)
	role := s.roles(ctx, ids)
	return fmt.Sprintf("%s, %d changes", role, s.changes()-before)
}

func selfManaged(ctx context.Context, s *scene) string {
	l := good()
	l.Tags = map[string]string{"trust-service": "self"}
	ids := s.launched(ctx, l)
	return s.roles(ctx, ids) + ", systrust-role: " + s.outcome("systrust-role", ids[0])
}

func conflict(ctx context.Context, s *scene) string {
	const trustsECS = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["ecs.aliyuncs.com"]}}]}`
	must(s.Server.RAM.AddRole(server.Sharer, "AppRole", trustsECS, nil))
	l := good()
	l.Role = "AppRole"
	ids := s.launched(ctx, l)
	return "role " + s.roles(ctx, ids) + ", systrust-role: " + s.outcome("systrust-role", ids[0])
}

func hundred(ctx context.Context, s *scene) string {
	before := s.Calls("fleetwarden-attach-role")["ecs:AttachInstanceRamRole"]
	l := good()
	l.Amount = 100
	ids := s.launched(ctx, l)
	role := s.roles(ctx, ids)
	calls := s.Calls("fleetwarden-attach-role")["ecs:AttachInstanceRamRole"] - before
	return fmt.Sprintf("all have %s, by %d AttachInstanceRamRole", role, calls)
}

func console(ctx context.Context, s *scene) string {
	l := good()
	l.Console = true
	ids := s.launched(ctx, l)
	return "it has " + s.roles(ctx, ids)
}

func denied(ctx context.Context, s *scene) string {
	l := good()
	l.VSwitch = ""
	if _, err := s.Run(ctx, l); err == nil {
		return "the launch was not denied"
	}
	must(s.Settle(ctx))
	want := map[string]string{"type": "finding", "rule": "denied-launch"}
	return "denied-launch: " + s.first("outcome", want) + ", " + short(s.first("remedy", want), "VSwitchId", "with the parameter to change")
}

func dryRun(ctx context.Context, s *scene) string {
	fleet := got(s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 1, InstanceType: trustedType, Role: "-"}))
	planned := "nothing planned"
	same := s.unchanged(ctx, func() {
		out := s.fleetwarden(ctx, "check", "--json", "--control", "instance-role", fleet.IDs[0])
		if strings.Contains(out, `"kind":"attach-role"`) && strings.Contains(out, `"state":"planned"`) {
			planned = "planned attach-role"
		}
	})
	return planned + "; " + same
}

// quietly plays something that must neither change the world nor make a change
// record.
func quietly(ctx context.Context, s *scene, play func()) string {
	before := s.changes()
	same := s.unchanged(ctx, play)
	return fmt.Sprintf("%s, %d changes", same, s.changes()-before)
}

func twice(ctx context.Context, s *scene) string {
	launches := s.Published("ecs:ActionTrail:ApiCall")
	if len(launches) == 0 {
		return "no launch was published"
	}
	return quietly(ctx, s, func() { s.Publish(launches[0]) })
}

// forged publishes a launch of an instance that is not there, with a role that the
// sender would like to see attached, and one of an account that the policy does not
// know.
func forged(ctx context.Context, s *scene) string {
	return quietly(ctx, s, func() {
		for _, account := range []string{server.Sharer, "9999999999999999"} {
			record := map[string]any{
				"eventId": "forged-" + account, "eventVersion": 1, "eventName": "RunInstances", "eventType": "ApiCall", "serviceName": "Ecs",
				"eventTime": "2026-01-05T00:00:00Z", "acsRegion": server.Home, "recipientAccountId": account,
				"requestParameters": map[string]any{"InstanceType": trustedType, "RamRoleName": "AdministratorRole", "SecurityOptions.TrustedSystemMode": "vTPM"},
				"responseElements":  map[string]any{"InstanceIdSets": map[string]any{"InstanceIdSet": []string{"i-forged0000000000001"}}},
				"userIdentity":      map[string]any{"type": "root-account", "accountId": account, "userName": "root"},
			}
			s.Publish(simcloud.Event{
				Account: server.Sharer, Region: server.Home, Source: "acs.ecs", Type: "ecs:ActionTrail:ApiCall", Data: got(json.Marshal(record)),
			})
		}
	})
}

func denial(ctx context.Context, s *scene) string {
	keys := got(s.KeysOf("attach-role"))
	var seen []string
	for _, try := range []struct{ what, role, policy string }{
		{"AdministratorAccess", systrust, "AdministratorAccess"},
		{"another role", "AppRole", "AliyunSysTrustFullAccess"},
	} {
		_, err := s.Call(ctx, keys, "2015-05-01", "AttachPolicyToRole", map[string]string{
			"RoleName": try.role, "PolicyName": try.policy, "PolicyType": "System",
		})
		seen = append(seen, verdict(try.what, err))
	}
	return strings.Join(seen, ", ")
}
