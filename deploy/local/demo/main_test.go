package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"
)

// longestLine is what a request line may have, in bytes, before gateways begin to refuse it.
const longestLine = 8000

// TestEveryRequestOfTheDemoIsAsPublished plays the demo and compares the parameters of each
// request with the published metadata of its API.
func TestEveryRequestOfTheDemoIsAsPublished(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	inputs(t, root)
	st, err := stage.Open(t.Context(), options(root, os.Getenv(stack.BinVariable), t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	steps, failed := play(t.Context(), io.Discard, &scene{Stage: st, root: root, bin: st.Stack.BinDir(), out: t.TempDir()})
	if failed > 0 {
		for _, s := range steps {
			if !s.OK {
				t.Errorf("%s: expected %s, seen %s", s.Name, s.Expected, s.Seen)
			}
		}
	}
	departures, calls := st.Departures()
	for _, d := range departures {
		t.Error(d)
	}
	for _, api := range []string{
		"ecs:RunInstances", "ecs:DescribeInstances", "ecs:DescribeDisks", "ecs:InvokeCommand", "ram:CreateRole", "sas:DescribeCloudCenterInstances",
		"resourcesharing:ListResourceShareAssociations", "kms:DescribeAccountKmsStatus",
	} {
		if calls[api] == 0 {
			t.Errorf("the demo did not call %s: the record is not whole, or the demo has lost a story", api)
		}
	}
	if n := st.Server.LongestLine(); n == 0 || n > longestLine {
		t.Errorf("the longest request line has %d bytes", n)
	}
	for _, total := range st.Server.Log.Totals() {
		if strings.HasPrefix(total.Code, "InvalidAction") || strings.HasPrefix(total.Code, "RequestURI") {
			t.Errorf("%s %s was refused with %s", total.Product, total.Action, total.Code)
		}
	}
}

// inputs reads the folders that the functions are built from, which this test does not
// import: "go test" takes them for its inputs, and keeps no result past a change of them.
func inputs(t *testing.T, root string) {
	t.Helper()
	for _, top := range []string{"functions", "events", "shared", "deploy/fleetwarden", "deploy/rollout"} {
		if err := filepath.WalkDir(filepath.Join(root, top), func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			t.Fatal(err)
		}
	}
}
