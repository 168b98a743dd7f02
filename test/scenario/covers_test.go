package scenario_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/rules"
)

// rows are the rows of the controls' tables: what can be observed of an instance and
// what follows. A story names those that it covers with "# covers:"; a row without a
// name of its own goes by its rule's.
var rows = map[string][]string{
	rules.RuleSystrustRole: {
		"no-role", "right-role", "own-role-lacks-grant", "own-role-lacks-trust", "own-role-missing",
		"conflict-report", "conflict-grant", "conflict-replace", "conflict-replace-rolled-back",
		"attach-after", "attach-after-other", "role-not-visible", "not-found-yet", "not-found",
		"classic", "self-managed", "managed", "unreadable", "foreign-policy", "system-policy",
	},
	rules.RuleOverBroadRole:  {"warns", "fine"},
	rules.RuleFamily:         {""},
	rules.RuleImage:          {""},
	rules.RuleSystemDisk:     {"", "claimed", "template"},
	rules.RuleVPC:            {""},
	rules.RuleTrustedMode:    {"", "create-instance", "enclave", "template"},
	rules.RuleKMSEnabled:     {""},
	rules.RuleHardeningAsked: {""},
	rules.RuleIMDS:           {""},
	rules.RuleDeniedLaunch:   {"", "dry-run"},
	"consequence":            {"none", "tag", "stop"},
	rules.RuleAgentOnline: {
		"not-running", "unknown-asset", "online", "paused", "offline", "push-linux", "push-windows",
		"assistant-silent", "assistant-absent", "manual", "in-vain", "duplicate",
	},
	rules.RuleShareeApproved:  {"approved", "unapproved", "folder", "let-in", "absent-region"},
	rules.RuleShareTrust:      {"missing", "added", "foreign-role", "unreadable-region", "absent-region", "unguarded-region", "folder", "audit", "ended-while-waiting", "odd-account", "ahead", "too-many", "not-ours"},
	rules.RuleOpenTrust:       {"", "other-forms"},
	rules.RuleShareKeys:       {"in-use", "every-key", "other-region", "unreadable-region", "name-taken"},
	rules.RuleServiceKey:      {""},
	rules.RuleTakeBack:        {"report", "enforce", "unreadable-region", "unlisted-region", "unguarded-region", "not-ours"},
	rules.RuleFailedShare:     {"tags", "use", "full-image", "service-key"},
	rules.RuleDiskEncryptRole: {"", "missing", "unfit"},
	rules.RuleTrustClient:     {"pushed", "has-script", "unknown", "old-assistant", "self-managed"},
}

func TestEachRowOfTheControlsHasAStory(t *testing.T) {
	stories := covered(t)
	for rule, details := range rows {
		for _, d := range details {
			row := strings.TrimSuffix(rule+"/"+d, "/")
			if len(stories[row]) == 0 {
				t.Errorf("no story covers %s", row)
			}
			delete(stories, row)
		}
	}
	for row, names := range stories {
		t.Errorf("%s: there is no row %s", names, row)
	}
}

// controls are the files of the controls that the functions of the stories own.
var controls = map[string]string{
	"attach-role":       "instancerole.go",
	"push-agent":        "agent.go",
	"setup-share-role":  "sharerole.go",
	"validate-instance": "trustedinstance.go",
}

func TestEachRuleHasRows(t *testing.T) {
	for function, file := range controls {
		ids := ruleIDs(t, file)
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

func TestEachOptionalPolicyHasAStory(t *testing.T) {
	optional, err := filepath.Glob(filepath.Join(root, "deploy", "ram", "optional", "*.json"))
	if err != nil || len(optional) == 0 {
		t.Fatalf("no optional RAM policies: %v", err)
	}
	stories := strings.Join(slices.Collect(maps.Values(scripts(t))), "\n")
	for _, p := range optional {
		name := strings.TrimSuffix(filepath.Base(p), ".json")
		if strings.HasSuffix(name, "-members") {
			continue // granted in all of them; the stories of members need them
		}
		if !strings.Contains(stories, "-grant "+name+"\n") && !strings.Contains(stories, "-grant "+name+" ") {
			t.Errorf("no story grants %s", name)
		}
	}
}

// covered maps rows to the stories that cover them.
func covered(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for story, text := range scripts(t) {
		for line := range strings.Lines(text) {
			if list, ok := strings.CutPrefix(line, "# covers:"); ok {
				for _, row := range strings.Fields(list) {
					out[row] = append(out[row], story)
				}
			}
		}
	}
	return out
}

// scripts are the texts of the stories, by file name.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	out := map[string]string{}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(p)] = string(text)
	}
	return out
}
