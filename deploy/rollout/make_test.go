package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tool stands for each tool of "make deploy" and "make remove": it notes how it is called,
// fails where FAIL matches that, and answers what the recipes read.
const tool = `#!/bin/sh
call="$(basename "$0") $*"
echo "$call" >> calls
case "$call" in $FAIL) exit 1;; esac
case "$call" in
*"rollout names"*) echo sweep;;
*"rollout account"*) echo 1000000000000001;;
*"output -raw environment"*) echo "export REGION=cn-shanghai";;
*"state list"*) echo "alicloud_oss_bucket.ledger[0]";;
esac
`

// calls runs a target of the Makefile with tools that only note their calls.
func calls(t *testing.T, target, fail string, variables ...string) (calls string, err error) {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		t.Fatalf("the Makefile's targets are tested here: %v", err)
	}
	dir := t.TempDir()
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		"Makefile": string(text), "deploy/terraform/main.tf": "", "bin/s": tool, "bin/terraform": tool, "bin/go": tool, "bin/git": tool,
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "make", append([]string{"-C", dir, target}, variables...)...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "FAIL="+fail, "MAKEFLAGS=", "MAKELEVEL=")
	cmd.Env = slices.DeleteFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, "REGION=") })
	out, err := cmd.CombinedOutput()
	got, readErr := os.ReadFile(filepath.Join(dir, "calls"))
	if readErr != nil && err == nil {
		t.Fatalf("%v: %s", readErr, out)
	}
	return string(got), err // no tool is called where a target ends at once
}

const shanghai = "REGION=cn-shanghai"

// The region that is deployed by default is home, on which the others rely.
func TestARemovalNamesItsRegion(t *testing.T) {
	if got, err := calls(t, "remove", "nothing"); err == nil || strings.Contains(got, "remove") {
		t.Errorf("make remove: %v, after\n%s", err, got)
	}
}

// A step that fails ends the command before the steps that rely on it.
func TestTargetsEndWhereAStepFails(t *testing.T) {
	for _, c := range []struct{ target, fail, never string }{
		{"deploy", "go run ./deploy/rollout prepare*", "terraform"},
		{"deploy", "go run ./deploy/rollout account*", " apply "},
		{"deploy", "terraform * apply*", "s deploy"},
		{"deploy", "s deploy*", "rollout confirm"},
		{"deploy", "go run ./deploy/rollout confirm*", ""},
		{"remove", "go run ./deploy/rollout names -rendered*", "remove"},
		{"remove", "s sweep remove*", "terraform"},
		{"remove", "go run ./deploy/rollout removed*", "terraform"},
		{"remove", "terraform * state rm*", "destroy"},
	} {
		got, err := calls(t, c.target, c.fail, shanghai)
		if err == nil || c.never != "" && strings.Contains(got, c.never) {
			t.Errorf("make %s, where %q fails: %v, after\n%s", c.target, c.fail, err, got)
		}
	}
	for target, last := range map[string]string{"deploy": "rollout confirm", "remove": "destroy"} {
		if got, err := calls(t, target, "nothing", shanghai); err != nil || !strings.Contains(got, last) {
			t.Errorf("make %s: %v, after\n%s", target, err, got)
		}
	}
}

// Terraform's credentials are not those of the other tools; it compares their account.
func TestTerraformIsGivenTheAccountOfTheFunctions(t *testing.T) {
	for target, command := range map[string]string{"deploy": " apply ", "remove": " destroy "} {
		got, err := calls(t, target, "nothing", shanghai)
		_, call, _ := strings.Cut(got, command)
		call, _, _ = strings.Cut(call, "\n")
		if err != nil || !strings.Contains(call, "-var functions_account=1000000000000001") {
			t.Errorf("make %s calls terraform%s%s: %v", target, command, call, err)
		}
	}
}

// A variable is one argument, whatever stands in it; Terraform and rollout refuse it then.
func TestAVariableIsNoCommand(t *testing.T) {
	for _, target := range []string{"deploy", "remove"} {
		for _, variable := range []string{"DEPLOYMENT", "HOME_REGION", "POLICY"} {
			got, err := calls(t, target, "nothing", shanghai, variable+"=x; git injected")
			if err != nil || strings.Contains(got, "\ngit injected") {
				t.Errorf("make %s %s=…: %v, after\n%s", target, variable, err, got)
			}
		}
	}
}
