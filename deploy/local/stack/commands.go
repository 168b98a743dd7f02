package stack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// commandFile is deploy/commands/commands.json, which Terraform reads too.
type commandFile struct {
	Commands []struct {
		Name            string `json:"name"`
		File            string `json:"file"`
		Type            string `json:"type"`
		Timeout         int64  `json:"timeout"` // s
		EnableParameter bool   `json:"enableParameter"`
	} `json:"commands"`
}

// commands makes the Cloud Assistant commands in every region and keeps their ids.
func (s *Stack) commands() error {
	dir := filepath.Join(s.root, "deploy", "commands")
	text, err := os.ReadFile(filepath.Join(dir, "commands.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a deployment may have none
	}
	if err != nil {
		return fmt.Errorf("making the commands: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var file commandFile
	if err := d.Decode(&file); err != nil {
		return fmt.Errorf("making the commands: reading commands.json: %w", err)
	}
	s.commandIDs = map[string]map[string]string{}
	for _, region := range s.o.Regions {
		ids := map[string]string{}
		for _, c := range file.Commands {
			content, err := os.ReadFile(filepath.Join(dir, c.File))
			if err != nil {
				return fmt.Errorf("making the commands: %w", err)
			}
			ids[c.Name], err = s.o.Server.ECS.SeedCommand(ecs.CommandSpec{
				Account: server.Sharer, Region: region, Name: c.Name, Type: c.Type, Content: string(content), Timeout: c.Timeout,
			})
			if err != nil {
				return fmt.Errorf("making the command %s: %w", c.Name, err)
			}
		}
		s.commandIDs[region] = ids
	}
	return nil
}

// commandEnv is the environment variable that holds a region's command ids, as
// Terraform writes it.
func (s *Stack) commandEnv(region string) map[string]string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(s.commandIDs[region])) {
		pairs = append(pairs, name+"="+s.commandIDs[region][name])
	}
	return map[string]string{"FLEETWARDEN_COMMANDS": strings.Join(pairs, ",")}
}

// commandResource is a resource in a RAM file that names a command: {name} stands for
// its id.
var commandResource = regexp.MustCompile(`"([^"]*:command/)\{([a-z-]+)\}"`)

// withCommands puts the ids of all regions in the place of the commands that a RAM
// document names.
func (s *Stack) withCommands(document string) string {
	return commandResource.ReplaceAllStringFunc(document, func(match string) string {
		parts := commandResource.FindStringSubmatch(match)
		var out []string
		for _, region := range s.o.Regions {
			out = append(out, fmt.Sprintf("%q", parts[1]+s.commandIDs[region][parts[2]]))
		}
		return strings.Join(out, ", ")
	})
}
