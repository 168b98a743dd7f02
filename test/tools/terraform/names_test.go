package terraform_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// nameArguments are those by which the cloud, or a person, distinguishes resources.
var nameArguments = []string{
	"queue_name", "rule_name", "event_bus_name", "role_name", "policy_name", "control_policy_name", "bucket",
	"project_name", "trail_name", "dashboard_name", "alert_name",
}

// TestWhatIsMadeHasOurPrefix: names that stand in the configuration. Names that are built
// from other files are checked there.
func TestWhatIsMadeHasOurPrefix(t *testing.T) {
	for _, b := range everything(t) {
		if b.kind != "resource" {
			continue
		}
		for _, name := range nameArguments {
			a := b.body.Attributes[name]
			if a == nil {
				continue
			}
			text := literal(a.Expr)
			ours := strings.HasPrefix(text, "fleetwarden") ||
				text == "default" && name == "event_bus_name" // the services' own
			if text != "" && !ours {
				t.Errorf("%s: %s = %q", b.name(), name, text)
			}
		}
	}
	for _, q := range decode[queueFile](t, filepath.Join(deploy, "queues.json")).Queues {
		if !strings.HasPrefix(q.Name, "fleetwarden-") {
			t.Errorf("a queue is called %s", q.Name)
		}
	}
	if !regexp.MustCompile(`fleetwarden-\$\{rule\}-to-`).MatchString(all(t)) {
		t.Error("event rules have another prefix")
	}
}

// literal is the text with which an expression begins; empty for one that is no text.
func literal(e hclsyntax.Expression) string {
	template, ok := e.(*hclsyntax.TemplateExpr)
	if !ok {
		return ""
	}
	if value, diags := template.Parts[0].Value(nil); !diags.HasErrors() {
		return value.AsString()
	}
	return ""
}

// TestWhatCarriesTagsHasOurs: a deployment is known by its tag.
func TestWhatCarriesTagsHasOurs(t *testing.T) {
	known := provider(t).Resources
	tagged := 0
	for _, b := range everything(t) {
		if b.kind != "resource" || known[b.labels[0]].Arguments["tags"] == "" {
			continue
		}
		tagged++
		a := b.body.Attributes["tags"]
		if a == nil || !slices.Contains(references(a.Expr), "local.tags") {
			t.Errorf("%s takes tags and does not have local.tags", b.name())
		}
	}
	if tagged == 0 {
		t.Error("nothing takes tags")
	}
	for _, root := range []string{"terraform", "terraform/member", "guard"} {
		if text := rootText(t, root); !strings.Contains(text, `tags = { "fleetwarden:deployment" = var.deployment }`) {
			t.Errorf("deploy/%s has other tags", root)
		}
	}
}

// rootText is the text of a root without the layout of its spaces.
func rootText(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	for _, path := range glob(t, root+"/*.tf") {
		b.Write(read(t, path))
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// references are the first two steps of what an expression refers to.
func references(e hclsyntax.Expression) []string {
	var out []string
	for _, v := range e.Variables() {
		name := v.RootName()
		if split := v.SimpleSplit(); len(split.Rel) > 0 {
			if attr, ok := split.Rel[0].(hcl.TraverseAttr); ok {
				name += "." + attr.Name
			}
		}
		out = append(out, name)
	}
	return out
}
