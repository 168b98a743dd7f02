package arch_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

type use struct {
	name string
	line int
}

// calls lists the uses of a package's functions in a file.
func calls(f file, pkg string) []use {
	var out []use
	ast.Inspect(f.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && id.Name == pkg && id.Obj == nil {
			out = append(out, use{sel.Sel.Name, f.fset.Position(sel.Pos()).Line})
		}
		return true
	})
	return out
}

func TestEveryPackageSaysWhatLivesInIt(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range tree(t) {
		if f.test {
			continue
		}
		if doc := f.ast.Doc; doc != nil && len(doc.Text()) > 60 {
			documented[f.dir] = true
		} else if !documented[f.dir] {
			documented[f.dir] = false
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no package comment that says what lives there", dir)
		}
	}
}

func TestNoInitAndNoMutableGlobals(t *testing.T) {
	for _, f := range tree(t) {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: an init function: wire it in main", f.name)
			}
		}
		for _, name := range assignedGlobals(f) {
			t.Errorf("%s assigns to the package variable %s: pass a value instead", f.name, name)
		}
	}
}

// assignedGlobals are the package variables of a file that its functions write to.
func assignedGlobals(f file) []string {
	//lint:ignore SA1019 what the parser resolves within one file is all that is asked
	globals := map[*ast.Object]bool{}
	for _, d := range f.ast.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				globals[name.Obj] = true
			}
		}
	}
	var out []string
	ast.Inspect(f.ast, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || assign.Tok == token.DEFINE {
			return true
		}
		for _, l := range assign.Lhs {
			if id, ok := l.(*ast.Ident); ok && id.Obj != nil && globals[id.Obj] {
				out = append(out, id.Name)
			}
		}
		return true
	})
	return out
}

func TestFilesStayShort(t *testing.T) {
	for _, f := range tree(t) {
		if f.test {
			continue
		}
		longest := 300
		if below(f.dir, "functions") {
			longest = 120 // a main shows its acts and triggers; the rest is shared
		}
		if n := f.fset.Position(f.ast.End()).Line; n > longest {
			t.Errorf("%s has %d lines; more than %d and a reader loses the thread", f.name, n, longest)
		}
	}
}

func TestNothingIsLeftUndone(t *testing.T) {
	left := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX)\b|not impl` + `emented`)
	for _, f := range tree(t) {
		for _, group := range f.ast.Comments {
			if m := left.FindString(group.Text()); m != "" {
				t.Errorf("%s: a comment says %q", f.name, m)
			}
		}
	}
}

func TestNoCatchAllPackages(t *testing.T) {
	for _, f := range tree(t) {
		for _, part := range strings.Split(f.dir, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc"}, part) {
				t.Errorf("%s: name the package after what it holds", f.dir)
			}
		}
		if f.dir == "shared" {
			t.Errorf("%s: nothing lives directly in shared", f.name)
		}
	}
}
