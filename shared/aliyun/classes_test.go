package aliyun_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fleetwarden/shared/aliyun"
)

// The codes of the local cloud are those of the vendor's error tables: one that is not
// listed is a failure of which it was never decided what it means.
func TestEveryCodeOfTheLocalCloudIsListed(t *testing.T) {
	count := map[string]int{}
	for dir, p := range packages(t, "../../deploy/local/simcloud") {
		product := filepath.Base(dir)
		switch product {
		case "simcloud", "server", "robots":
			continue // they answer no API of Alibaba Cloud
		case "wire", "meta", "access":
			product = "ecs" // they answer for all RPC products
		case "servicerole":
			product = "resourcemanager"
		}
		codes := p.answered(t)
		count[product] += len(codes)
		for _, code := range codes {
			if !aliyun.Listed(product, code) {
				t.Errorf("%s answers %s, which is not listed", product, code)
			}
		}
	}
	for product, least := range map[string]int{"ecs": 80, "ram": 15, "mns": 15, "oss": 10, "sls": 15, "resourcesharing": 15, "kms": 3, "sas": 1, "sts": 3, "actiontrail": 1, "resourcemanager": 3, "dm": 5} {
		if count[product] < least {
			t.Errorf("%s answers with %d codes: the search misses some", product, count[product])
		}
	}
}

// A code that is compared is one that is listed, as a whole: a misspelt one would never
// come, and one of another product would be mistaken.
func TestEveryCodeThatIsComparedIsListed(t *testing.T) {
	compared := 0
	for _, root := range []string{"../../shared", "../../functions"} {
		for dir, p := range packages(t, root) {
			for _, fn := range p.funcs() {
				codes, misused := p.compared(fn)
				for _, at := range misused {
					t.Errorf("%s: %s: a code is compared whole, with == or switch", dir, p.files.Position(at))
				}
				for _, code := range codes {
					compared++
					if code != "" && !listedSomewhere(code) {
						t.Errorf("%s: %s compares code %q, which is not listed", dir, fn.Name.Name, code)
					}
				}
			}
		}
	}
	if compared == 0 {
		t.Error("no code is compared: the search misses them")
	}
}

func listedSomewhere(code string) bool {
	for _, product := range []string{"ecs", "ram", "kms", "sas", "sts", "resourcesharing", "resourcemanager", "actiontrail", "mns", "oss", "sls", "cms"} {
		if aliyun.Listed(product, code) {
			return true
		}
	}
	return false
}

// parsed is one package without its tests.
type parsed struct {
	files *token.FileSet
	trees []*ast.File
}

func packages(t *testing.T, root string) map[string]*parsed {
	t.Helper()
	out := map[string]*parsed{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		dir := filepath.Dir(path)
		if out[dir] == nil {
			out[dir] = &parsed{files: token.NewFileSet()}
		}
		tree, err := parser.ParseFile(out[dir].files, path, nil, parser.SkipObjectResolution)
		out[dir].trees = append(out[dir].trees, tree)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (p *parsed) funcs() []*ast.FuncDecl {
	var out []*ast.FuncDecl
	for _, tree := range p.trees {
		for _, d := range tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				out = append(out, fn)
			}
		}
	}
	return out
}

// answered are the codes with which a package of the local cloud makes errors: the
// second argument of Errorf, and the Code of an Error or Refusal.
func (p *parsed) answered(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, fn := range p.funcs() {
		if fn.Name.Name == "Errorf" {
			continue // which makes what it is given
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			code := made(n)
			if code == nil {
				return true
			}
			found, ok := p.values(fn, code, 0)
			if !ok {
				t.Errorf("%s: the search cannot follow this code", p.files.Position(code.Pos()))
			}
			out = append(out, found...)
			return true
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// made is the code of an error that n makes; nil if it makes none.
func made(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.CallExpr:
		if name(n.Fun) == "Errorf" && len(n.Args) > 2 && !from(n.Fun, "fmt") {
			return n.Args[1]
		}
	case *ast.CompositeLit:
		if kind := name(n.Type); kind != "Error" && kind != "Refusal" {
			return nil
		}
		for i, e := range n.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				if name(kv.Key) == "Code" {
					return kv.Value
				}
			} else if i == 1 {
				return e
			}
		}
	}
	return nil
}

// name is the last part of a name, such as Errorf of wire.Errorf.
func name(e ast.Node) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func from(e ast.Expr, pkg string) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && name(s.X) == pkg
}

// values are the texts that an expression of fn may have: literals, constants, what is
// assigned to a variable, and, for a parameter, what the callers in the package pass. An
// error's own Code is one that was counted where it was made.
func (p *parsed) values(fn *ast.FuncDecl, e ast.Expr, depth int) (out []string, ok bool) {
	if depth > 5 {
		return nil, false
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return []string{s}, err == nil
	case *ast.SelectorExpr:
		if e.Sel.Name == "Kind" {
			return []string{"Image", "Snapshot"}, true // of what is shared
		}
		return nil, e.Sel.Name == "Code"
	case *ast.BinaryExpr:
		left, ok := p.values(fn, e.X, depth+1)
		right, also := p.values(fn, e.Y, depth+1)
		for _, l := range left {
			for _, r := range right {
				out = append(out, l+r)
			}
		}
		return out, ok && also
	case *ast.Ident:
		return p.variable(fn, e.Name, depth)
	}
	return nil, false
}

func (p *parsed) variable(fn *ast.FuncDecl, variable string, depth int) (out []string, ok bool) {
	if i := parameter(fn, variable); i >= 0 {
		return p.passed(fn.Name.Name, i, depth)
	}
	ok = true
	add := func(in *ast.FuncDecl, values []ast.Expr, i int) {
		if i < len(values) {
			found, fine := p.values(in, values[i], depth+1)
			out, ok = append(out, found...), ok && fine
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if name(l) == variable {
					add(fn, n.Rhs, i)
				}
			}
		case *ast.FuncLit: // called in fn by the name it is given
			if i := index(n.Type.Params, variable); i >= 0 {
				ast.Inspect(fn.Body, func(n ast.Node) bool {
					if call, is := n.(*ast.CallExpr); is && len(call.Args) > i {
						if lit, is := call.Args[i].(*ast.BasicLit); is && lit.Kind == token.STRING {
							add(fn, call.Args, i)
						}
					}
					return true
				})
			}
		}
		return true
	})
	for _, tree := range p.trees {
		for _, d := range tree.Decls {
			if g, is := d.(*ast.GenDecl); is && g.Tok == token.CONST {
				for _, s := range g.Specs {
					v := s.(*ast.ValueSpec)
					for i, n := range v.Names {
						if n.Name == variable {
							add(fn, v.Values, i)
						}
					}
				}
			}
		}
	}
	return out, ok && len(out) > 0
}

func parameter(fn *ast.FuncDecl, variable string) int { return index(fn.Type.Params, variable) }

func index(fields *ast.FieldList, variable string) int {
	i := 0
	for _, f := range fields.List {
		for _, n := range f.Names {
			if n.Name == variable {
				return i
			}
			i++
		}
	}
	return -1
}

// passed is what callers in the package pass as the i-th argument of fn.
func (p *parsed) passed(fn string, i, depth int) (out []string, ok bool) {
	ok = true
	for _, caller := range p.funcs() {
		ast.Inspect(caller.Body, func(n ast.Node) bool {
			if call, is := n.(*ast.CallExpr); is && name(call.Fun) == fn && len(call.Args) > i {
				found, fine := p.values(caller, call.Args[i], depth+1)
				out, ok = append(out, found...), ok && fine
			}
			return true
		})
	}
	return out, ok
}

// compared are the codes that fn compares with what CodeOf returns, and the places where
// it does anything else with it but compare and keep it.
func (p *parsed) compared(fn *ast.FuncDecl) (codes []string, misused []token.Pos) {
	kept := map[string]bool{}
	isCode := func(e ast.Expr) bool {
		call, ok := e.(*ast.CallExpr)
		return ok && name(call.Fun) == "CodeOf" || kept[name(e)]
	}
	literal := func(e ast.Expr) {
		if found, ok := p.values(fn, e, 0); ok {
			codes = append(codes, found...)
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if len(n.Lhs) == 1 && len(n.Rhs) == 1 && isCode(n.Rhs[0]) {
				kept[name(n.Lhs[0])] = true
			}
		case *ast.BinaryExpr:
			if isCode(n.X) {
				literal(n.Y)
			}
		case *ast.SwitchStmt:
			if n.Tag != nil && isCode(n.Tag) {
				for _, c := range n.Body.List {
					for _, e := range c.(*ast.CaseClause).List {
						literal(e)
					}
				}
			}
		case *ast.CallExpr:
			if from(n.Fun, "strings") && slices.ContainsFunc(n.Args, isCode) {
				misused = append(misused, n.Pos())
			}
		}
		return true
	})
	return codes, misused
}
