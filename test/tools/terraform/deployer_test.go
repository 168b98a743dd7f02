package terraform_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rights is testdata/rights.json.
type rights struct {
	Types map[string][]string
	Steps map[string][]string
}

// of are the actions that the types of deploy/terraform and the steps need.
func (r rights) of(t *testing.T) map[string]string {
	t.Helper()
	needs := map[string]string{}
	used := map[string]bool{}
	for _, b := range configuration(t) {
		if (b.kind == "resource" || b.kind == "data") && r.Types[b.labels[0]] == nil {
			t.Errorf("testdata/rights.json does not say what %s needs", b.labels[0])
		}
		if b.kind == "resource" || b.kind == "data" {
			used[b.labels[0]] = true
		}
	}
	for name, actions := range r.Types {
		if !used[name] {
			t.Errorf("testdata/rights.json has %s, which is used no more", name)
		}
		for _, a := range actions {
			needs[a] = name
		}
	}
	for name, actions := range r.Steps {
		for _, a := range actions {
			needs[a] = name
		}
	}
	return needs
}

// TestTheDeployerMayDoWhatDeployingNeedsAndNoMore: both directions, so that neither a new
// resource lacks its rights nor a right outlives its resource.
func TestTheDeployerMayDoWhatDeployingNeedsAndNoMore(t *testing.T) {
	needs := decode[rights](t, "testdata/rights.json").of(t)
	type statement struct {
		Action, Resource oneOrMore
		Condition        map[string]map[string]oneOrMore
	}
	policy := decode[struct{ Statement []statement }](t, filepath.Join(deploy, "terraform/deployer.json"))
	may := map[string]bool{}
	for _, s := range policy.Statement {
		for _, action := range s.Action {
			may[action] = true
			if needs[action] == "" {
				t.Errorf("it allows %s, which nothing needs", action)
			}
			if strings.Contains(action, "*") {
				t.Errorf("it allows %s", action)
			}
			if slices.Contains(s.Resource, "*") && !wide(action) && s.Condition == nil {
				t.Errorf("it allows %s on everything", action)
			}
		}
		for _, r := range s.Resource {
			if r != "*" && !strings.Contains(r, "fleetwarden-") && !slices.Contains(broad(s.Action), r) {
				t.Errorf("it is about %s, which is not only ours", r)
			}
		}
	}
	for action, of := range needs {
		if !may[action] {
			t.Errorf("%s needs %s", of, action)
		}
	}
	// The ledger is to outlive its deployment, and so is what protects it.
	for _, never := range []string{"oss:DeleteBucket", "oss:DeleteObject", "oss:DeleteBucketEncryption", "oss:DeleteBucketPublicAccessBlock", "oss:PutBucketVersioning"} {
		if may[never] {
			t.Errorf("it allows %s", never)
		}
	}
	if n := len(document(statements(t, filepath.Join(deploy, "terraform/deployer.json")))); n > policyLength {
		t.Errorf("it has %d characters of %d", n, policyLength)
	}
}

// broad are resources, not only ours, below which RAM cannot go for all of the actions:
// what is made has no name yet to RAM (the table of doc-detail/102666 and 159974 has role/*
// and policy/*, EventBridge's page on CreateEventBus eventbus/*), and ActionTrail's actions are about all trails (doc-detail/103029).
func broad(actions []string) []string {
	resources := map[string][]string{
		"ecs:":                            {"acs:ecs:*:*:command/*"},
		"ram:GetRole":                     {"acs:ram:*:*:role/AliyunServiceRoleFor*"},
		"ram:CreateRole ram:CreatePolicy": {"acs:ram:*:*:role/*", "acs:ram:*:*:policy/*"},
		"eventbridge:":                    {"acs:eventbridge:*:*:eventbus/default/rule/*"},
		"eventbridge:CreateEventBus":      {"acs:eventbridge:*:*:eventbus/*"},
		"actiontrail:":                    {"acs:actiontrail:*:*:*"},
	}
	product, _, _ := strings.Cut(actions[0], ":")
	return append(resources[strings.Join(actions, " ")], resources[product+":"]...)
}

// TestTheDeployerIsAskedAboutWhatRAMAsks: a right on a narrower resource is none.
func TestTheDeployerIsAskedAboutWhatRAMAsks(t *testing.T) {
	type statement struct{ Action, Resource oneOrMore }
	policy := decode[struct{ Statement []statement }](t, filepath.Join(deploy, "terraform/deployer.json"))
	asked := map[string]string{
		"eventbridge:CreateEventBus": "acs:eventbridge:*:*:eventbus/*",
		"ram:CreateRole":             "acs:ram:*:*:role/*", "ram:CreatePolicy": "acs:ram:*:*:policy/*", "actiontrail:CreateTrail": "acs:actiontrail:*:*:*",
		"actiontrail:StartLogging": "acs:actiontrail:*:*:*", "actiontrail:DeleteTrail": "acs:actiontrail:*:*:*",
	}
	for action, resource := range asked {
		if !slices.ContainsFunc(policy.Statement, func(s statement) bool {
			return slices.Contains(s.Action, action) && slices.Contains(s.Resource, resource)
		}) {
			t.Errorf("%s is asked about %s, which it does not allow", action, resource)
		}
	}
}

// wide are actions without a narrower resource: lists, the caller itself, alarm rules,
// whose ids are known only afterwards, and Function Compute's, for which RAM's page lists
// no other. The account's own trail, of whatever name, is asked whether it logs.
func wide(action string) bool {
	product, name, _ := strings.Cut(action, ":")
	return product == "cms" || product == "fc" || strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Describe") ||
		name == "GetCallerIdentity" || name == "GetTrailStatus"
}

// TestTheDeployerMakesOnlyTheRolesThatTheReadmeNames.
func TestTheDeployerMakesOnlyTheRolesThatTheReadmeNames(t *testing.T) {
	type statement struct {
		Action    oneOrMore
		Condition map[string]map[string]oneOrMore
	}
	readme := string(read(t, filepath.Join(deploy, "terraform/README.md")))
	found := 0
	for _, s := range decode[struct{ Statement []statement }](t, filepath.Join(deploy, "terraform/deployer.json")).Statement {
		if !slices.Contains(s.Action, "ram:CreateServiceLinkedRole") {
			continue
		}
		for _, service := range s.Condition["StringEquals"]["ram:ServiceName"] {
			found++
			if !strings.Contains(readme, "`"+service+"`") {
				t.Errorf("README.md does not name %s", service)
			}
		}
	}
	if want := strings.Count(readme, "| `AliyunServiceRoleFor"); found == 0 || found != want {
		t.Errorf("it may make %d service-linked roles, and README.md names %d", found, want)
	}
}
