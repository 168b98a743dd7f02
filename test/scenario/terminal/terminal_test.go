package terminal_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
)

const root = "../../.."

// binaries is the variable that holds the folder of the functions, built once.
const binaries = "TERMINAL_BIN"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fleetwarden-terminal-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", dir, "./functions/attachrole", "./functions/validateinstance")
	build.Dir, build.Stderr = root, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the functions:", err)
		return 1
	}
	if err := os.Setenv(binaries, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func TestFunctionsInATerminal(t *testing.T) {
	bin := os.Getenv(binaries)
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
				"PATH": bin, "SAMPLES": filepath.Join(top, "events", "samples"),
				aliyun.EndpointVariable:       cloud.URL(),
				"ALIBABA_CLOUD_ACCESS_KEY_ID": "local-ak", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "local-sk",
			} {
				env.Setenv(name, value)
			}
			return nil
		},
	})
}
