package main

import (
	"fleetwarden/deploy/commands"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/fleet"
)

// scripts are what deployment makes commands of, to be sent by RunCommand.
func scripts(c *ecs.Client) (ecs.Scripts, error) {
	linux, err := commands.Files.ReadFile("agent-linux.sh")
	if err != nil {
		return ecs.Scripts{}, err
	}
	windows, err := commands.Files.ReadFile("agent-windows.ps1")
	if err != nil {
		return ecs.Scripts{}, err
	}
	return ecs.Scripts{Client: c, Scripts: map[string]ecs.Script{
		fleet.CommandAgentLinux:   {Name: fleet.CommandAgentLinux, Type: "RunShellScript", Content: string(linux)},
		fleet.CommandAgentWindows: {Name: fleet.CommandAgentWindows, Type: "RunPowerShellScript", Content: string(windows)},
	}}, nil
}
