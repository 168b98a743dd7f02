package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/eventbridge"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
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
	members := s.o.Members
	if members == nil {
		members = []string{server.Member}
	}
	for _, account := range members {
		if err == nil {
			err = s.o.Server.RAM.AddRole(account, Member, strings.ReplaceAll(string(trust), "{home}", server.Sharer), policies)
		}
	}
	if err != nil {
		return fmt.Errorf("making the role of members: %w", err)
	}
	return nil
}

// FunctionOf is the function, as s.yaml names it, that signs with an identity: its own role,
// or a session that it opened of the role of members.
func FunctionOf(who wire.Identity) (function string, ok bool) {
	if who.Name == Member {
		return strings.CutPrefix(who.Session, "fleetwarden-")
	}
	return strings.CutPrefix(who.Name, "fleetwarden-")
}

// memberEvents has the members send their events, as terraform/members.tf and
// terraform/memberevents do: rules of their default buses push onto the bus of the home
// account, in a role of it. The rules of that bus are made with the queues.
func (s *Stack) memberEvents() error {
	if len(s.o.Members) == 0 {
		return nil
	}
	var services []string
	for _, account := range s.o.Members {
		services = append(services, `"`+account+`@eventbridge.aliyuncs.com"`)
	}
	trust := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":[` + strings.Join(services, ",") + `]}}]}`
	rights := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"eventbridge:PutEvents","Resource":"acs:eventbridge:*:` + server.Sharer + `:eventbus/` + manifest.MembersBus + `"}]}`
	err := s.o.Server.RAM.AddRole(server.Sharer, manifest.MembersBus, trust, map[string]string{manifest.MembersBus: rights})
	for _, account := range s.o.Members {
		for _, region := range s.o.Regions {
			if err == nil {
				err = s.sendHome(account, region)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("having members send their events: %w", err)
	}
	return nil
}

func (s *Stack) sendHome(account, region string) error {
	patterns, err := manifest.MemberPatterns(filepath.Join(s.root, "deploy"), region, s.home())
	if err != nil {
		return err
	}
	constant := func(key, value string) eventbridge.TargetParam {
		return eventbridge.TargetParam{ResourceKey: key, Form: "CONSTANT", Value: value}
	}
	for name, text := range patterns {
		rule := manifest.EventRule{Bus: manifest.DefaultBus, Name: "fleetwarden-" + name + "-to-home", Pattern: text}
		err := s.connect(account, region, rule, eventbridge.TargetInfo{
			Id: manifest.MembersBus, Type: eventbridge.ToBus, PushRetryStrategy: "EXPONENTIAL_DECAY_RETRY",
			Endpoint: "acs:eventbridge:" + region + ":" + server.Sharer + ":eventbus/" + manifest.MembersBus,
			ParamList: []eventbridge.TargetParam{
				constant("RegionId", region), constant("AccountType", "AnotherAccount"), constant("AccountId", server.Sharer),
				constant("EventBusName", manifest.MembersBus), constant("RAMRoleName", manifest.MembersBus), {ResourceKey: "Body", Form: "ORIGINAL"},
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
