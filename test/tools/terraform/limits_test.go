package terraform_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// RAM's limits: characters of a custom policy, and custom policies on a role. An account
// may ask for more; these are the defaults. Provider's documentation, alicloud_ram_policy;
// https://www.alibabacloud.com/help/en/ram/product-overview/limits
const (
	policyLength    = 6144
	policiesOnARole = 10
)

// statements are a RAM file's, each as JSON.
func statements(t *testing.T, path string) []string {
	t.Helper()
	var out []string
	for _, s := range decode[struct{ Statement []json.RawMessage }](t, path).Statement {
		var b bytes.Buffer
		if err := json.Compact(&b, s); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out = append(out, b.String())
	}
	return out
}

// document is a policy of the statements, as Terraform writes it.
func document(statements []string) string {
	return `{"Statement":[` + strings.Join(statements, ",") + `],"Version":"1"}`
}

// TestARoleHoldsItsPoliciesWhateverIsOptional: with everything optional, which is the
// longest, each function has one document that RAM takes, and beside it one for each region
// only if it names commands.
func TestARoleHoldsItsPoliciesWhateverIsOptional(t *testing.T) {
	for _, function := range stems(t, "ram/*.json") {
		all := statements(t, filepath.Join(deploy, "ram", function+".json"))
		for _, option := range stems(t, "ram/optional/*.json") {
			if strings.HasPrefix(option, function+"-") {
				all = append(all, statements(t, filepath.Join(deploy, "ram/optional", option+".json"))...)
			}
		}
		var global, regional []string
		for _, s := range all {
			if strings.Contains(s, "{fleetwarden-") {
				regional = append(regional, s)
			} else {
				global = append(global, s)
			}
		}
		for of, part := range map[string][]string{"its policy": global, "its regional policy": regional} {
			if n := len(document(part)); n > policyLength {
				t.Errorf("%s: %s has %d characters of %d", function, of, n, policyLength)
			}
		}
	}
	text := all(t)
	for _, once := range []string{
		`resource "alicloud_ram_policy" "global" { for_each = { for f, statements in local.global : f => statements if local.home }`,
		`resource "alicloud_ram_policy" "regional" { for_each = local.regional`,
	} {
		if !strings.Contains(text, once) {
			t.Errorf("a function has another number of policies: no %s", once)
		}
	}
	if n := strings.Count(rootText(t, "terraform"), `resource "alicloud_ram_role_policy_attachment"`); n > 3 {
		t.Errorf("%d kinds of attachment: which of them go to one role?", n)
	}
	if readme := string(read(t, filepath.Join(deploy, "terraform/README.md"))); !strings.Contains(readme, "nine regions") {
		t.Errorf("README.md does not say that a role of %d policies has commands of nine regions at most", policiesOnARole)
	}
}

// TestAMembersRoleIsOneDocument with everything that may be optional there.
func TestAMembersRoleIsOneDocument(t *testing.T) {
	all := statements(t, filepath.Join(deploy, "ram/member/policy.json"))
	for _, option := range stems(t, "ram/optional/*.json") {
		if strings.HasSuffix(option, "-members") || strings.HasSuffix(option, "-findings") {
			continue // refused there
		}
		for _, s := range statements(t, filepath.Join(deploy, "ram/optional", option+".json")) {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	if n := len(document(all)); n > policyLength {
		t.Errorf("it has %d characters of %d", n, policyLength)
	}
	for _, s := range all {
		if strings.Contains(s, "{fleetwarden-") {
			t.Errorf("commands are the home account's: %s", s)
		}
	}
}

// TestAGuardIsOneDocument for a control policy, whose limit is lower, with what keeps it
// from the functions' own roles.
func TestAGuardIsOneDocument(t *testing.T) {
	const controlPolicyLength = 4096
	var all []string
	for _, file := range glob(t, "guard/*.json") {
		all = append(all, statements(t, file)...)
	}
	exempt := len(`"Condition":{"StringNotLike":{"acs:PrincipalARN":["acs:ram:*:*:role/fleetwarden-*","acs:ram:*:*:role/FleetwardenMember","acs:ram:*:*:role/fleetwardenmember"]}},`)
	if n := len(document(all)) + exempt*len(all); n > controlPolicyLength {
		t.Errorf("it has %d characters of %d", n, controlPolicyLength)
	}
	for _, s := range all {
		if !strings.Contains(s, `"Effect":"Deny"`) {
			t.Errorf("the guard allows: %s", s)
		}
	}
}
