package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fleetwarden/deploy/local/simcloud/server"
)

// Member is the role of the member account that our functions assume there.
const Member = "FleetwardenMember"

// mayAssume adds the policy by which a function may assume the role, if there is one.
func (s *Stack) mayAssume(function string, policies map[string]string) error {
	name := function + "-members"
	document, err := os.ReadFile(filepath.Join(s.root, "deploy", "ram", "optional", name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	policies["fleetwarden-"+name] = string(document)
	return err
}

// member makes the role, as deploy/ram/member has it.
func (s *Stack) member() error {
	dir := filepath.Join(s.root, "deploy", "ram", "member")
	trust, err := os.ReadFile(filepath.Join(dir, "trust.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a deployment may have no members
	}
	if err != nil {
		return fmt.Errorf("making the role of members: %w", err)
	}
	document, err := os.ReadFile(filepath.Join(dir, "policy.json"))
	text := string(document)
	if err == nil && s.o.Document != nil {
		text, err = s.o.Document(Member, text)
	}
	policies := map[string]string{Member: text}
	if err == nil {
		err = s.optional(policies, func(string) bool { return true })
	}
	if err == nil {
		err = s.o.Server.RAM.AddRole(server.Member, Member, strings.ReplaceAll(string(trust), "{home}", server.Sharer), policies)
	}
	if err != nil {
		return fmt.Errorf("making the role of members: %w", err)
	}
	return nil
}
