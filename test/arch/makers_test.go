package arch_test

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
)

// An undo believes the ledger of a function only about changes that the function makes.
// The table must say of each function what its steps are, and nothing else.
func TestTheTableHasTheStepsOfEachFunction(t *testing.T) {
	table, steps := map[string][]fleet.ChangeKind{}, map[string][]fleet.ChangeKind{}
	files := tree(t)
	kinds := changeKinds(files)
	for _, f := range files {
		if !below(f.dir, "functions") || f.test {
			continue
		}
		for _, name := range stepsOf(f.ast) {
			function := path.Base(f.dir)
			steps[function] = append(steps[function], kinds[name])
		}
	}
	for _, f := range fleet.Functions() {
		if len(f.Changes) > 0 {
			table[strings.ReplaceAll(f.Name, "-", "")] = f.Changes
		}
	}
	if len(steps) == 0 {
		t.Error("no function has a step")
	}
	if diff := cmp.Diff(steps, table); diff != "" {
		t.Errorf("steps, and what the table says: %s", diff)
	}
}

func TestTheOwnerOfAChangeIsTheFirstThatMakesIt(t *testing.T) {
	if got := fleet.Makers(fleet.TagInstance); !slices.Equal(got, []string{fleet.FunctionValidateInstance, fleet.FunctionPushAgent}) {
		t.Errorf("got %v", got)
	}
}

// changeKinds are the constants of type ChangeKind by their names.
func changeKinds(files []file) map[string]fleet.ChangeKind {
	out := map[string]fleet.ChangeKind{}
	for _, f := range files {
		if f.dir != "shared/fleet" || f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && v.Type != nil && ident(v.Type) == "ChangeKind" {
				out[v.Names[0].Name] = fleet.ChangeKind(strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`))
			}
			return true
		})
	}
	return out
}

// stepsOf are the kinds of the steps in a file: {Kind: fleet.TagInstance, Act: …}.
func stepsOf(file *ast.File) (out []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || len(lit.Elts) != 2 {
			return true
		}
		kind, ok := lit.Elts[0].(*ast.KeyValueExpr)
		act, ok2 := lit.Elts[1].(*ast.KeyValueExpr)
		if !ok || !ok2 || ident(kind.Key) != "Kind" || ident(act.Key) != "Act" {
			return true
		}
		if sel, ok := kind.Value.(*ast.SelectorExpr); ok {
			out = append(out, sel.Sel.Name)
		}
		return true
	})
	return out
}

func ident(e ast.Expr) string {
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
