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

func TestTheReadmeListsTheFunctionsAndTheRules(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(top, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	functions := firstCells(t, text, "| function | woken by | owns | may change |")
	slices.Sort(functions)
	if diff := cmp.Diff(names(every), functions); diff != "" {
		t.Errorf("functions: %s", diff)
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
