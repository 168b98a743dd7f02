// Package terraform_test reads deploy/terraform and deploy/guard as HCL, beside the files
// that they deploy: each is deployed, nothing is granted broadly, no secret stands there,
// and the arguments are those of the pinned provider, as far as its schema says. It is in
// the linters' module, since only it needs an HCL parser. "make deploy-check" has the
// provider itself look, where it is.
package terraform_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

const deploy = "../../../deploy"

// block is a block at the top of a file, with its text.
type block struct {
	kind   string
	labels []string
	body   *hclsyntax.Body
	text   string
}

func (b block) name() string { return strings.Join(append([]string{b.kind}, b.labels...), ".") }

// configuration is deploy/terraform without what is for other accounts.
func configuration(t *testing.T) []block { return blocks(t, "terraform/*.tf") }

// roots are all configurations that are applied by themselves.
var roots = []string{"terraform", "terraform/member", "terraform/memberevents", "guard"}

// everything is the blocks of all roots.
func everything(t *testing.T) []block {
	t.Helper()
	var all []block
	for _, root := range roots {
		all = append(all, blocks(t, root+"/*.tf")...)
	}
	return all
}

func blocks(t *testing.T, pattern string) []block {
	t.Helper()
	var out []block
	for _, path := range glob(t, pattern) {
		source := read(t, path)
		file, diags := hclparse.NewParser().ParseHCL(source, path)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, b := range file.Body.(*hclsyntax.Body).Blocks {
			out = append(out, block{b.Type, b.Labels, b.Body, string(b.Range().SliceBytes(source)) + string(b.Body.Range().SliceBytes(source))})
		}
	}
	return out
}

// resource is the one resource of a type and name.
func resource(t *testing.T, typ, name string) block {
	t.Helper()
	for _, b := range configuration(t) {
		if slices.Equal(append([]string{b.kind}, b.labels...), []string{"resource", typ, name}) {
			return b
		}
	}
	t.Fatalf("no resource %s.%s", typ, name)
	return block{}
}

// all is the text of the configuration without comments and the layout of its spaces.
func all(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, part := range configuration(t) {
		b.WriteString(part.text + "\n")
	}
	text := regexp.MustCompile(`(?m)(^|\s)#.*$`).ReplaceAllString(b.String(), "")
	return strings.Join(strings.Fields(text), " ")
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(deploy, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return paths
}

// stems are the file names of a pattern without .json.
func stems(t *testing.T, pattern string) []string {
	t.Helper()
	var out []string
	for _, path := range glob(t, pattern) {
		out = append(out, strings.TrimSuffix(filepath.Base(path), ".json"))
	}
	return out
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func decode[T any](t *testing.T, path string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(read(t, path), &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

func TestEachDeployedFileIsReadByTheConfiguration(t *testing.T) {
	text := all(t)
	for _, reads := range []string{
		`jsondecode(file("${local.deploy}/queues.json")).queues`,
		`file("${local.deploy}/eventrules/${each.value.rule}.json")`,
		`fileset("${local.deploy}/ram", "*.json")`,
		`file("${local.deploy}/ram/${f}")`,
		`file("${local.deploy}/ram/optional/${name}.json")`,
		`jsondecode(file("${local.deploy}/commands/commands.json")).commands`,
		`filebase64("${local.deploy}/commands/${each.value.file}")`,
	} {
		if !strings.Contains(text, reads) {
			t.Errorf("nothing reads %s", reads)
		}
	}
	for typ, name := range map[string]string{
		"alicloud_message_service_queue": "inbox",
		"alicloud_event_bridge_rule":     "to_inbox",
		"alicloud_ram_role":              "function",
		"alicloud_ram_policy":            "global",
		"alicloud_ecs_command":           "this",
	} {
		if resource(t, typ, name).body.Attributes["for_each"] == nil {
			t.Errorf("%s.%s is not made for each", typ, name)
		}
	}
}

type queueFile struct {
	Queues []struct {
		Name, Where, When       string
		EventRules, MemberRules []string
		DeadLetter              *struct{ Queue string }
	}
}

func TestEachEventRuleFillsAnInboxOrWakesAFunction(t *testing.T) {
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`deploy/eventrules/([a-z-]+)\.json`).FindAllStringSubmatch(string(read(t, filepath.Join(deploy, "../s.yaml"))), -1) {
		used[m[1]] = true
	}
	for _, q := range decode[queueFile](t, filepath.Join(deploy, "queues.json")).Queues {
		for _, rule := range q.EventRules {
			used[rule] = true
		}
	}
	for _, rule := range stems(t, "eventrules/*.json") {
		if !used[rule] {
			t.Errorf("eventrules/%s.json is used by neither queues.json nor s.yaml", rule)
		}
		delete(used, rule)
	}
	for rule := range used {
		t.Errorf("there is no eventrules/%s.json", rule)
	}
}

// Nothing of ours reads these two: no message in them is ever received too often.
var unread = []string{"fleetwarden-dead-letters", "fleetwarden-findings"}

func TestEachInboxEndsInTheDeadLettersThatTheRulesName(t *testing.T) {
	for _, q := range decode[queueFile](t, filepath.Join(deploy, "queues.json")).Queues {
		if end := slices.Contains(unread, q.Name); end != (q.DeadLetter == nil) || !end && q.DeadLetter.Queue != "fleetwarden-dead-letters" {
			t.Errorf("%s: its dead letters are %+v", q.Name, q.DeadLetter)
		}
	}
}

func TestEachRoleOfTheManifestHasAFileAndEachOptionOneFunction(t *testing.T) {
	functions := stems(t, "ram/*.json")
	for _, m := range regexp.MustCompile(`(?m)^\s+role: fleetwarden-([a-z-]+)$`).FindAllStringSubmatch(string(read(t, filepath.Join(deploy, "../s.yaml"))), -1) {
		if !slices.Contains(functions, m[1]) {
			t.Errorf("s.yaml has role fleetwarden-%s; there is no ram/%[1]s.json", m[1])
		}
	}
	for _, option := range stems(t, "ram/optional/*.json") {
		of := 0
		for _, f := range functions {
			if strings.HasPrefix(option, f+"-") {
				of++
			}
		}
		if of != 1 {
			t.Errorf("ram/optional/%s.json belongs to %d functions", option, of)
		}
	}
}

// oneOrMore is a JSON string or an array of them.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

// unnarrowed are the actions that may stand on "*": those that speak of the account as
// a whole, or for which no narrower resource is documented.
var unnarrowed = regexp.MustCompile(`^(kms:DescribeAccountKmsStatus|yundun-sas:[A-Za-z]+|actiontrail:(LookupEvents|DescribeTrails|GetTrailStatus)|fc:(Get|List)[A-Za-z]+|cms:[A-Za-z]+MetricLast|eventbridge:TestEventPattern|resourcemanager:(Get|List)[A-Za-z]+|resourcesharing:List[A-Za-z]+|(ecs|resourcesharing):DescribeRegions|kms:ListKeys|sts:GetCallerIdentity|dm:SingleSendMail)$`)

func TestNoPolicyGrantsByWildcard(t *testing.T) {
	type policy struct {
		Statement []struct {
			Effect           string
			Action, Resource oneOrMore
		}
	}
	for _, path := range slices.Concat(glob(t, "ram/*.json"), glob(t, "ram/optional/*.json"), glob(t, "ram/member/policy.json")) {
		for _, s := range decode[policy](t, path).Statement {
			for _, action := range s.Action {
				if s.Effect == "Allow" && strings.Contains(action, "*") {
					t.Errorf("%s allows %s", path, action)
				}
				if slices.Contains(s.Resource, "*") && !unnarrowed.MatchString(action) {
					t.Errorf("%s allows %s on everything", path, action)
				}
			}
		}
	}
	for _, b := range everything(t) {
		if strings.Contains(b.text, `"*"`) || regexp.MustCompile(`FullAccess|AdministratorAccess|policy_type\s*=\s*"System"`).MatchString(b.text) {
			t.Errorf("%s grants broadly", b.name())
		}
	}
}

// A member account gets the role with its files, and nothing else.
func TestAMemberGetsTheRoleOfItsFilesAlone(t *testing.T) {
	var resources []string
	var text strings.Builder
	for _, b := range blocks(t, "terraform/member/*.tf") {
		text.WriteString(b.text)
		if b.kind == "resource" {
			resources = append(resources, b.labels[0])
		}
		if (b.kind == "variable") && (b.body.Attributes["description"] == nil || b.body.Attributes["type"] == nil) {
			t.Errorf("%s has no description or no type", b.name())
		}
	}
	if want := []string{"alicloud_ram_role", "alicloud_ram_policy", "alicloud_ram_role_policy_attachment"}; !slices.Equal(resources, want) {
		t.Errorf("it makes %v, want %v", resources, want)
	}
	for _, part := range []string{
		`file("${local.ram}/member/policy.json")`, `file("${local.ram}/optional/${name}.json")`,
		`file("${local.ram}/member/trust.json"), "{home}", var.home`, "self.id == var.member", "terraform.workspace == var.member",
	} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("it lacks %s", part)
		}
	}
	var trust struct {
		Statement []struct {
			Action    oneOrMore
			Principal map[string]oneOrMore
		}
	}
	if err := json.Unmarshal(read(t, filepath.Join(deploy, "ram/member/trust.json")), &trust); err != nil || len(trust.Statement) != 1 {
		t.Fatalf("%+v, %v", trust, err)
	}
	for kind, principals := range trust.Statement[0].Principal {
		for _, p := range principals {
			if kind != "RAM" || !regexp.MustCompile(`^acs:ram::\{home\}:role/fleetwarden-[a-z-]+$`).MatchString(p) {
				t.Errorf("the role trusts %s %s", kind, p)
			}
		}
	}
}

func TestAPolicyNamesOnlyCommandsThatAreMade(t *testing.T) {
	type commands struct {
		Commands []struct{ Name string }
	}
	var names []string
	for _, c := range decode[commands](t, filepath.Join(deploy, "commands/commands.json")).Commands {
		names = append(names, c.Name)
	}
	for _, path := range append(glob(t, "ram/*.json"), glob(t, "ram/optional/*.json")...) {
		for _, m := range regexp.MustCompile(`\{(fleetwarden-[a-z-]+)\}`).FindAllSubmatch(read(t, path), -1) {
			if !slices.Contains(names, string(m[1])) {
				t.Errorf("%s names command %s", path, m[1])
			}
		}
	}
}

func TestTheConfigurationHoldsNoSecret(t *testing.T) {
	if m := regexp.MustCompile(`(?i)access_key|secret_key|security_token|password|LTAI[0-9a-z]{8}`).FindString(all(t)); m != "" {
		t.Errorf("%q: credentials come from outside", m)
	}
}

func TestEachVariableAndOutputIsDescribedAndUsed(t *testing.T) {
	text := all(t)
	for _, b := range configuration(t) {
		if b.kind != "variable" && b.kind != "output" {
			continue
		}
		if b.body.Attributes["description"] == nil {
			t.Errorf("%s has no description", b.name())
		}
		if b.kind == "variable" && b.body.Attributes["type"] == nil {
			t.Errorf("%s has no type", b.name())
		}
		if b.kind == "variable" && !regexp.MustCompile(`var\.`+b.labels[0]+`\b`).MatchString(text) {
			t.Errorf("%s is not used", b.name())
		}
	}
}

// Resources of the account, not of a region, must not be made again in each region.
func TestResourcesOfTheAccountAreMadeInTheHomeRegion(t *testing.T) {
	once := regexp.MustCompile(`^alicloud_(ram_role\..*|ram_policy\.(global|members)|ram_role_policy_attachment\.members|oss_.*|log_.*\.trail|actiontrail_trail\..*)$`)
	for _, b := range configuration(t) {
		if b.kind != "resource" || !once.MatchString(strings.Join(b.labels, ".")) {
			continue
		}
		if !regexp.MustCompile(`(count|for_each)\s*=.*local\.(home|trail)\b`).MatchString(b.text) {
			t.Errorf("%s is made in every region", b.name())
		}
	}
}

// TestTheLedgersBucketNeverHasVersioning: OSS ignores x-oss-forbid-overwrite in a bucket
// that has it, or ever had it.
func TestTheLedgersBucketNeverHasVersioning(t *testing.T) {
	for _, b := range configuration(t) {
		if len(b.labels) > 0 && b.labels[0] == "alicloud_oss_bucket_versioning" {
			t.Errorf("%s gives a bucket versioning", b.name())
		}
	}
	bucket := resource(t, "alicloud_oss_bucket", "ledger")
	refused := false
	for _, part := range bucket.body.Blocks {
		switch part.Type {
		case "versioning":
			t.Error("the ledger's bucket has versioning")
		case "lifecycle_rule":
			for _, rule := range part.Body.Blocks {
				if strings.HasPrefix(rule.Type, "noncurrent") {
					t.Errorf("the rule %s is about versions", rule.Type)
				}
			}
		case "lifecycle":
			for _, rule := range part.Body.Blocks {
				if condition := rule.Body.Attributes["condition"]; rule.Type == "precondition" && condition != nil {
					for _, v := range condition.Expr.Variables() {
						refused = refused || (v.RootName() == "data" && strings.Contains(bucket.text, "alicloud_oss_buckets.ledger.buckets[*].versioning"))
					}
				}
			}
		}
	}
	if !refused {
		t.Error("a bucket that has versioning is not refused")
	}
}
