package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/policy"
)

// Each rule is in the policy's list, so that it can be skipped and exempted: a decision
// names its rule by a constant of that list. What the list has beside them, nothing decides.
func TestTheRulesAreThoseOfThePolicysList(t *testing.T) {
	constants := ruleConstants(t)
	paths, err := filepath.Glob(filepath.Join("*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var used, defined, listed []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		ast.Inspect(parsed(t, path), func(n ast.Node) bool {
			for _, id := range idsIn(n) {
				if _, text := id.(*ast.BasicLit); text {
					t.Errorf("%s has a rule with an id that is not in the policy's list", path)
				}
			}
			if sel, ok := n.(*ast.SelectorExpr); ok && constants[sel.Sel.Name] != "" {
				used = append(used, constants[sel.Sel.Name])
			}
			return true
		})
	}
	for _, c := range policy.Controls() {
		listed = append(listed, policy.Rules(c)...)
	}
	listed = append(listed, policy.RuleInstance) // which is no rule
	for _, id := range constants {
		defined = append(defined, id)
	}
	for _, ids := range [][]string{used, defined, listed} {
		slices.Sort(ids)
	}
	if diff := cmp.Diff(listed, slices.Compact(used)); diff != "" {
		t.Errorf("the list, and the rules that decide: %s", diff)
	}
	if diff := cmp.Diff(listed, defined); diff != "" {
		t.Errorf("the list, and the constants: %s", diff)
	}
}

// ruleConstants are the constants of package policy that are named Rule….
func ruleConstants(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	ast.Inspect(parsed(t, filepath.Join("..", "policy", "rules.go")), func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Rule") {
			out[v.Names[0].Name] = strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`)
		}
		return true
	})
	if len(out) == 0 {
		t.Fatal("no rules were found")
	}
	return out
}

func parsed(t *testing.T, path string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// idsIn are the ids of rules in a node: in a list of rules, in a signature, or assigned.
func idsIn(n ast.Node) (out []ast.Expr) {
	switch n := n.(type) {
	case *ast.CompositeLit:
		list, ok := n.Type.(*ast.ArrayType)
		if !ok || !isRule(list.Elt) {
			return nil
		}
		for _, row := range n.Elts {
			out = append(out, row.(*ast.CompositeLit).Elts[0])
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "sign" {
			out = append(out, n.Args[0])
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Rule" {
			out = append(out, n.Value)
		}
	case *ast.AssignStmt:
		if len(n.Lhs) != len(n.Rhs) {
			return nil
		}
		for i, to := range n.Lhs {
			if sel, ok := to.(*ast.SelectorExpr); ok && sel.Sel.Name == "Rule" {
				out = append(out, n.Rhs[i])
			}
		}
	}
	return out
}

// isRule reports whether a type is that of a rule: its first field is the id.
func isRule(e ast.Expr) bool {
	if name, ok := e.(*ast.Ident); ok {
		return name.Name == "rule"
	}
	s, ok := e.(*ast.StructType)
	return ok && s.Fields.List[0].Names[0].Name == "id"
}
