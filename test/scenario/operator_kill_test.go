package scenario_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/simcloud/wire"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/fleet"
)

// bare is a fleet without a role, in an account that has none to give.
func bare(t *testing.T, s *stage.Stage) []string {
	t.Helper()
	fleet, err := s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 3, InstanceType: "ecs.g7t.large", Role: "-"})
	if err != nil {
		t.Fatal(err)
	}
	return fleet.IDs
}

// planned makes a plan and returns its id.
func planned(t *testing.T, s *stage.Stage) string {
	t.Helper()
	out, _ := typed(t, s, 0, "plan", "--account", server.Sharer, "--control", "instance-role")
	return find(t, out, `(?m)^apply it:  fleetwarden apply --plan (\S+)$`)
}

func find(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s is not in:\n%s", pattern, text)
	}
	return m[1]
}

// trap waits for one of the operator's calls.
type trap struct {
	mu sync.Mutex
	// at is the call that springs it; seen counts those of its action.
	at     moment
	seen   int
	spring func() (drop bool)
}

// setTrap sets a trap in a new world. It is not armed yet.
func setTrap(s *stage.Stage) *trap {
	t := &trap{}
	next := s.Server.Witness()
	s.Server.SetWitness(func(c *wire.Call, after bool) bool {
		return !strings.HasPrefix(c.Caller.Name, "fleetwarden-") && t.sees(c.Action, after) || next.Drops(c, after)
	})
	return t
}

func (t *trap) sees(action string, after bool) (drop bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.spring == nil || action != t.at.action {
		return false
	}
	if !after {
		t.seen++
	}
	if t.seen != t.at.n || after != t.at.after {
		return false
	}
	spring := t.spring
	t.spring = nil
	return spring()
}

// signals runs the tool, and sends it a signal at one of its calls. It returns how the
// tool ended and what it wrote.
func (t *trap) signals(test *testing.T, s *stage.Stage, sig os.Signal, at moment, args ...string) (*exec.Cmd, string) {
	test.Helper()
	cmd := operatorsCommand(test, s, args...)
	var out output
	cmd.Stdout, cmd.Stderr = &out, &out
	t.mu.Lock()
	t.at, t.seen, t.spring = at, 0, func() bool {
		_ = cmd.Process.Signal(sig)
		return sig == os.Kill // the dead hear no answer
	}
	err := cmd.Start()
	t.mu.Unlock()
	if err != nil {
		test.Fatal(err)
	}
	going(s, func() { _ = cmd.Wait() })
	return cmd, string(out.text)
}

// moment is the nth call of an action, before the cloud carries it out or after.
type moment struct {
	action string
	n      int
	after  bool
}

// TestAnApplyResumesAfterKill kills the tool with SIGKILL at twenty moments: before and after
// each kind of call it makes. The owners continue, and the plan is applied again.
func TestAnApplyResumesAfterKill(t *testing.T) {
	t.Parallel()
	var moments []moment
	for _, call := range []moment{
		{"GetCallerIdentity", 1, false}, {"GetObject", 1, false}, {"DescribeInstances", 1, false}, {"DescribeInstanceRamRole", 1, false},
		{"GetRole", 1, false}, {"DescribeDisks", 1, false}, {"PutObject", 1, false}, {"BatchSendMessage", 1, false},
		{"ListObjectsV2", 1, false}, {"ListObjectsV2", 2, false},
	} {
		moments = append(moments, call, moment{call.action, call.n, true})
	}
	for _, at := range moments {
		t.Run(fmt.Sprintf("%s %d, carried out %t", at.action, at.n, at.after), func(t *testing.T) {
			t.Parallel()
			s := play(t, stage.Options{})
			trap := setTrap(s)
			ids := bare(t, s)
			id := planned(t, s)
			cmd, out := trap.signals(t, s, os.Kill, at, "apply", "--plan", id)
			if cmd.ProcessState.Exited() {
				t.Fatalf("it was not killed:\n%s", out)
			}
			settle(t, s)
			typed(t, s, 0, "apply", "--plan", id)
			settle(t, s)
			for _, i := range ids {
				wantRole(t, s, i)
			}
			wantOnce(t, s)
			typed(t, s, 0, "apply", "--plan", id)
		})
	}
}

// wantOnce checks that the ledger says of the role and of the three instances that they
// were changed once, and of none anything else but that it had to wait.
func wantOnce(t *testing.T, s *stage.Stage) {
	t.Helper()
	all, err := book(s, "attach-role")
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for e, n := range all {
		switch {
		case e.state == fleet.Done:
			done += n
		case e.state != fleet.Later:
			t.Errorf("%v: %d times", e, n)
		}
	}
	if done != 4 {
		t.Errorf("%d changes were done, want 4: %v", done, all)
	}
}

// applied is a world in which a plan for some instances was applied, by a run.
func applied(t *testing.T) (s *stage.Stage, trap *trap, ids []string, run string) {
	t.Helper()
	s = play(t, stage.Options{})
	trap, ids = setTrap(s), bare(t, s)
	out, _ := typed(t, s, 0, "apply", "--plan", planned(t, s))
	return s, trap, ids, find(t, out, `(?m)^run (\S+)$`)
}

// TestAnUndoThatIsKilledIsSettledByTheNext kills the tool around the write of an undo. Typed
// again, it finishes, and the ledger knows the end of all that was begun.
func TestAnUndoThatIsKilledIsSettledByTheNext(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("carried out %t", after), func(t *testing.T) {
			t.Parallel()
			s, trap, ids, run := applied(t)
			cmd, out := trap.signals(t, s, os.Kill, moment{"DetachInstanceRamRole", 1, after}, "undo", "--run", run, "--apply")
			if cmd.ProcessState.Exited() {
				t.Fatalf("it was not killed:\n%s", out)
			}
			typed(t, s, 0, "undo", "--run", run, "--apply")
			if roles, err := s.Roles(t.Context(), server.Home, ids...); len(roles) > 0 || err != nil {
				t.Errorf("roles are %v, %v", roles, err)
			}
			intents, ended := 0, 0
			for _, key := range s.Server.OSS.Keys("fleetwarden-"+server.Sharer, "ledger/backfill/") {
				if strings.HasSuffix(key, ".intent.json") {
					intents++
				} else if strings.HasSuffix(key, ".outcome.json") || strings.HasSuffix(key, ".settled.json") {
					ended++
				}
			}
			if intents == 0 || ended != intents {
				t.Errorf("of %d intents of the undo, %d have an end", intents, ended)
			}
		})
	}
}

func TestCtrlCStopsAnApplyCleanlyAndSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	s := play(t, stage.Options{})
	trap := setTrap(s)
	ids := bare(t, s)
	id := planned(t, s)
	cmd, out := trap.signals(t, s, os.Interrupt, moment{"BatchSendMessage", 1, true}, "apply", "--plan", id)
	if cmd.ProcessState.ExitCode() != 130 || strings.Contains(out, "context canceled") {
		t.Errorf("status %d:\n%s", cmd.ProcessState.ExitCode(), out)
	}
	run := find(t, out, `fleetwarden show (apply-\S+)`)
	if again := find(t, out, `(?m)^  continue with: +fleetwarden apply --plan (\S+)$`); again != id {
		t.Errorf("%s is named:\n%s", again, out)
	}
	settle(t, s)
	for _, i := range ids {
		wantRole(t, s, i)
	}
	typed(t, s, 0, "show", run)
	typed(t, s, 0, "apply", "--plan", id)
	wantOnce(t, s)
}

func TestCtrlCWhileLookingLeavesNoPlan(t *testing.T) {
	t.Parallel()
	s := play(t, stage.Options{})
	trap := setTrap(s)
	bare(t, s)
	cmd, out := trap.signals(t, s, os.Interrupt, moment{"DescribeInstances", 1, false}, "plan", "--account", server.Sharer)
	if cmd.ProcessState.ExitCode() != 130 || !strings.HasSuffix(out, "stopped while checking the fleet: what was found is incomplete; run it again\n") {
		t.Errorf("status %d:\n%s", cmd.ProcessState.ExitCode(), out)
	}
	if plans := s.Server.OSS.Keys("fleetwarden-"+server.Sharer, "ledger/plans/"); len(plans) != 0 {
		t.Errorf("got %q", plans)
	}
}

func TestCtrlCWhileReadingARunSaysSoAndTakesNothingBack(t *testing.T) {
	t.Parallel()
	s, trap, ids, run := applied(t)
	for line, want := range map[string]string{
		"undo --apply --run " + run: "stopped while reading what the run changed; nothing was taken back\n",
		"show " + run:               "stopped while reading the ledger: what is shown is incomplete\n",
		"runs --count":              "stopped while reading the ledger: what is shown is incomplete\n",
	} {
		cmd, out := trap.signals(t, s, os.Interrupt, moment{"ListObjectsV2", 4, false}, strings.Fields(line)...)
		if cmd.ProcessState.ExitCode() != 130 || !strings.HasSuffix(out, want) {
			t.Errorf("%s: status %d:\n%s", line, cmd.ProcessState.ExitCode(), out)
		}
	}
	for _, i := range ids {
		wantRole(t, s, i)
	}
}

func TestAReplayThatWasStoppedIsResumed(t *testing.T) {
	t.Parallel()
	s := play(t, stage.Options{})
	trap := setTrap(s)
	l := stage.Launch{Region: server.Home, Type: goodType, Image: goodImage, Category: "cloud_essd", VSwitch: "vsw-local", Trusted: "vTPM", Amount: 3}
	if _, err := s.Run(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	settle(t, s)
	if err := s.Advance(t.Context(), 20*time.Minute); err != nil { // the trail shows it by then
		t.Fatal(err)
	}
	cmd, out := trap.signals(t, s, os.Interrupt, moment{"LookupEvents", 2, false}, "replay", "--since", "24h", "--apply")
	if cmd.ProcessState.ExitCode() != 130 {
		t.Fatalf("status %d:\n%s", cmd.ProcessState.ExitCode(), out)
	}
	run := find(t, out, `continue with: fleetwarden replay --resume (\S+) --apply`)
	again, _ := typed(t, s, 0, "replay", "--resume", run, "--apply")
	if find(t, again, `(?m)^run (\S+)$`) != run || !strings.Contains(again, "validate-instance: refs queued: 3") {
		t.Errorf("got:\n%s", again)
	}
}
