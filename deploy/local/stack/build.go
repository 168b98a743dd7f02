package stack

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"fleetwarden/deploy/local/manifest"
	"fleetwarden/deploy/local/simcloud/server"
)

// Folder is the folder below functions of the function of that name: a Go
// package name has no hyphens.
func Folder(function string) string { return strings.ReplaceAll(function, "-", "") }

// Tool is the name of the operator's tool, in the folder of the functions.
const Tool = "fleetwarden"

// Rollout is the name of the deployer's program, which reads back and records a deployment.
const Rollout = "rollout"

// Functions returns the names of all functions of the module at root: each has a file in
// deploy/ram.
func Functions(root string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(root, "deploy", "ram", "*.json"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("there is no deploy/ram/*.json in %s", root)
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	return names, err
}

// BuildAll is [Build] of all functions.
func BuildAll(ctx context.Context, root, dir string) error {
	functions, err := Functions(root)
	if err != nil {
		return fmt.Errorf("building the functions: %w", err)
	}
	return Build(ctx, root, dir, functions...)
}

// Build compiles functions of the module at root into dir/<function>/main, the operator's
// tool into dir/fleetwarden and the deployer's into dir/rollout, without what only a debugger
// reads.
func Build(ctx context.Context, root, dir string, functions ...string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("building the functions: %w", err)
	}
	built := filepath.Join(dir, ".built")
	args := []string{"build", "-ldflags=-s -w", "-o", built + string(filepath.Separator)}
	args = append(args, "./deploy/"+Tool, "./deploy/"+Rollout)
	for _, name := range functions {
		args = append(args, "./functions/"+Folder(name))
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", strings.Join(functions, ", "), err, out)
	}
	for _, name := range functions {
		if err := move(filepath.Join(built, Folder(name)), filepath.Join(dir, name, "main")); err != nil {
			return fmt.Errorf("building %s: %w", name, err)
		}
	}
	for _, name := range []string{Tool, Rollout} {
		if err := move(filepath.Join(built, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("building %s: %w", name, err)
		}
	}
	return os.RemoveAll(built)
}

// ToolPath is where the operator's tool is.
func (s *Stack) ToolPath() string { return filepath.Join(s.o.BinDir, Tool) }

// BinVariable names the folder of functions that are built already, for tests: "make test"
// builds them once.
const BinVariable = "FLEETWARDEN_BIN"

// Built returns the folder that [BinVariable] names; without it, dir, into which it builds
// the functions.
func Built(ctx context.Context, root, dir string, functions ...string) (string, error) {
	if built := os.Getenv(BinVariable); built != "" {
		return built, nil
	}
	return dir, Build(ctx, root, dir, functions...)
}

// move gives a file another name, in a folder that may not stand yet.
func move(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// binaries makes sure that every function has its binary.
func (s *Stack) binaries(ctx context.Context, m *manifest.Manifest) error {
	names := slices.Sorted(maps.Keys(m.Resources))
	if s.o.BinDir == "" {
		s.o.BinDir = filepath.Join(s.temp, "bin")
		fmt.Fprintf(s.o.Log, "building %s\n", strings.Join(names, ", "))
		return Build(ctx, s.root, s.o.BinDir, names...)
	}
	var err error
	if s.o.BinDir, err = filepath.Abs(s.o.BinDir); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(s.o.BinDir, name, "main")); err != nil {
			return fmt.Errorf("finding the binary of %s: %w", name, err)
		}
	}
	return nil
}

// fcTrust lets Function Compute assume a role.
const fcTrust = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`

// roles makes each function's role with the policy deploy/ram/<function>.json and
// those of deploy/ram/optional that were asked for.
func (s *Stack) roles(m *manifest.Manifest) error {
	if err := s.checkOptional(m); err != nil {
		return err
	}
	for _, function := range slices.Sorted(maps.Keys(m.Resources)) {
		role := m.Resources[function].Props.Role
		policies, err := s.policies(function, role)
		if err == nil {
			err = s.o.Server.RAM.AddRole(server.Sharer, role, fcTrust, policies)
		}
		if err != nil {
			return fmt.Errorf("making the role of %s: %w", function, err)
		}
	}
	return nil
}

// policies returns the documents of a function's policies by their names.
func (s *Stack) policies(function, role string) (map[string]string, error) {
	document, err := os.ReadFile(filepath.Join(s.root, "deploy", "ram", function+".json"))
	if err != nil {
		return nil, err
	}
	text := string(document)
	if s.o.Document != nil {
		if text, err = s.o.Document(function, text); err != nil {
			return nil, err
		}
	}
	out, err := s.regional(role, text)
	if err != nil {
		return nil, fmt.Errorf("reading %s.json: %w", function, err)
	}
	if err := s.optional(out, func(name string) bool { return strings.HasPrefix(name, function+"-") }); err != nil {
		return nil, err
	}
	return out, s.mayAssume(function, out)
}

// optional adds the files of deploy/ram/optional that were asked for and fit.
func (s *Stack) optional(policies map[string]string, fits func(name string) bool) error {
	for _, name := range s.o.Optional {
		if !fits(name) {
			continue
		}
		document, err := os.ReadFile(filepath.Join(s.root, "deploy", "ram", "optional", name+".json"))
		if err != nil {
			return err
		}
		policies["fleetwarden-"+name] = string(document)
	}
	return nil
}

// checkOptional refuses an optional policy that no function would get.
func (s *Stack) checkOptional(m *manifest.Manifest) error {
	for _, name := range s.o.Optional {
		fits := false
		for function := range m.Resources {
			fits = fits || strings.HasPrefix(name, function+"-")
		}
		if !fits {
			return fmt.Errorf("granting deploy/ram/optional/%s.json: its name begins with no function's", name)
		}
	}
	return nil
}
