package rampolicy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/shared/rampolicy"
)

// read returns the files of a folder of testdata, by name.
func read(t testing.TB, folder string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	files := map[string]string{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(b)
	}
	return files
}

func policy(t testing.TB, doc string) *rampolicy.Document {
	t.Helper()
	d, err := rampolicy.Parse(doc)
	if err != nil {
		t.Fatalf("%v\nin %s", err, doc)
	}
	return d
}

// policies makes one policy of each statement; "" is a policy that could not be read.
func policies(t testing.TB, statements ...string) []*rampolicy.Document {
	t.Helper()
	docs := make([]*rampolicy.Document, len(statements))
	for i, s := range statements {
		if s != "" {
			docs[i] = policy(t, `{"Version":"1","Statement":[`+s+`]}`)
		}
	}
	return docs
}

func TestEveryLegalPolicyIsRead(t *testing.T) {
	for name, doc := range read(t, "policies/legal") {
		t.Run(name, func(t *testing.T) {
			if !policy(t, doc).Equal(policy(t, doc)) {
				t.Error("does not equal itself")
			}
		})
	}
}

func TestABrokenPolicyIsRefusedWithThePosition(t *testing.T) {
	for name, file := range read(t, "policies/broken") {
		t.Run(name, func(t *testing.T) {
			want, doc, _ := strings.Cut(file, "\n")
			_, err := rampolicy.Parse(doc)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestADocumentOverTheSizeLimitIsRefusedAndOneAtItIsRead(t *testing.T) {
	doc := `{"Version":"1","Statement":[]}`
	fits := doc + strings.Repeat(" ", rampolicy.MaxDocument-len(doc))
	if _, err := rampolicy.Parse(fits); err != nil {
		t.Error(err)
	}
	if _, err := rampolicy.Parse(fits + " "); err == nil {
		t.Error("one byte more was read")
	}
}

func TestPoliciesAreEqualByMeaning(t *testing.T) {
	base := `{"Effect":"Allow","Action":["ecs:A","ecs:B"],"Resource":["x","y"],"Condition":{"StringEquals":{"k":["1","2"]},"Bool":{"b":"true"}}}`
	same := map[string]string{
		"order of names":   `{"Condition":{"Bool":{"b":true},"StringEquals":{"k":["1","2"]}},"Resource":["x","y"],"Action":["ecs:A","ecs:B"],"Effect":"Allow"}`,
		"order of values":  `{"Effect":"Allow","Action":["ecs:B","ecs:A"],"Resource":["y","x"],"Condition":{"StringEquals":{"k":["2","1"]},"Bool":{"b":["true"]}}}`,
		"repeated values":  `{"Effect":"Allow","Action":["ecs:A","ecs:B","ecs:A"],"Resource":["x","y"],"Condition":{"StringEquals":{"k":["1","2","2"]},"Bool":{"b":"true"}}}`,
		"case of actions":  strings.Replace(base, "ecs:A", "ECS:a", 1),
		"repeated wholly":  base + "," + base,
		"with white space": strings.ReplaceAll(base, ",", " ,\n\t"),
	}
	for name, statement := range same {
		if docs := policies(t, base, statement); !docs[0].Equal(docs[1]) || !docs[1].Equal(docs[0]) {
			t.Errorf("%s makes a difference", name)
		}
	}
	different := map[string]string{
		"effect":    strings.Replace(base, "Allow", "Deny", 1),
		"an action": strings.Replace(base, "ecs:A", "ecs:C", 1),
		"NotAction": strings.Replace(base, "Action", "NotAction", 1),
		"NotRes":    strings.Replace(base, "Resource", "NotResource", 1),
		"case":      strings.Replace(base, `"x"`, `"X"`, 1),
		"operator":  strings.Replace(base, "StringEquals", "StringLike", 1),
		"key":       strings.Replace(base, `"k"`, `"K"`, 1),
		"value":     strings.Replace(base, `"1"`, `"3"`, 1),
		"unknown":   strings.Replace(base, `{`, `{"Sid":"a",`, 1),
	}
	for name, statement := range different {
		if docs := policies(t, base, statement); docs[0].Equal(docs[1]) || docs[1].Equal(docs[0]) {
			t.Errorf("%s makes no difference", name)
		}
	}
}
