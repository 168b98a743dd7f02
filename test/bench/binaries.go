package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"fleetwarden/shared/policy"
)

// binaries are what is started, with the policy file that they load.
type binaries struct {
	function, notify, empty, bare binary
	policy                        string
}

type binary struct {
	path string
	size int64
}

func (b binary) megabytes() float64 { return float64(b.size) / 1e6 }

// build compiles attach-role and notify as "make package" does, and two empty handlers by the
// same flags, and writes the shipped policy in its compact form.
func build(ctx context.Context, root, dir string) (*binaries, error) {
	b := &binaries{policy: filepath.Join(dir, "policy.json")}
	var err error
	if b.function, err = compile(ctx, root, filepath.Join(dir, "attach-role", "main"), "./functions/attachrole"); err != nil {
		return nil, err
	}
	if b.notify, err = compile(ctx, root, filepath.Join(dir, "notify", "main"), "./functions/notify"); err != nil {
		return nil, err
	}
	bench := filepath.Join(root, "test", "bench")
	if b.empty, err = compile(ctx, bench, filepath.Join(dir, "empty", "main"), "./emptyhandler"); err != nil {
		return nil, err
	}
	if b.bare, err = compile(ctx, bench, filepath.Join(dir, "bare", "main"), "./barehandler"); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, "deploy", "policy.yaml"))
	if err != nil {
		return nil, fmt.Errorf("reading the shipped policy: %w", err)
	}
	p, err := policy.Load("policy.yaml", text)
	if err != nil {
		return nil, fmt.Errorf("loading the shipped policy: %w", err)
	}
	return b, os.WriteFile(b.policy, p.JSON(), 0o600)
}

func compile(ctx context.Context, dir, out, pkg string) (binary, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return binary{}, fmt.Errorf("building %s: %w\n%s", pkg, err, text)
	}
	st, err := os.Stat(out)
	if err != nil {
		return binary{}, fmt.Errorf("building %s: %w", pkg, err)
	}
	return binary{out, st.Size()}, nil
}
