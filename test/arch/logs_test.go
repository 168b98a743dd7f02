package arch_test

import (
	"encoding/json"
	"go/ast"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
)

// leaves are the names of what a record has, as JSON, with dots.
func leaves(prefix string, t reflect.Type) (out []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return []string{prefix}
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		out = append(out, leaves(strings.TrimPrefix(prefix+"."+name, "."), t.Field(i).Type)...)
	}
	return out
}

// TestTheLogsIndexKnowsTheRecords: a leaf that no record has finds nothing, and a query or
// an alarm on one that is not indexed fails unnoticed.
func TestTheLogsIndexKnowsTheRecords(t *testing.T) {
	known := append(leaves("", reflect.TypeFor[fleet.Record]()), "level", "msg", "error") // log/slog's
	table := searches(t)
	indexed := append(table.Fields.Message.Texts, table.Fields.Message.Longs...)
	for _, leaf := range indexed {
		if !slices.Contains(known, leaf) {
			t.Errorf("the index has %s, which no record has", leaf)
		}
	}
	if len(indexed) == 0 {
		t.Fatal("queries.json indexes no leaf of a record")
	}
	asked := regexp.MustCompile(`[^.]message\.([A-Za-z.]*[A-Za-z])`)
	for _, file := range []string{"terraform/logs.tf", "terraform/alarms.tf", "queries.json"} {
		for _, m := range asked.FindAllStringSubmatch(readText(t, "../../deploy/"+file), -1) {
			if !slices.Contains(indexed, m[1]) {
				t.Errorf("%s asks for message.%s, which is not indexed", file, m[1])
			}
		}
	}
}

// table is deploy/queries.json.
type table struct {
	Fields struct {
		Message struct{ Texts, Longs []string }
	}
	Queries []struct{ Name, Query string }
}

func searches(t *testing.T) (out table) {
	t.Helper()
	if err := json.Unmarshal([]byte(readText(t, "../../deploy/queries.json")), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestASearchIsOneOfTheTable: an operator finds by hand, by the searches of the table, all that
// Terraform's charts and alarms and the product's own code find.
func TestASearchIsOneOfTheTable(t *testing.T) {
	names, texts, used := map[string]bool{}, map[string]bool{}, 0
	blank := regexp.MustCompile(`\{[a-z]+\}`)
	for _, q := range searches(t).Queries {
		names[q.Name], texts[blank.ReplaceAllString(q.Query, "{}")] = true, true
	}
	for _, file := range []string{"logs.tf", "alarms.tf"} {
		for _, m := range regexp.MustCompile(`local\.searches\.([A-Za-z-]+)`).FindAllStringSubmatch(readText(t, "../../deploy/terraform/"+file), -1) {
			if used++; !names[m[1]] {
				t.Errorf("%s takes the search %s, which queries.json does not have", file, m[1])
			}
		}
	}
	for _, f := range tree(t) {
		if f.test || !slices.Contains(f.imports(), module+"shared/aliyun/sls") {
			continue
		}
		for _, text := range searched(f.ast) {
			if used++; !texts[text] {
				t.Errorf("%s searches for %s, which is none of queries.json", f.name, text)
			}
		}
	}
	if used < 5 {
		t.Errorf("%d uses of searches were found", used)
	}
}

// searched are the texts of a file's sls.Query, with {} for what is known only when it runs.
func searched(file *ast.File) (out []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		if pair, ok := n.(*ast.KeyValueExpr); ok && ident(pair.Key) == "Search" {
			out = append(out, template(pair.Value))
		}
		return true
	})
	return out
}

func template(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return template(e.X) + template(e.Y)
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return text
		}
	case *ast.CallExpr:
		switch s, _ := e.Fun.(*ast.SelectorExpr); {
		case s != nil && s.Sel.Name == "Quote":
			return `"{}"`
		case s != nil && s.Sel.Name == "Sprintf":
			return strings.ReplaceAll(template(e.Args[0]), "%q", `"{}"`)
		}
	}
	return "{}"
}

// TestAlertsMissNoLine: a line reaches the index after the time that it has, so that an alert
// whose window is no longer than its interval misses those at the end of each.
func TestAlertsMissNoLine(t *testing.T) {
	alarms := readText(t, "../../deploy/terraform/alarms.tf")
	found := regexp.MustCompile(`start += "-(\d+)m".*\n.*\n.*\n +interval += "(\d+)m"`).FindAllStringSubmatch(alarms, -1)
	if len(found) == 0 {
		t.Fatal("alarms.tf has no alert at an interval of minutes")
	}
	for _, m := range found {
		window, errWindow := strconv.Atoi(m[1])
		interval, errInterval := strconv.Atoi(m[2])
		if errWindow != nil || errInterval != nil || window <= interval {
			t.Errorf("an alert asks every %s minutes for the last %s", m[2], m[1])
		}
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
