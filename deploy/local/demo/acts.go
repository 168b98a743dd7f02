package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
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
	{"a fleet of 2,000, whose launch no function saw, is swept at night", "20 without a role now have " + systrust + "; system-disk: 10 violations", swept},
	{"a day passes, and the next sweep with it", "2 reports; 0 roles attached", sweptAgain},
	{"the report of the last sweep", "findings-001.csv, findings-001.jsonl, report.html, summary.json", reported},
	{"the role is detached from 25 instances by hand, and the operator plans", "planned: map[attach-role:25]", planned},
	{"the operator applies the plan, and undoes it", "after the apply: " + systrust + "; after the undo: no role; the world is as before: true", applied},
}

func trustedLaunch(ctx context.Context, s *scene) (string, error) {
	ids, err := s.launched(ctx, good())
	if err != nil {
		return "", err
	}
	role, err := s.roles(ctx, ids)
	return "it has " + role, err
}

func wrongDisk(ctx context.Context, s *scene) (string, error) {
	l := good()
	l.Category = "cloud_efficiency"
	ids, err := s.launched(ctx, l)
	if err != nil {
		return "", err
	}
	outcome, err := s.outcome("system-disk", ids[0])
	return "system-disk: " + outcome, err
}

func createInstance(ctx context.Context, s *scene) (string, error) {
	l := good()
	ids, err := s.Create(ctx, l)
	if err != nil {
		return "", err
	}
	if err := s.Settle(ctx); err != nil {
		return "", err
	}
	outcome, err := s.outcome("trusted-mode", ids[0])
	if err != nil {
		return "", err
	}
	remedy, err := s.first("remedy", map[string]string{"rule": "trusted-mode", "id": ids[0]})
	if !strings.Contains(remedy, "CreateInstance cannot set it") {
		return "trusted-mode: " + outcome + ", " + remedy, err
	}
	return "trusted-mode: " + outcome + ", CreateInstance cannot set it", err
}

func ordinary(ctx context.Context, s *scene) (string, error) {
	before, err := s.changes()
	if err != nil {
		return "", err
	}
	l := good()
	l.Type, l.Trusted = "ecs.g7.large", ""
	ids, err := s.launched(ctx, l)
	if err != nil {
		return "", err
	}
	role, err := s.roles(ctx, ids)
	if err != nil {
		return "", err
	}
	after, err := s.changes()
	return fmt.Sprintf("%s, %d changes", role, after-before), err
}

func selfManaged(ctx context.Context, s *scene) (string, error) {
	l := good()
	l.Tags = map[string]string{"trust-service": "self"}
	ids, err := s.launched(ctx, l)
	if err != nil {
		return "", err
	}
	role, err := s.roles(ctx, ids)
	if err != nil {
		return "", err
	}
	outcome, err := s.outcome("systrust-role", ids[0])
	return role + ", systrust-role: " + outcome, err
}

func conflict(ctx context.Context, s *scene) (string, error) {
	const trustsECS = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["ecs.aliyuncs.com"]}}]}`
	if err := s.Server.RAM.AddRole(server.Sharer, "AppRole", trustsECS, nil); err != nil {
		return "", err
	}
	l := good()
	l.Role = "AppRole"
	ids, err := s.launched(ctx, l)
	if err != nil {
		return "", err
	}
	role, err := s.roles(ctx, ids)
	if err != nil {
		return "", err
	}
	outcome, err := s.outcome("systrust-role", ids[0])
	return "role " + role + ", systrust-role: " + outcome, err
}

func hundred(ctx context.Context, s *scene) (string, error) {
	before := s.Calls("fleetwarden-attach-role")["ecs:AttachInstanceRamRole"]
	l := good()
	l.Amount = 100
	ids, err := s.launched(ctx, l)
	if err != nil {
		return "", err
	}
	role, err := s.roles(ctx, ids)
	calls := s.Calls("fleetwarden-attach-role")["ecs:AttachInstanceRamRole"] - before
	return fmt.Sprintf("all have %s, by %d AttachInstanceRamRole", role, calls), err
}

func console(ctx context.Context, s *scene) (string, error) {
	l := good()
	l.Console = true
	ids, err := s.launched(ctx, l)
	if err != nil {
		return "", err
	}
	role, err := s.roles(ctx, ids)
	return "it has " + role, err
}

func denied(ctx context.Context, s *scene) (string, error) {
	l := good()
	l.VSwitch = ""
	if _, err := s.Run(ctx, l); err == nil {
		return "the launch was not denied", nil
	}
	if err := s.Settle(ctx); err != nil {
		return "", err
	}
	want := map[string]string{"type": "finding", "rule": "denied-launch"}
	outcome, err := s.first("outcome", want)
	if err != nil {
		return "", err
	}
	remedy, err := s.first("remedy", want)
	if !strings.Contains(remedy, "VSwitchId") {
		return "denied-launch: " + outcome + ", " + remedy, err
	}
	return "denied-launch: " + outcome + ", with the parameter to change", err
}

func dryRun(ctx context.Context, s *scene) (string, error) {
	fleet, err := s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 1, InstanceType: trustedType, Role: "-"})
	if err != nil {
		return "", err
	}
	planned := "nothing planned"
	same, err := s.unchanged(ctx, func() error {
		out, err := s.terminal(ctx, "attach-role", "--policy", filepath.Join(s.root, "deploy", "local", "policy.yaml"), "--json", fleet.IDs[0])
		if strings.Contains(out, `"kind":"attach-role"`) && strings.Contains(out, `"state":"planned"`) {
			planned = "planned attach-role"
		}
		return err
	})
	return planned + "; " + same, err
}

// quietly plays something that must neither change the world nor make a change
// record.
func quietly(ctx context.Context, s *scene, play func() error) (string, error) {
	before, err := s.changes()
	if err != nil {
		return "", err
	}
	same, err := s.unchanged(ctx, play)
	if err != nil {
		return "", err
	}
	after, err := s.changes()
	return fmt.Sprintf("%s, %d changes", same, after-before), err
}

func twice(ctx context.Context, s *scene) (string, error) {
	launches := s.Published("ecs:ActionTrail:ApiCall")
	if len(launches) == 0 {
		return "no launch was published", nil
	}
	return quietly(ctx, s, func() error {
		s.Publish(launches[0])
		return nil
	})
}

// forged publishes a launch of an instance that is not there, with a role that the
// sender would like to see attached, and one of an account that the policy does not
// know.
func forged(ctx context.Context, s *scene) (string, error) {
	return quietly(ctx, s, func() error {
		for _, account := range []string{server.Sharer, "9999999999999999"} {
			record := map[string]any{
				"eventId": "forged-" + account, "eventVersion": 1, "eventName": "RunInstances", "eventType": "ApiCall", "serviceName": "Ecs",
				"eventTime": "2026-01-05T00:00:00Z", "acsRegion": server.Home, "recipientAccountId": account,
				"requestParameters": map[string]any{"InstanceType": trustedType, "RamRoleName": "AdministratorRole", "SecurityOptions.TrustedSystemMode": "vTPM"},
				"responseElements":  map[string]any{"InstanceIdSets": map[string]any{"InstanceIdSet": []string{"i-forged0000000000001"}}},
				"userIdentity":      map[string]any{"type": "root-account", "accountId": account, "userName": "root"},
			}
			data, err := json.Marshal(record)
			if err != nil {
				return err
			}
			s.Publish(simcloud.Event{Account: server.Sharer, Region: server.Home, Source: "acs.ecs", Type: "ecs:ActionTrail:ApiCall", Data: data})
		}
		return nil
	})
}

func denial(ctx context.Context, s *scene) (string, error) {
	keys, err := s.KeysOf("attach-role")
	if err != nil {
		return "", err
	}
	var seen []string
	for _, try := range []struct{ what, role, policy string }{
		{"AdministratorAccess", systrust, "AdministratorAccess"},
		{"another role", "AppRole", "AliyunSysTrustFullAccess"},
	} {
		_, err := s.Call(ctx, keys, "2015-05-01", "AttachPolicyToRole", map[string]string{
			"RoleName": try.role, "PolicyName": try.policy, "PolicyType": "System",
		})
		switch {
		case err == nil:
			seen = append(seen, try.what+" allowed")
		case strings.Contains(err.Error(), "NoPermission"):
			seen = append(seen, try.what+" denied")
		default:
			seen = append(seen, try.what+": "+err.Error())
		}
	}
	return strings.Join(seen, ", "), nil
}
