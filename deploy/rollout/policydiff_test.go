package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/shared/cli"
	"fleetwarden/shared/command"
	"fleetwarden/shared/policy"
)

// The tool compares the policy file with what was deployed, by the record that confirm keeps; the
// local cloud does not give out code.
func TestThePolicyFileIsComparedWithWhatWasDeployed(t *testing.T) {
	x := newSite(t)
	x.pack(string(policy.Default().JSON()))
	x.must("prepare")
	x.fc3.deploy(x.manifest())
	x.must("confirm")
	diff := func(content string) (status int, out, said string) {
		file := filepath.Join(t.TempDir(), "policy.yaml")
		x.ok(os.WriteFile(file, []byte(content), 0o600))
		var stdout, stderr bytes.Buffer
		status = cli.Main(t.Context(), cli.Env{Args: []string{"policy", "diff", "--policy", file}, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: os.Getenv},
			"tries things", command.Policy(cli.Deployed))
		return status, stdout.String(), stderr.String()
	}
	n := len(x.manifest().Resources)
	status, out, said := diff("version: 1 # as shipped\n")
	if status != 0 || strings.Count(out, "the file") != n || strings.Count(out, "record") != n {
		t.Errorf("the same: %d\n%s%s", status, out, said)
	}
	status, out, said = diff("version: 1\nlimits: {maxChanges: 7}\n")
	if status != 1 || strings.Count(out, "another policy") != n || !strings.Contains(out, "what differs could not be read") || !strings.Contains(said, "carry another policy than") {
		t.Errorf("another: %d\n%s%s", status, out, said)
	}

	// A function that was changed beside the deployment is not taken for what the record says.
	x.pack("two")
	x.fc3.deploy(x.manifest())
	status, out, said = diff("version: 1\n")
	if status != 1 || strings.Count(out, "not read") != n || !strings.Contains(said, "the policy could not be read") {
		t.Errorf("changed: %d\n%s%s", status, out, said)
	}
}
