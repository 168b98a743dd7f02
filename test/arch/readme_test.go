package arch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/policy"
)

// firstCells are the names in the first column of the table with that header.
func firstCells(t *testing.T, text, header string) (out []string) {
	t.Helper()
	_, table, ok := strings.Cut(text, "\n"+header+"\n")
	if !ok {
		t.Fatalf("there is no table %q", header)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(table, -1) {
		out = append(out, m[1])
	}
	return out
}

// shared/README.md says how to add a rule, an event and so on.
func TestTheFilesAndTestsThatTheGuideNamesExist(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(top, "shared", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	defined, named := map[string]bool{}, 0
	eachText(t, func(_, text string) {
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(text, -1) {
			defined[m[1]] = true
		}
	})
	_, guide, _ := strings.Cut(string(data), "## How to add")
	for _, m := range regexp.MustCompile("`(Test\\w+|[\\w./-]+/[\\w./-]*|[\\w.-]+\\.(?:md|yaml))`").FindAllStringSubmatch(guide, -1) {
		named++
		_, atTop := os.Stat(filepath.Join(top, m[1]))
		_, here := os.Stat(filepath.Join(top, "shared", m[1]))
		if !defined[m[1]] && atTop != nil && here != nil {
			t.Errorf("shared/README.md names %s, which does not exist", m[1])
		}
	}
	if named < 50 {
		t.Errorf("only %d files and tests were found", named)
	}
}

func TestTheReadmeListsTheFunctionsAndTheRules(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(top, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	translated, err := os.ReadFile(filepath.Join(top, "README.zh-CN.md"))
	if err != nil {
		t.Fatal(err)
	}
	for header, in := range map[string]string{"| function | woken by | owns | may change |": text, "| 函数 | 触发 | 负责 | 可以修改 |": string(translated)} {
		functions := firstCells(t, in, header)
		slices.Sort(functions)
		if diff := cmp.Diff(names(every), functions); diff != "" {
			t.Errorf("functions below %s: %s", header, diff)
		}
		for _, c := range policy.Controls() {
			if !strings.Contains(in, "**`"+c+"`**") {
				t.Errorf("below %s no paragraph is about the control %s", header, c)
			}
		}
	}
	if diff := cmp.Diff(policy.Rules(policy.ControlTrustedInstance), firstCells(t, text, "| rule | passes when |")); diff != "" {
		t.Errorf("rules: %s", diff)
	}
	for _, c := range policy.Controls() {
		for _, rule := range policy.Rules(c) {
			if !strings.Contains(text, "`"+rule+"`") {
				t.Errorf("README.md does not name the rule %s of %s", rule, c)
			}
		}
	}
}
