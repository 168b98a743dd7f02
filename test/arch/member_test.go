package arch_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
)

// athomeAlone are the products that a function uses in its own account alone: its queues,
// its log and the ledger, the trail that replay reads, the resource directory, and the
// deployment itself.
func athomeAlone() []string {
	return []string{"actiontrail", "cms", "eventbridge", "fc", "log", "mns", "oss", "resourcemanager", "sts"}
}

// athome are the actions that a function needs there alone: those, the commands that
// deployment made, with the tag that says that one of them was run, Security Center's edition,
// and whether the secrets of channels exist.
func athome(action string) bool {
	product, _, _ := strings.Cut(action, ":")
	return slices.Contains(athomeAlone(), product) || slices.Contains([]string{"ecs:InvokeCommand", "ecs:TagResources", "ecs:DescribeCommands", "yundun-sas:DescribeVersionConfig", "kms:DescribeSecret"}, action)
}

// grant is one action on one resource.
type grant struct{ action, resource string }

// covers: a resource may end with or hold a star.
func (g grant) covers(other grant) bool {
	match, err := filepath.Match(strings.ReplaceAll(g.resource, "/", "|"), strings.ReplaceAll(other.resource, "/", "|"))
	return g.action == other.action && err == nil && match
}

// The role of member accounts is for what the functions do at home, and no more: that
// each function needs what its own file allows is proved elsewhere.
func TestTheMembersRoleHasTheRightsOfTheFunctionsAndNoOthers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "deploy", "ram", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no RAM files: %v", err)
	}
	var needed []grant
	for _, path := range files {
		if fleet.FunctionNamed(strings.TrimSuffix(filepath.Base(path), ".json")).Alone {
			continue
		}
		for _, g := range grants(t, path) {
			if !athome(g.action) {
				needed = append(needed, g)
			}
		}
	}
	granted := grants(t, filepath.Join("..", "..", "deploy", "ram", "member", "policy.json"))
	for _, n := range needed {
		if !slices.ContainsFunc(granted, func(g grant) bool { return g.covers(n) }) {
			t.Errorf("the member's role lacks %s on %s", n.action, n.resource)
		}
	}
	for _, g := range granted {
		if !slices.Contains(needed, g) {
			t.Errorf("the member's role allows %s on %s, which no function may at home", g.action, g.resource)
		}
	}
}

// Who is trusted and who may assume are two lists of the same functions.
func TestTheMembersRoleTrustsEachFunctionThatMayAssumeIt(t *testing.T) {
	trust, err := os.ReadFile(filepath.Join("..", "..", "deploy", "ram", "member", "trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "deploy", "ram", "optional", "*-members.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no RAM files: %v", err)
	}
	for _, path := range files {
		function := strings.TrimSuffix(filepath.Base(path), "-members.json")
		if !strings.Contains(string(trust), `"acs:ram::{home}:role/fleetwarden-`+function+`"`) {
			t.Errorf("%s may assume the member's role, which does not trust it", function)
		}
		if got := grants(t, path); !slices.Equal(got, []grant{{"sts:AssumeRole", "acs:ram:*:*:role/FleetwardenMember"}}) {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func grants(t *testing.T, path string) []grant {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Statement []struct{ Action, Resource several }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var out []grant
	for _, s := range doc.Statement {
		for _, action := range s.Action {
			for _, resource := range s.Resource {
				out = append(out, grant{action, resource})
			}
		}
	}
	return out
}

// several is a JSON string or an array of them.
type several []string

func (s *several) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*s = several{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}
