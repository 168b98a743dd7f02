package terminal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/shared/aliyun"
)

const root = "../../.."

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fleetwarden-terminal-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin, err := stack.Built(context.Background(), root, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.Setenv("PATH", bin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func TestChecksInATerminal(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true, Cmds: commands,
		Setup: func(env *testscript.Env) error {
			top, err := filepath.Abs(root)
			if err != nil {
				return err
			}
			cloud, err := server.New(server.Options{})
			if err != nil {
				return err
			}
			env.Values[cloudKey{}] = cloud
			env.Defer(func() { _ = cloud.Close() })
			for name, value := range map[string]string{
				"SAMPLES":                     filepath.Join(top, "events", "samples"),
				aliyun.EndpointVariable:       cloud.URL(),
				"ALIBABA_CLOUD_ACCESS_KEY_ID": "local-ak", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "local-sk",
			} {
				env.Setenv(name, value)
			}
			return nil
		},
	})
}
