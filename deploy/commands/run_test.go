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
	for _, folder := range []string{"bin", "tmp", "home", "run"} {
		check(t, os.Mkdir(filepath.Join(in.dir, folder), 0o755))
	}
	self, err := os.Executable()
	check(t, err)
	check(t, os.Symlink(self, filepath.Join(in.dir, "bin", "curl")))
	check(t, os.Symlink(shell, filepath.Join(in.dir, "bin", "sh")))
	return in
}

func (in instance) at(name string) string { return filepath.Join(in.dir, name) }

// put puts a script onto the machine, with a folder of the machine's own for /var/run.
func (in instance) put(t *testing.T, script string) {
	t.Helper()
	text, err := json.Marshal(in.net)
	check(t, err)
	check(t, os.WriteFile(in.at("internet.json"), text, 0o644))
	check(t, os.WriteFile(in.at("command"), []byte(strings.ReplaceAll(script, "/var/run/", in.at("run")+"/")), 0o644))
}

// began is a run that has begun.
type began struct {
	cmd            *exec.Cmd
	stdout, stderr strings.Builder
}

// begin begins to run the script that was put there.
func (in instance) begin(t *testing.T) *began {
	t.Helper()
	r := &began{cmd: exec.CommandContext(t.Context(), in.shell, append(in.flags, in.at("command"))...)}
	r.cmd.Dir = in.at("home")
	r.cmd.Env = append([]string{"PATH=" + in.at("bin") + ":" + os.Getenv("PATH"), "TMPDIR=" + in.at("tmp"), "HOME=" + in.at("home"),
		"PLAYED_INTERNET=" + in.at("internet.json"), "PLAYED_LOG=" + in.at("asked"), "INSTALLED=" + in.at("installed"),
		"GORACE=atexit_sleep_ms=0"}, in.env...) // the played curl is this binary: the race detector would have each wait for a second
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	check(t, r.cmd.Start())
	return r
}

// end waits for a run's end.
func (in instance) end(t *testing.T, r *began) outcome {
	t.Helper()
	return in.outcome(t, r, r.cmd.Wait())
}

// outcome is what a run left that ended with err.
func (in instance) outcome(t *testing.T, r *began, err error) outcome {
	t.Helper()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{r.cmd.ProcessState.ExitCode(), r.stdout.String(), r.stderr.String(), lines(t, in.at("asked")), strings.Join(lines(t, in.at("installed")), "\n")}
}

// run runs a script, and checks what holds for every run: no temporary file stays, and
// no lock that was not there before.
func (in instance) run(t *testing.T, script string) outcome {
	t.Helper()
	locks := len(left(t, in.at("run")))
	in.put(t, script)
	o := in.end(t, in.begin(t))
	if names := left(t, in.at("tmp")); len(names) > 0 {
		t.Errorf("%s stayed in the temporary folder", names[0])
	}
	if names := left(t, in.at("run")); len(names) > locks {
		t.Errorf("the locks %s stayed", names)
	}
	return o
}

func left(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
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
