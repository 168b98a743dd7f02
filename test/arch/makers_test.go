package arch_test

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An undo believes the ledger of a function only about changes that the function makes.
// The table must say of each function what its steps are, and nothing else.
func TestMakersAreTheFunctionsWithAStepOfTheKind(t *testing.T) {
	table, steps := map[string][]string{}, map[string][]string{}
	for _, f := range tree(t) {
		switch {
		case f.name == "shared/fleet/maker.go":
			ast.Inspect(f.ast, func(n ast.Node) bool {
				if c, ok := n.(*ast.CaseClause); ok {
					for _, kind := range c.List {
						table[kind.(*ast.Ident).Name] = texts(c)
					}
				}
				return true
			})
		case below(f.dir, "functions") && !f.test:
			for _, kind := range stepsOf(f.ast) {
				steps[kind] = append(steps[kind], path.Base(f.dir))
			}
		}
	}
	for _, makers := range steps {
		slices.Sort(makers)
	}
	for _, makers := range table {
		for i, m := range makers {
			makers[i] = strings.ReplaceAll(m, "-", "") // its folder
		}
		slices.Sort(makers)
	}
	if len(steps) == 0 {
		t.Error("no function has a step")
	}
	if diff := cmp.Diff(steps, table); diff != "" {
		t.Errorf("steps, and what fleet.Makers says: %s", diff)
	}
}

// texts are the strings in a piece of code.
func texts(n ast.Node) (out []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		if s, ok := n.(*ast.BasicLit); ok {
			out = append(out, strings.Trim(s.Value, `"`))
		}
		return true
	})
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
