package rules_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rules/instances"
)

// spent is an instance of an operating system to which the agent was pushed as often as
// the rule does, the newest run having ended so.
func spent(os string, run fleet.Invocation) fleet.Instance {
	i := listed(lacking(), func(l *fleet.Listing) { l.OSType = os })
	run.ID, run.Command, run.Created = "t-9", fleet.CommandAgentLinux, noon.Add(-11*time.Minute)
	if os == "windows" {
		run.Command = fleet.CommandAgentWindows
	}
	i.Invocations = fleet.See(slices.Concat([]fleet.Invocation{run},
		pushed(run.Command, "Failed", 25*time.Minute), pushed(run.Command, "Failed", 50*time.Minute)))
	return i
}

func TestAFindingSaysHowTheLastPushEnded(t *testing.T) {
	for _, c := range []struct {
		run  fleet.Invocation
		says string
	}{
		{fleet.Invocation{Status: "Success"}, "the last push ended with Success"},
		{fleet.Invocation{Status: "Timeout", ErrorCode: "ExecutionTimeout"}, "Timeout (ExecutionTimeout)"},
		{fleet.Invocation{Status: "Aborted", ErrorCode: "DeliveryTimeout"}, "Aborted (DeliveryTimeout)"},
		{fleet.Invocation{Status: "Invalid"}, "Invalid"},
		{fleet.Invocation{Status: "Failed", ErrorCode: "ExitCodeNonzero", ExitCode: 1}, "Failed (ExitCodeNonzero), exit code 1, which is the installer's own"},
		{fleet.Invocation{Status: "Failed", ErrorCode: "ExitCodeNonzero", ExitCode: 201}, "exit code 201: curl is not installed"},
		{fleet.Invocation{Status: "Failed", ErrorCode: "ExitCodeNonzero", ExitCode: 209}, "exit code 209: another run of this script has not ended"},
	} {
		v := one(t, instances.Agent(world(spent("linux", c.run)), guarding()), policy.RuleAgentOnline)
		if v.Outcome != fleet.Violation || !strings.Contains(v.Reason, "pushed 3 times") || !strings.Contains(v.Reason, c.says) {
			t.Errorf("%+v: %s %q", c.run, v.Outcome, v.Reason)
		}
		// A repeated push has the reason in its verdict.
		i := spent("linux", c.run)
		i.Invocations.V = i.Invocations.V[:1]
		v = one(t, instances.Agent(world(i), guarding()), policy.RuleAgentOnline)
		if len(v.Changes) != 1 || !strings.Contains(v.Reason, c.says) {
			t.Errorf("%+v, pushed again: %v %q", c.run, v.Changes, v.Reason)
		}
	}
}

// For each exit status of a push there is a command that works around the failure.
func TestTheManualCommandDoesWithoutWhatThePushLacked(t *testing.T) {
	lacks := map[int][]string{201: {"curl"}, 205: {"curl", "wget", "DownloadFile"}, 206: {"curl", "wget", "DownloadFile"}, 204: {"$env:TEMP"}}
	for _, system := range []string{"linux", "windows"} {
		for status := range 256 {
			v := one(t, instances.Agent(world(spent(system, fleet.Invocation{Status: "Failed", ErrorCode: "ExitCodeNonzero", ExitCode: status})), guarding()), policy.RuleAgentOnline)
			name := fmt.Sprintf("%s, exit code %d: %q", system, status, v.Remedy)
			if !strings.Contains(v.Remedy, "-k=CODE") || !strings.Contains(v.Remedy, "posture scan") {
				t.Errorf("%s names no command", name)
			}
			for _, lacked := range lacks[status] {
				if strings.Contains(v.Remedy, lacked) {
					t.Errorf("%s needs %s", name, lacked)
				}
			}
			tls, download := strings.Index(v.Remedy, "[Net.SecurityProtocolType]::Tls12"), strings.Index(v.Remedy, "DownloadFile")
			if download >= 0 && (tls < 0 || tls > download) {
				t.Errorf("%s downloads without TLS 1.2", name)
			}
		}
	}
	if v := one(t, instances.Agent(world(spent("linux", fleet.Invocation{Status: "Failed", ExitCode: 201})), guarding()), policy.RuleAgentOnline); !strings.Contains(v.Remedy, "wget -q https://") {
		t.Errorf("without curl: %q", v.Remedy)
	}
}

// Exit code 209 means that the script's lock is held. The manual command leaves a run that
// holds it alone, however the command itself was started, and does not wait for a lock
// that a killed run left behind.
func TestTheManualCommandLeavesARunThatHoldsTheLockAlone(t *testing.T) {
	v := one(t, instances.Agent(world(spent("linux", fleet.Invocation{Status: "Failed", ErrorCode: "ExitCodeNonzero", ExitCode: 209})), guarding()), policy.RuleAgentOnline)
	_, command, _ := strings.Cut(v.Remedy, "as root: ")
	guard, _, ok := strings.Cut(command, " && curl ")
	if !ok {
		t.Fatalf("no guard stands before the download: %q", v.Remedy)
	}
	dir := t.TempDir()
	lock := filepath.Join(dir, "fleetwarden-agent.lock")
	script := strings.ReplaceAll(guard, "/var/run", dir) + " && echo AliAqsInstall"
	if !strings.Contains(script, lock) {
		t.Fatalf("the guard does not look at the lock of agent-linux.sh: %q", guard)
	}
	expect := func(what string, runs bool) {
		t.Helper()
		out, _ := exec.CommandContext(t.Context(), "sh", "-c", script).Output() // its status is the guard's
		if (string(out) == "AliAqsInstall\n") != runs {
			t.Errorf("%s: got %q", what, out)
		}
	}
	expect("no lock", true)
	if err := os.Mkdir(lock, 0o700); err != nil {
		t.Fatal(err)
	}
	expect("a lock that is held", false)
	old := time.Now().Add(-22 * time.Minute)
	if err := os.Chtimes(lock, old, old); err != nil {
		t.Fatal(err)
	}
	expect("a lock that was left behind", true)
}

func TestAFailedTrustClientSaysWhyInTheSameWords(t *testing.T) {
	i := listed(lacking(), func(l *fleet.Listing) { l.Family = "ecs.g6t" })
	i.TrustScript = fleet.See("")
	i.Invocations = fleet.See([]fleet.Invocation{{ID: "t-1", Command: fleet.CommandTrustClient, Status: "Failed", ErrorCode: "ExitCodeNonzero", ExitCode: 201, Created: noon.Add(-time.Minute)}})
	v := one(t, instances.Agent(world(i), guarding()), policy.RuleTrustClient)
	if !strings.Contains(v.Reason, "Failed (ExitCodeNonzero), exit code 201: curl is not installed") || !strings.Contains(v.Remedy, "install curl") {
		t.Errorf("%q, %q", v.Reason, v.Remedy)
	}
}
