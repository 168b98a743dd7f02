package rules_test

import (
	"strings"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
)

// Who may write the trust of a role in one account must not write the command line of who
// reads the report.
func TestADocumentCannotLeaveItsPlaceInTheCommand(t *testing.T) {
	const kept = `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::1000000000000001:root"]},"Condition":{"StringEquals":{"sts:ExternalId":["x'; touch evil; '"]}}}`
	foreign := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"1000000000000007@ecs.aliyuncs.com"}},` + kept + `]}`
	w := sharing(fleet.See(fleet.Role{Trust: foreign}), with(string(sharee)))
	w.Sides[0].Tags = fleet.See(map[string]string{})
	_, command, found := strings.Cut(ruled(t, w, approving(enforced), policy.RuleTakeBack).Remedy, "--NewAssumeRolePolicyDocument '")
	if !found {
		t.Fatal("no command")
	}
	doc, rest, _ := strings.Cut(command, "'")
	if strings.Contains(rest, "evil") {
		t.Errorf("the document ends early, and what follows is a command: %s", rest)
	}
	got, err := rampolicy.ParseTrust(doc)
	if err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	want, err := rampolicy.ParseTrust(`{"Version":"1","Statement":[` + kept + `]}`)
	if err != nil || !got.Equal(want) {
		t.Errorf("the document means something else: %s", doc)
	}
}
