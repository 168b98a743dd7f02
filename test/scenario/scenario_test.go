package scenario_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"fleetwarden/deploy/local/stack"

	"github.com/rogpeppe/go-internal/testscript"
)

// woken are the functions that events, messages and timers wake; only an operator wakes
// backfill.
var woken = []string{"attach-role", "push-agent", "setup-share-role", "notify", "sweep", "validate-instance", "watch-shares"}

const root = "../.."

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fleetwarden-scenario-")
	if err == nil {
		defer os.RemoveAll(dir)
		var bin string
		var all []string
		if all, err = stack.Functions(root); err == nil {
			bin, err = stack.Built(context.Background(), root, dir, all...)
		}
		if err == nil {
			err = os.Setenv("SCENARIO_BIN", bin)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// The binaries are built from sources that this test does not import. Reading their
// folders makes "go test" take them for its inputs, so that it keeps no result past a
// change of them.
func TestNoResultOutlivesTheFunctions(t *testing.T) {
	for _, top := range []string{"functions", "events", "shared", "deploy/fleetwarden", "deploy/rollout"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			t.Error(err)
		}
	}
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	bin := os.Getenv("SCENARIO_BIN")
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			top, err := filepath.Abs(root)
			if err != nil {
				return err
			}
			s := &story{top: top, bin: bin, work: env.WorkDir, digests: map[string]string{}}
			env.Values[storyKey{}] = s
			env.Defer(s.close)
			env.Defer(func() {
				if found := departures(s.stage); len(found) > 0 {
					env.T().Fatal(found)
				}
			})
			env.Setenv("TOP", top)
			env.Setenv("DOCS", filepath.Join(top, "test", "scenario", "testdata", "documents"))
			env.Setenv("SYSTRUST", "AliyunECSInstanceForYundunSysTrustRole")
			return nil
		},
		Cmds: commands,
	})
}
