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

// commandEnv is what s.yaml reads from FLEETWARDEN_COMMANDS: a region's commands with their
// ids, as Terraform writes them.
func (s *Stack) commandEnv(region string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(s.commandIDs[region])) {
		pairs = append(pairs, name+"="+s.commandIDs[region][name])
	}
	return strings.Join(pairs, ",")
}

// regional are the policies of a role, as Terraform makes them: one named like the role, and
// one for each region with the statements that name commands, {NAME} standing for the id that
// the command has there.
func (s *Stack) regional(role, document string) (map[string]string, error) {
	var all, own struct {
		Version   string
		Statement []json.RawMessage
	}
	if err := json.Unmarshal([]byte(document), &all); err != nil {
		return nil, err
	}
	own.Version = all.Version
	named := all
	named.Statement = nil
	for _, statement := range all.Statement {
		if bytes.Contains(statement, []byte("command/{")) {
			named.Statement = append(named.Statement, statement)
		} else {
			own.Statement = append(own.Statement, statement)
		}
	}
	if len(named.Statement) == 0 {
		return map[string]string{role: document}, nil
	}
	text, err := json.Marshal(own)
	out := map[string]string{role: string(text)}
	for _, region := range s.o.Regions {
		if err == nil {
			text, err = json.Marshal(named)
		}
		here := string(text)
		for name, id := range s.commandIDs[region] {
			here = strings.ReplaceAll(here, "{"+name+"}", id)
		}
		out[role+"-"+region] = here
	}
	return out, err
}
