package terraform_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// schemas is the part of the provider's own schema (terraform providers schema -json) about
// the types that are used here, in short.
type schemas struct {
	Version   string
	Resources map[string]schema
	Data      map[string]schema
}

// schema is what a block of the provider takes.
type schema struct {
	// Arguments are "required", "optional", "computed" (which cannot be set) or "deprecated".
	Arguments map[string]string
	Blocks    map[string]schema
	// Least is how many of this block there must be.
	Least int
}

const providerFile = "testdata/provider.json"

func provider(t *testing.T) schemas {
	t.Helper()
	return decode[schemas](t, providerFile)
}

// meta are Terraform's own arguments and blocks of any resource.
var meta = map[string]bool{
	"count": true, "for_each": true, "depends_on": true, "provider": true, "lifecycle": true, "provisioner": true, "connection": true,
}

// check compares a block with its schema, and returns what is wrong with it.
func check(at string, body *hclsyntax.Body, s schema, top bool) (wrong []string) {
	for name := range body.Attributes {
		if top && meta[name] {
			continue
		}
		switch s.Arguments[name] {
		case "required", "optional":
		case "":
			wrong = append(wrong, fmt.Sprintf("%s: the provider has no argument %s", at, name))
		default:
			wrong = append(wrong, fmt.Sprintf("%s: %s is %s", at, name, s.Arguments[name]))
		}
	}
	for name, is := range s.Arguments {
		if is == "required" && body.Attributes[name] == nil {
			wrong = append(wrong, fmt.Sprintf("%s: %s is required", at, name))
		}
	}
	count := map[string]int{}
	for _, b := range body.Blocks {
		if top && meta[b.Type] {
			continue
		}
		name, inner := b.Type, b.Body
		if b.Type == "dynamic" {
			name = b.Labels[0]
			for _, content := range b.Body.Blocks {
				inner = content.Body
			}
		}
		count[name]++
		known, ok := s.Blocks[name]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%s: the provider has no block %s", at, name))
			continue
		}
		wrong = append(wrong, check(at+"."+name, inner, known, false)...)
	}
	for name, b := range s.Blocks {
		if count[name] < b.Least {
			wrong = append(wrong, fmt.Sprintf("%s: a block %s is required", at, name))
		}
	}
	return wrong
}

func TestEachArgumentIsTheProviders(t *testing.T) {
	known := provider(t)
	used := map[string]bool{}
	for _, b := range everything(t) {
		var s schema
		var ok bool
		switch b.kind {
		case "resource":
			s, ok = known.Resources[b.labels[0]]
		case "data":
			s, ok = known.Data[b.labels[0]]
		default:
			continue
		}
		if strings.HasPrefix(b.labels[0], "terraform_") {
			continue // Terraform's own
		}
		used[b.kind+b.labels[0]] = true
		if !ok {
			t.Errorf("%s is not in %s: take it from the provider's schema", b.name(), providerFile)
			continue
		}
		for _, wrong := range check(b.name(), b.body, s, true) {
			t.Error(wrong)
		}
	}
	for name := range known.Resources {
		if !used["resource"+name] {
			t.Errorf("%s has %s, which is used no more", providerFile, name)
		}
	}
}

// The comparison itself: each kind of mistake is one.
func TestAWrongArgumentIsSeen(t *testing.T) {
	s := schema{
		Arguments: map[string]string{"name": "required", "size": "optional", "id": "computed", "old": "deprecated"},
		Blocks:    map[string]schema{"rule": {Arguments: map[string]string{"days": "required"}, Least: 1}},
	}
	for source, want := range map[string]string{ // ";" ends a line
		`name = "x"; rule {; days = 1; }`: "",
		`name = "x"; count = 1; dynamic "rule" {; for_each = []; content {; days = 1; }; }`: "",
		`size = 1; rule {; days = 1; }`:              "name is required",
		`name = "x"; sise = 1; rule {; days = 1; }`:  "no argument sise",
		`name = "x"; id = "y"; rule {; days = 1; }`:  "id is computed",
		`name = "x"; old = "y"; rule {; days = 1; }`: "old is deprecated",
		`name = "x"`:            "a block rule is required",
		`name = "x"; rule {; }`: "days is required",
		`name = "x"; rule {; days = 1; count = 2; }`:                   "no argument count",
		`name = "x"; rules {; days = 1; }; rule {; days = 1; }`:        "no block rules",
		`name = "x"; dynamic "rule" {; for_each = []; content {; }; }`: "days is required",
	} {
		file, diags := hclsyntax.ParseConfig([]byte(strings.ReplaceAll(source, ";", "\n")+"\n"), "it", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%s: %v", source, diags)
		}
		got := strings.Join(check("it", file.Body.(*hclsyntax.Body), s, true), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", source, got, want)
		}
	}
}

// TestTheProviderIsOneExactVersion: the one whose schema is compared with.
func TestTheProviderIsOneExactVersion(t *testing.T) {
	pin := regexp.MustCompile(`source\s*=\s*"aliyun/alicloud"\s*version\s*=\s*"([^"]*)"`)
	for _, root := range roots {
		m := pin.FindStringSubmatch(rootText(t, root))
		if m == nil || m[1] != provider(t).Version {
			t.Errorf("deploy/%s: the provider's version is %v, want %s", root, m, provider(t).Version)
		}
	}
}

// TestTheStateHoldsNoRoleOfAService: others use those roles, too, so that destroying them
// would harm, or be refused.
func TestTheStateHoldsNoRoleOfAService(t *testing.T) {
	for _, b := range everything(t) {
		if b.kind == "resource" && strings.HasSuffix(b.labels[0], "service_linked_role") {
			t.Errorf("%s", b.name())
		}
	}
}

func TestTheTrailIsStarted(t *testing.T) {
	a := resource(t, "alicloud_actiontrail_trail", "this").body.Attributes["status"]
	if a == nil || literal(a.Expr) != "Enable" {
		t.Error("a trail without status is made and never started")
	}
}

// TestTheStatesPlaceIsLeftOpen: each workspace has a key of its own, and what differs from
// one operator to another comes from outside.
func TestTheStatesPlaceIsLeftOpen(t *testing.T) {
	for _, b := range configuration(t) {
		if b.kind != "terraform" {
			continue
		}
		for _, backend := range b.body.Blocks {
			if backend.Type != "backend" {
				continue
			}
			if backend.Labels[0] != "oss" || backend.Body.Attributes["prefix"] == nil || backend.Body.Attributes["key"] == nil {
				t.Errorf("the backend is %v", backend.Labels)
			}
			for _, outside := range []string{"bucket", "region", "tablestore_endpoint", "tablestore_table"} {
				if backend.Body.Attributes[outside] != nil {
					t.Errorf("the backend has %s", outside)
				}
			}
			return
		}
	}
	t.Error("there is no backend")
}

// TestTheAccountIsReadBeforeAnythingElse: what is wrong with the workspace or the
// credentials is to stop a plan before anything is read with them.
func TestTheAccountIsReadBeforeAnythingElse(t *testing.T) {
	for _, root := range []string{"terraform", "terraform/member", "terraform/memberevents"} {
		for _, b := range blocks(t, root+"/*.tf") {
			if b.kind == "data" && b.labels[0] == "alicloud_account" {
				if !strings.Contains(b.text, "terraform.workspace ==") || !strings.Contains(b.text, "self.id == var.") {
					t.Errorf("deploy/%s compares neither workspace nor account", root)
				}
			}
		}
	}
	ledger := filepath.Join(deploy, "terraform", "ledger.tf")
	for _, compares := range []string{"b.location == ", "length(self.buckets) > 0 || local.home"} {
		if !strings.Contains(string(read(t, ledger)), compares) {
			t.Errorf("the home region is not compared with the ledger's: no %q", compares)
		}
	}
}
