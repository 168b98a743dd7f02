package scenario_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/policy"
)

// rows are the rows of the controls' tables: what can be observed of an instance, and the
// decision. A story names those that it covers with "# covers:"; a row without a
// name of its own goes by its rule's.
var rows = map[string][]string{
	policy.RuleSystrustRole: {
		"no-role", "right-role", "own-role-lacks-grant", "own-role-lacks-trust", "own-role-missing",
		"conflict-report", "conflict-grant", "conflict-replace", "conflict-replace-rolled-back",
		"attach-after", "attach-after-other", "role-not-visible", "not-found-yet", "not-found",
		"classic", "self-managed", "managed", "unreadable", "foreign-policy", "system-policy",
	},
	policy.RuleOverBroadRole:  {"warns", "fine"},
	policy.RuleFamily:         {""},
	policy.RuleImage:          {""},
	policy.RuleSystemDisk:     {"", "claimed", "template"},
	policy.RuleVPC:            {""},
	policy.RuleTrustedMode:    {"", "create-instance", "enclave", "template"},
	policy.RuleKMSEnabled:     {""},
	policy.RuleHardeningAsked: {""},
	policy.RuleIMDS:           {""},
	policy.RuleDeniedLaunch:   {"", "dry-run"},
	"consequence":             {"none", "tag", "stop"},
	policy.RuleAgentOnline: {
		"not-running", "unknown-asset", "online", "paused", "offline", "push-linux", "push-windows",
		"assistant-silent", "assistant-absent", "manual", "given-up", "duplicate",
	},
	policy.RuleShareeApproved:  {"approved", "unapproved", "folder", "let-in", "absent-region"},
	policy.RuleShareTrust:      {"missing", "added", "foreign-role", "unreadable-region", "absent-region", "unguarded-region", "folder", "audit", "ended-while-waiting", "odd-account", "ahead", "too-many", "not-ours"},
	policy.RuleOpenTrust:       {"", "other-forms"},
	policy.RuleShareKeys:       {"in-use", "every-key", "other-region", "unreadable-region", "name-taken"},
	policy.RuleServiceKey:      {""},
	policy.RuleTakeBack:        {"report", "enforce", "unreadable-region", "unlisted-region", "unguarded-region", "not-ours"},
	policy.RuleFailedShare:     {"tags", "use", "full-image", "service-key"},
	policy.RuleDiskEncryptRole: {"", "missing", "unfit"},
	policy.RuleTrustClient:     {"pushed", "has-script", "unknown", "old-assistant", "self-managed"},
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

func TestEachRuleHasRows(t *testing.T) {
	known := []string{"consequence"}
	for _, c := range policy.Controls() {
		known = append(known, policy.Rules(c)...)
	}
	slices.Sort(known)
	if diff := cmp.Diff(known, slices.Sorted(maps.Keys(rows))); diff != "" {
		t.Error(diff)
	}
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
