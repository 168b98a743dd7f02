package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stack"
	"fleetwarden/deploy/local/stage"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestOperator runs stories of the operator: the real tool beside the functions that it
// has do the work. Its scripts may say, beside what all may, what stands here.
func TestOperator(t *testing.T) {
	t.Parallel()
	own := map[string]func(*testscript.TestScript, bool, []string){
		// operator sets the environment of an operator of this cloud.
		"operator": cmdOperator,
		// fleetwarden ARG … runs the tool while the cloud's time passes. "! fleetwarden": it
		// fails. $STATUS is the exit status.
		"fleetwarden": cmdFleetwarden,
		// wrong PATTERN checks that the command line was refused: status 2, one line that
		// matches on stderr, after where it works, nothing on stdout. failed PATTERN checks the same of status 1.
		"wrong":  refused("2"),
		"failed": refused("1"),
		"status": func(ts *testscript.TestScript, _ bool, args []string) {
			if got := ts.Getenv("STATUS"); got != args[0] {
				ts.Fatalf("the exit status is %s", got)
			}
		},
		// note NAME PATTERN sets $NAME to what PATTERN, or its group, finds in stdout.
		"note": cmdNote,
		// world NAME notes what changes are made to, restored NAME checks that it is so again.
		// Queues, the ledger and Security Center's view of the machines are no part of it.
		"world":    cmdWorld,
		"restored": cmdRestored,
	}
	maps.Copy(own, commands)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "operator"), RequireExplicitExec: true, RequireUniqueNames: true, Cmds: own,
		Setup: func(env *testscript.Env) error {
			top, err := filepath.Abs(root)
			if err != nil {
				return err
			}
			s := &story{top: top, bin: os.Getenv("SCENARIO_BIN"), work: env.WorkDir, digests: map[string]string{}}
			env.Values[storyKey{}] = s
			env.Defer(s.close)
			env.Setenv("TOP", top)
			env.Setenv("DOCS", filepath.Join(top, "test", "scenario", "testdata", "documents"))
			env.Setenv("SYSTRUST", systrust)
			env.Setenv("SHARER", server.Sharer)
			return nil
		},
	})
}

// operatorsEnv is the environment of an operator of the stage's cloud.
func operatorsEnv(s *stage.Stage, top string) map[string]string {
	return map[string]string{
		"ALIBABA_CLOUD_ENDPOINT_URL": s.Server.URL(), "ALIBABA_CLOUD_ACCESS_KEY_ID": stage.Operator.ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": stage.Operator.Secret,
		"FLEETWARDEN_LEDGER": "oss://" + stack.Bucket + "/ledger?region=" + server.Home,
		"FLEETWARDEN_POLICY": filepath.Join(top, "deploy", "local", "policy.yaml"),
	}
}

func cmdOperator(ts *testscript.TestScript, neg bool, _ []string) {
	positive(ts, neg)
	s := storyOf(ts)
	for name, value := range operatorsEnv(s.stage, s.top) {
		ts.Setenv(name, value)
	}
}

// going lets the cloud's time go on while f runs, a minute in a second.
func going(s *stage.Stage, f func()) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Server.World.Clock.Follow(ctx, 60)
	}()
	defer func() { stop(); <-done }()
	f()
}

func cmdFleetwarden(ts *testscript.TestScript, neg bool, args []string) {
	s := storyOf(ts)
	var err error
	going(s.stage, func() { err = ts.Exec(filepath.Join(s.bin, stack.Tool), args...) })
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	ts.Setenv("STATUS", strconv.Itoa(status))
	if (status != 0) != neg {
		ts.Fatalf("fleetwarden %q ended with status %d", args, status)
	}
}

func refused(status string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		positive(ts, neg)
		said := ts.ReadFile("stderr")
		fits, err := regexp.MatchString("(?m)\\A(?:account .*\\n)?fleetwarden: .*(?:"+args[0]+")", said)
		ts.Check(err)
		if !fits || ts.Getenv("STATUS") != status || ts.ReadFile("stdout") != "" {
			ts.Fatalf("status %s, want %s; said was %q, want %q, and on stdout %q", ts.Getenv("STATUS"), status, said, args[0], ts.ReadFile("stdout"))
		}
	}
}

func cmdNote(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("stdout does not hold %s", args[1])
	}
	ts.Setenv(args[0], found[len(found)-1])
}

func cmdWorld(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg)
	now, err := storyOf(ts).stage.Digest()
	ts.Check(err)
	storyOf(ts).digests[args[0]] = now
}

func cmdRestored(ts *testscript.TestScript, neg bool, args []string) {
	now, err := storyOf(ts).stage.Digest()
	ts.Check(err)
	if before := storyOf(ts).digests[args[0]]; (now == before) == neg {
		ts.Fatalf("the world was %s and is %s", before, now)
	}
}

// typed runs the tool as a story in Go does. It fails the test unless the tool ends so.
func typed(t *testing.T, s *stage.Stage, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	cmd := operatorsCommand(t, s, args...)
	var out, err output
	cmd.Stdout, cmd.Stderr = &out, &err
	going(s, func() { _ = cmd.Run() })
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("fleetwarden %q ended with %d, want %d\n%s%s", args, got, status, out.text, err.text)
	}
	return string(out.text), string(err.text)
}

// output is what a process wrote.
type output struct{ text []byte }

func (o *output) Write(p []byte) (int, error) { o.text = append(o.text, p...); return len(p), nil }

func operatorsCommand(t *testing.T, s *stage.Stage, args ...string) *exec.Cmd {
	t.Helper()
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("SCENARIO_BIN"), stack.Tool), args...)
	cmd.Env = os.Environ()
	for name, value := range operatorsEnv(s, top) {
		cmd.Env = append(cmd.Env, fmt.Sprint(name, "=", value))
	}
	return cmd
}
