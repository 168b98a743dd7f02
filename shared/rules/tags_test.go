package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

// tagsRead are the tags that decisions read, by the names of their constants, and why
// each may be read. Only the cloud itself sets a tag with the prefix acs:.
var tagsRead = map[string]string{
	"TagSupportVTPM": "acs: the cloud sets it",
	"TagAutoScaling": "acs: the cloud sets it",
	"TagACK":         "a hint: the violation is reported and says why nothing is changed",
	"TagViolation":   "a hint: the violation is reported and says why it is not tagged again",
	"TagStopped":     "a hint: the violation is reported and says why it is not stopped",
	"TagTrustClient": "a hint: not-assessable, and no pass",
	"TagManaged":     "of a RAM role: without it the role is only added to; whoever may tag roles can set it",
	"TagUnused":      "of a RAM role: when taking back began; whoever may tag roles can set it",
	"key":            "the policy's own selectors, by tags that the operator named, and what an act reads back",
}

// deciding are the packages whose reading of a tag can change a decision.
var deciding = []string{"../rules", "../policy", "../fleet", "../observe", "../operate/sweep", "../operate/plan", "../acts"}

func TestEveryTagThatADecisionReadsIsAccountedFor(t *testing.T) {
	found := map[string]bool{}
	for _, dir := range deciding {
		for _, file := range sources(t, dir) {
			for name, at := range tagsIn(t, file) {
				found[name] = true
				if tagsRead[name] == "" {
					t.Errorf("%s reads the tag %s, of which nothing is said here: who can set it, and what follows", at, name)
				}
			}
		}
	}
	for name := range tagsRead {
		if !found[name] {
			t.Errorf("nothing reads %s", name)
		}
	}
}

func sources(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tagsIn finds what indexes a map of tags, and where.
func tagsIn(t *testing.T, file string) map[string]token.Position {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]token.Position{}
	ast.Inspect(tree, func(n ast.Node) bool {
		index, ok := n.(*ast.IndexExpr)
		if !ok || !ofTags(index.X) {
			return true
		}
		name := "?"
		switch key := index.Index.(type) {
		case *ast.Ident:
			name = key.Name
		case *ast.SelectorExpr:
			name = key.Sel.Name
		case *ast.BasicLit:
			name = key.Value
		}
		out[name] = set.Position(index.Pos())
		return true
	})
	return out
}

// ofTags: a variable or member that is called tags, or its value.
func ofTags(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "tags"
	case *ast.SelectorExpr:
		return strings.EqualFold(x.Sel.Name, "tags") || x.Sel.Name == "V" && ofTags(x.X)
	}
	return false
}

func TestATagOfOursOnAnInstanceThatViolatesNothingIsReported(t *testing.T) {
	for _, tag := range []string{instances.TagViolation, instances.TagStopped} {
		for name, c := range map[string]struct {
			change func(*fleet.Listing)
			want   int
		}{
			"all is right":    {func(l *fleet.Listing) { l.Tags[tag] = "" }, 1},
			"there is fault":  {func(l *fleet.Listing) { l.Tags[tag], l.VPC = "", "" }, 0},
			"there is no tag": {func(*fleet.Listing) {}, 0},
		} {
			i := listed(trusted(), c.change)
			i.Image = fleet.See(fleet.Image{ID: "m-1", Owner: "system", BootMode: "UEFI"})
			n := 0
			for _, v := range instances.TrustedInstance(world(i), enforcing()) {
				if v.Rule == policy.RuleInstance && v.Remark && strings.Contains(v.Reason, tag) {
					n++
					sound(t, v)
				}
			}
			if n != c.want {
				t.Errorf("%s, %s: said %d times", tag, name, n)
			}
		}
	}
}
