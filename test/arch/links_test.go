package arch_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A function starts cold with all that it links, and draws no tables.
func TestAFunctionLinksNothingOfATerminal(t *testing.T) {
	terminal := []string{module + "shared/cli", module + "shared/policy/edit", "github.com/spf13/cobra", "github.com/schollz/progressbar/v3", "golang.org/x/term", "text/tabwriter"}
	for path := range linked(t, "./functions/...") {
		if slices.Contains(terminal, path) {
			t.Errorf("a function links %s: that is for the tool alone", path)
		}
	}
}

// The operator's tool changes nothing but what undo takes back; the agent's control reads the
// script of the trust client with its act.
func TestTheToolLinksActsForUndoAlone(t *testing.T) {
	acts, may := module+"shared/acts", []string{module + "shared/operate/undo", module + "shared/controls/all"}
	for path, imports := range linked(t, "./deploy/fleetwarden") {
		if below(path, acts) || slices.Contains(may, path) {
			continue
		}
		for _, imp := range imports {
			if below(imp, acts) {
				t.Errorf("fleetwarden links %s, which imports %s: have the owner of the control make the change", path, imp)
			}
		}
	}
}

// linked are the packages of a pattern and all that they link, each with what it imports.
func linked(t *testing.T, pattern string) map[string][]string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, pattern)
	list.Dir = top
	text, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 0 {
			out[fields[0]] = fields[1:]
		}
	}
	return out
}
