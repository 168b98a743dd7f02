package policy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"fleetwarden/shared/policy"
)

const published = "../../deploy/policy.schema.json"

var update = flag.Bool("update", false, "write "+published)

func TestThePublishedSchemaIsThatOfThisBuild(t *testing.T) {
	if *update {
		if err := os.WriteFile(published, policy.Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, policy.Schema()) {
		t.Errorf("%s is old; run go test ./shared/policy -run Published -update", published)
	}
}

func TestTheLoaderAndTheSchemaTakeTheSameFiles(t *testing.T) {
	schema := compiled(t)
	for _, c := range goodFiles {
		t.Run(c.name, func(t *testing.T) {
			mustLoad(t, c.file)
			if err := schema.Validate(asJSON(t, c.file)); err != nil {
				t.Errorf("the schema refuses\n%s\n%v", c.file, err)
			}
		})
	}
	for _, c := range badFiles {
		if c.alone { // there is nothing a schema could look at
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if schema.Validate(asJSON(t, c.file)) == nil {
				t.Errorf("the schema takes\n%s", c.file)
			}
		})
	}
}

func TestTheSchemaTakesThePolicyFilesOfTheRepositoryAndWhatIsShipped(t *testing.T) {
	schema := compiled(t)
	for _, name := range []string{"../../deploy/policy.yaml", "../../deploy/local/policy.yaml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{string(data), uncommented(string(data)), string(mustLoad(t, string(data)).JSON())} {
			if err := schema.Validate(asJSON(t, file)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Files are drawn from the schema itself and then spoilt in places, so that a
// key that is added to the table is tested without a change here.
func TestTheLoaderAndTheSchemaTakeTheSameGeneratedFiles(t *testing.T) {
	schema := compiled(t)
	var description map[string]any
	if err := json.Unmarshal(policy.Schema(), &description); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		g := &generator{t, description["$defs"].(map[string]any), rapid.IntRange(0, 3).Draw(t, "mistakes")}
		file, err := json.Marshal(g.value(description))
		if err != nil {
			t.Fatal(err)
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		p, loadErr := policy.Load("p.json", file)
		schemaErr := schema.Validate(instance)
		if onlyLoaderSees(loadErr) != (schemaErr == nil) {
			t.Fatalf("%s\nloader: %v\nschema: %v", file, loadErr, schemaErr)
		}
		if loadErr == nil && mustReload(t, p).Digest != p.Digest {
			t.Fatalf("another digest after a round trip: %s", p.JSON())
		}
	})
}

func mustReload(t *rapid.T, p *policy.Policy) *policy.Policy {
	again, err := policy.Load("again.json", p.JSON())
	if err != nil {
		t.Fatalf("%v\nin %s", err, p.JSON())
	}
	return again
}

// onlyLoaderSees reports whether a file is good, but for what Schema says that
// it cannot say.
func onlyLoaderSees(err error) bool {
	var problems policy.Problems
	errors.As(err, &problems)
	return !slices.ContainsFunc(problems, func(p policy.Problem) bool {
		return !strings.HasSuffix(p.Message, "comes twice") && !slices.ContainsFunc([]string{"is not one of the policy's", "is not a time zone", "is not a part of the day", "is not a private network"},
			func(says string) bool { return strings.Contains(p.Message, says) })
	})
}

// generator draws a value that a schema describes, with up to so many mistakes.
type generator struct {
	*rapid.T
	defs     map[string]any
	mistakes int
}

func (g *generator) value(schema map[string]any) any {
	if g.mistakes > 0 && rapid.IntRange(0, 9).Draw(g.T, "spoil") == 0 {
		g.mistakes--
		return rapid.SampledFrom([]any{
			nil, true, 0, 7, -1, 2.5, 1e9, "", " ", "x", "auto", "0s", "2027-02-29", "i-1", "*", "a\nb", "a\u007fb",
			[]any{}, []any{""}, map[string]any{}, map[string]any{"mode": "audit"},
		}).Draw(g.T, "spoilt")
	}
	if ref, ok := schema["$ref"].(string); ok {
		return g.value(g.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any))
	}
	if v, ok := schema["const"]; ok {
		return v
	}
	if words, ok := schema["enum"].([]any); ok {
		return rapid.SampledFrom(words).Draw(g.T, "word")
	}
	switch schema["type"] {
	case "object":
		return g.object(schema)
	case "array":
		least, _ := schema["minItems"].(float64)
		items := make([]any, rapid.IntRange(int(least), int(least)+1).Draw(g.T, "items"))
		for i := range items {
			items[i] = g.value(schema["items"].(map[string]any))
		}
		return items
	case "string":
		return g.text(schema)
	case "boolean":
		return rapid.Bool().Draw(g.T, "bool")
	case "integer":
		return rapid.IntRange(0, 100).Draw(g.T, "number")
	}
	either := schema["anyOf"].([]any)
	return g.value(rapid.SampledFrom(either).Draw(g.T, "either").(map[string]any))
}

func (g *generator) text(schema map[string]any) string {
	if schema["format"] == "date" {
		return rapid.SampledFrom([]string{"2027-01-31", "2028-02-29", "0000-01-01", "9999-12-31", "2027-02-29", "2027-13-01"}).Draw(g.T, "date")
	}
	return rapid.StringMatching(schema["pattern"].(string)).Draw(g.T, "text")
}

func (g *generator) object(schema map[string]any) map[string]any {
	object := map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(key)) || rapid.Bool().Draw(g.T, key) {
			object[key] = g.value(properties[key].(map[string]any))
		}
	}
	if names, ok := schema["propertyNames"].(map[string]any); ok {
		object[g.text(names)] = g.value(schema["additionalProperties"].(map[string]any))
	}
	if g.mistakes > 0 && rapid.IntRange(0, 9).Draw(g.T, "unknown") == 0 {
		g.mistakes--
		object[rapid.SampledFrom([]string{"mod", "", "<<", "~", "1", "\u00a0"}).Draw(g.T, "key")] = "x"
	}
	return object
}

func TestTheSchemaDescribesEveryKey(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(policy.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	shipped, err := os.ReadFile("../../deploy/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	each(schema, func(key string, property map[string]any) {
		if description, _ := property["description"].(string); description == "" {
			t.Errorf("%s has no description", key)
		}
		if !strings.Contains(string(shipped), key+":") {
			t.Errorf("the shipped policy does not show %s", key)
		}
	})
}

// each calls f with each property below a schema.
func each(schema map[string]any, f func(string, map[string]any)) {
	properties, _ := schema["properties"].(map[string]any)
	for key, property := range properties {
		f(key, property.(map[string]any))
		each(property.(map[string]any), f)
	}
	for _, elements := range []string{"items", "additionalProperties"} {
		if of, ok := schema[elements].(map[string]any); ok {
			each(of, f)
		}
	}
	definitions, _ := schema["$defs"].(map[string]any)
	for _, definition := range definitions {
		each(definition.(map[string]any), f)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(policy.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("policy.schema.json", document); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile("policy.schema.json")
}

// asJSON reads a YAML file as an editor does: YAML 1.2, where a date is text.
func asJSON(t *testing.T, file string) any {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(file), &document); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(jsonOf(t, document.Content[0]))
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return instance
}

func jsonOf(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch {
	case n.Kind == yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			object[n.Content[i].Value] = jsonOf(t, n.Content[i+1])
		}
		return object
	case n.Kind == yaml.SequenceNode:
		items := []any{}
		for _, item := range n.Content {
			items = append(items, jsonOf(t, item))
		}
		return items
	case n.Tag == "!!timestamp":
		return n.Value
	}
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
