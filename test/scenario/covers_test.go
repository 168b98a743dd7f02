package scenario_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/rules"
)

// rows are the rows of the controls' tables: what can be observed of an instance and
// what follows. A story names those that it tells with "# covers:". Each rule has at
// least the row of its own name.
var rows = map[string][]string{
	rules.RuleSystrustRole: {
		"no-role", "right-role", "own-role-lacks-grant", "own-role-lacks-trust", "own-role-missing",
		"conflict-report", "conflict-grant", "conflict-replace", "conflict-replace-rolled-back",
		"attach-after", "attach-after-other", "role-not-visible", "not-found-yet", "not-found",
		"classic", "self-managed", "managed", "unreadable", "foreign-policy", "system-policy",
	},
	rules.RuleOverBroadRole:  {"warns", "fine"},
	rules.RuleFamily:         nil,
	rules.RuleImage:          nil,
	rules.RuleSystemDisk:     {"claimed", "template"},
	rules.RuleVPC:            nil,
	rules.RuleTrustedMode:    {"create-instance", "enclave", "template"},
	rules.RuleKMSEnabled:     nil,
	rules.RuleHardeningAsked: nil,
	rules.RuleIMDS:           nil,
	rules.RuleDeniedLaunch:   {"dry-run"},
}

func TestEachRowOfTheControlsHasAStory(t *testing.T) {
	told := covered(t)
	for rule, details := range rows {
		if len(details) == 0 {
			details = []string{""}
		}
		for _, d := range details {
			row := strings.TrimSuffix(rule+"/"+d, "/")
			if len(told[row]) == 0 {
				t.Errorf("no story covers %s", row)
			}
			delete(told, row)
		}
		delete(told, rule)
	}
	for row, stories := range told {
		t.Errorf("%s: there is no row %s", stories, row)
	}
}

// controls are the files of the controls that the functions of the stories own.
var controls = map[string]string{
	"attach-role":       "instancerole.go",
	"validate-instance": "trustedinstance.go",
}

func TestEachRuleHasRows(t *testing.T) {
	for _, function := range functions {
		ids := ruleIDs(t, controls[function])
		if len(ids) == 0 {
			t.Errorf("no rules of %s were found", function)
		}
		for _, id := range ids {
			if _, ok := rows[id]; !ok {
				t.Errorf("rule %s of %s has no rows here", id, function)
			}
		}
	}
}

// ruleIDs are the values of the constants named Rule….
func ruleIDs(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "shared", "rules", file))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && strings.HasPrefix(name, "Rule") {
			out = append(out, strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	return out
}

// covered maps rows to the stories that cover them.
func covered(t *testing.T) map[string][]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	out := map[string][]string{}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			list, ok := strings.CutPrefix(line, "# covers:")
			if !ok {
				continue
			}
			for _, row := range strings.Fields(list) {
				if !slices.Contains(out[row], filepath.Base(p)) {
					out[row] = append(out[row], filepath.Base(p))
				}
			}
		}
	}
	return out
}
