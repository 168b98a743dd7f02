package arch_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
)

// In other accounts a function has the actions that its files allow at home, optional ones
// included, except those that it needs at home only.
func TestASessionAbroadMayWhatTheFunctionMayAtHome(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "deploy", "ram", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no RAM files: %v", err)
	}
	for _, path := range files {
		function := strings.TrimSuffix(filepath.Base(path), ".json")
		if fleet.FunctionNamed(function).Alone {
			continue
		}
		optional, err := filepath.Glob(filepath.Join("..", "..", "deploy", "ram", "optional", function+"-*.json"))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, path := range append(optional, path) {
			for _, g := range grants(t, path) {
				product, _, _ := strings.Cut(g.action, ":")
				if function == "doctor" && product != "ram" {
					continue // it enters an account to read its own role there
				}
				if !slices.Contains(athomeAlone(), product) {
					want = append(want, g.action)
				}
			}
		}
		slices.Sort(want)
		want = slices.Compact(want)
		var policy struct{ Statement []struct{ Action []string } }
		if err := json.Unmarshal([]byte(invocation.SessionPolicy(function)), &policy); err != nil || len(policy.Statement) != 1 {
			t.Fatalf("%s: %v", function, err)
		}
		if got := policy.Statement[0].Action; !slices.Equal(got, want) {
			t.Errorf("%s may do abroad\n%q, and its files say\n%q", function, got, want)
		}
	}
}
