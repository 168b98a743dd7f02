package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
)

// The commands that deployment made.
const (
	linuxCommand   = "fleetwarden-agent-linux"
	windowsCommand = "fleetwarden-agent-windows"
	trustCommand   = "fleetwarden-trust-client"
)

const (
	windowsImage  = "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"
	securedImage  = "aliyun_2_1903_x64_20G_secured_alibase_20210120.vhd"
	firstBeat     = "ecs:CloudAssistant:FirstHeartbeat"
	untilFirstRun = time.Minute // a launch, its boot and its first heartbeat
)

// bare is a launch of an ordinary instance that does not ask for Security Center's agent.
func bare(image string) stage.Launch {
	l := good()
	l.Type, l.Image, l.Trusted = "ecs.g7.large", image, ""
	return l
}

func linuxAndWindows(ctx context.Context, s *scene) string {
	linux := s.launched(ctx, bare(uefiImage))
	windows := s.launched(ctx, bare(windowsImage))
	return fmt.Sprintf("Linux %s after %d command, Windows %s after %d command",
		s.agent(linux[0]), s.ran(linuxCommand, linux[0]),
		s.agent(windows[0]), s.ran(windowsCommand, windows[0]))
}

func noAssistant(ctx context.Context, s *scene) string {
	old := got(s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 1, InstanceType: trustedType, Agent: "uninstalled", Assistant: "absent"}))
	s.running(old.IDs[0])
	must(s.Settle(ctx))
	remedy := s.first("remedy", map[string]string{"rule": "agent-online", "id": old.IDs[0], "outcome": "violation"})
	return fmt.Sprintf("agent-online: %s, %s; %d commands ran", s.outcome("agent-online", old.IDs[0]),
		short(remedy, "AliAqsInstall.sh -k=CODE", "with the command to type"), s.ran(linuxCommand, old.IDs[0]))
}

// running says, as ECS does, that an instance is Running now.
func (s *scene) running(id string) {
	s.Publish(simcloud.Event{
		Account: server.Sharer, Region: server.Home, Source: "acs.ecs", Type: "ecs:Instance:StateChange",
		Data: fmt.Appendf(nil, `{"resourceId": %q, "resourceType": "ALIYUN::ECS::Instance", "state": "Running"}`, id),
	})
}

// whyNoAgent has an operator ask why an instance has no agent: it cannot download the installer.
func whyNoAgent(ctx context.Context, s *scene) string {
	old := got(s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 1, InstanceType: trustedType, Agent: "uninstalled", Commands: ecs.NoSite}))
	s.running(old.IDs[0])
	must(s.Settle(ctx))
	cause, _, _ := strings.Cut(s.fleetwarden(ctx, "why", "--control", "agent", old.IDs[0]), "\n")
	return short(cause, "exit code 205: no site of the installer answered", "the push failed: no site of the installer answered")
}

func heartbeatTwice(ctx context.Context, s *scene) string {
	ids := got(s.Run(ctx, bare(uefiImage)))
	must(s.Advance(ctx, untilFirstRun))
	beats := s.Published(firstBeat)
	if len(beats) == 0 || !strings.Contains(string(beats[len(beats)-1].Data), ids[0]) {
		return "no first heartbeat was published"
	}
	s.Publish(beats[len(beats)-1])
	must(s.Settle(ctx))
	return fmt.Sprintf("%s after %d command", s.agent(ids[0]), s.ran(linuxCommand, ids[0]))
}

func trustClient(ctx context.Context, s *scene) string {
	l := good()
	l.Type, l.Image, l.Trusted = "ecs.g6t.large", securedImage, ""
	ids := s.launched(ctx, l)
	i, _ := s.Server.ECS.Instance(server.Sharer, server.Home, ids[0])
	return fmt.Sprintf("trust client installed: %t, after %d command, tag fleetwarden:trust-client=%s",
		i.TrustClient, s.ran(trustCommand, ids[0]), i.Tags["fleetwarden:trust-client"])
}

// ownScript has push-agent's role run a script of its own, which installing agents does not need.
func ownScript(ctx context.Context, s *scene) string {
	old := got(s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 1, InstanceType: trustedType}))
	keys := got(s.KeysOf("push-agent"))
	_, err := s.Call(ctx, keys, "2014-05-26", "RunCommand", map[string]string{
		"RegionId": server.Home, "Type": "RunShellScript", "CommandContent": "aWQK", "InstanceId.1": old.IDs[0],
	})
	return verdict("RunCommand", err)
}

// agent is the status of an instance's agent in Security Center.
func (s *scene) agent(id string) string {
	status, _, known := s.Server.SAS.Agent(server.Sharer, id)
	if !known {
		return "unknown"
	}
	return status
}

// ran is how often a command ran on an instance, however it ended.
func (s *scene) ran(command, id string) (n int) {
	all, _ := s.Server.ECS.Commands().([]ecs.CommandState)
	for _, c := range all {
		if _, on := c.Tasks[id]; on && c.Name == command {
			n++
		}
	}
	return n
}
