package commands_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shells are those that may be sh on an instance: dash on Debian and Ubuntu, bash on
// Alibaba Cloud Linux and CentOS.
var shells = []string{"dash", "bash"}

// underEach runs a test under each shell. A shell that is not here fails it: what was
// not tried is not known to work.
func underEach(t *testing.T, test func(t *testing.T, shell string)) {
	for _, name := range shells {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shell, err := lookPath(name)
			check(t, err)
			test(t, shell)
		})
	}
}

func lookPath(shell string) (string, error) {
	path, err := exec.LookPath(shell)
	if err != nil {
		return "", fmt.Errorf("%s is needed to try the commands under it; install the package of that name: %w", shell, err)
	}
	return path, nil
}

// instance is a machine on which a command runs.
type instance struct {
	shell, dir string
	net        internet
	env        []string // beside what every run has
	flags      []string // of the shell
}

// outcome is what a run left.
type outcome struct {
	Status         int
	Stdout, Stderr string
	Asked          []string // requests, in their order
	Installed      string   // what installers wrote to $INSTALLED
}

func newInstance(t *testing.T, shell string, net internet) instance {
	t.Helper()
	in := instance{shell: shell, dir: t.TempDir(), net: net}
	for _, folder := range []string{"bin", "tmp", "home"} {
		check(t, os.Mkdir(filepath.Join(in.dir, folder), 0o755))
	}
	self, err := os.Executable()
	check(t, err)
	check(t, os.Symlink(self, filepath.Join(in.dir, "bin", "curl")))
	check(t, os.Symlink(shell, filepath.Join(in.dir, "bin", "sh")))
	return in
}

// run runs a script, and checks what holds for every run: no temporary file stays.
func (in instance) run(t *testing.T, script string) outcome {
	t.Helper()
	text, err := json.Marshal(in.net)
	check(t, err)
	at := func(name string) string { return filepath.Join(in.dir, name) }
	check(t, os.WriteFile(at("internet.json"), text, 0o644))
	check(t, os.WriteFile(at("command"), []byte(script), 0o644))
	cmd := exec.CommandContext(t.Context(), in.shell, append(in.flags, at("command"))...)
	cmd.Dir = at("home")
	cmd.Env = append([]string{"PATH=" + at("bin") + ":" + os.Getenv("PATH"), "TMPDIR=" + at("tmp"), "HOME=" + at("home"),
		"PLAYED_INTERNET=" + at("internet.json"), "PLAYED_LOG=" + at("asked"), "INSTALLED=" + at("installed"),
		"GORACE=atexit_sleep_ms=0"}, in.env...) // the played curl is this binary: the race detector would have each wait for a second
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	left, err := os.ReadDir(at("tmp"))
	check(t, err)
	if len(left) > 0 {
		t.Errorf("%s stayed in the temporary folder", left[0].Name())
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), lines(t, at("asked")), strings.Join(lines(t, at("installed")), "\n")}
}

// failed checks that a run failed with a status and one line that says why.
func (o outcome) failed(t *testing.T, status int, why string) {
	t.Helper()
	if o.Status != status || !strings.HasPrefix(o.Stderr, "fleetwarden: ") || strings.Count(o.Stderr, "\n") != 1 || !strings.Contains(o.Stderr, why) {
		t.Errorf("ended with %d and stderr %q; want %d and one line with %q", o.Status, o.Stderr, status, why)
	}
}

// succeeded checks that a run ended well and complained of nothing.
func (o outcome) succeeded(t *testing.T) {
	t.Helper()
	if o.Status != 0 || o.Stderr != "" {
		t.Errorf("ended with %d and stderr %q; want 0 and none", o.Status, o.Stderr)
	}
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	check(t, err)
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	check(t, err)
	return string(text)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
