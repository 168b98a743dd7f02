package commands_test

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// waiting is an installer that says that it runs, and then waits to be let go.
const waiting = "#!/bin/sh\necho \"$*\" >>\"$INSTALLED\"\necho in >\"$HOME/inside\"\nread -r go <\"$HOME/gate\" || :\n"

// locking are the commands for Linux, with machines on which they find that installer.
func locking(t *testing.T, shell, file, body string) (instance, string) {
	t.Helper()
	sites := map[string]page{aegisInside: {Body: body}, internal: {Body: body}}
	in := newInstance(t, shell, internet{Region: "cn-hangzhou", Sites: sites})
	if file == "agent-linux.sh" {
		return in, withCode(t, canary)
	}
	return in, read(t, file)
}

// underBoth runs a test for each command for Linux under each shell.
func underBoth(t *testing.T, test func(t *testing.T, shell, file string)) {
	for _, file := range []string{"agent-linux.sh", "trust-client.sh"} {
		t.Run(file, func(t *testing.T) {
			underEach(t, func(t *testing.T, shell string) { test(t, shell, file) })
		})
	}
}

func TestOfRunsAtTheSameTimeOneInstalls(t *testing.T) {
	underBoth(t, func(t *testing.T, shell, file string) {
		in, script := locking(t, shell, file, waiting)
		for _, pipe := range []string{"inside", "gate"} {
			check(t, syscall.Mkfifo(filepath.Join(in.at("home"), pipe), 0o600))
		}
		in.put(t, script)
		var runs []*began
		for range 4 {
			runs = append(runs, in.begin(t))
		}
		inside, err := os.Open(filepath.Join(in.at("home"), "inside")) // waits for the installer
		check(t, err)
		defer inside.Close()

		type end struct {
			*began
			err error
		}
		ends := make(chan end, len(runs))
		for _, r := range runs {
			go func() { ends <- end{r, r.cmd.Wait()} }()
		}
		for range len(runs) - 1 {
			e := <-ends
			in.outcome(t, e.began, e.err).failed(t, 209, "another run of this script has not ended")
		}
		gate, err := os.OpenFile(filepath.Join(in.at("home"), "gate"), os.O_WRONLY, 0)
		check(t, err)
		check(t, gate.Close())
		e := <-ends
		o := in.outcome(t, e.began, e.err)
		o.succeeded(t)
		if len(lines(t, in.at("installed"))) != 1 || len(left(t, in.at("run"))) != 0 {
			t.Errorf("installers wrote %q, locks %q stayed", o.Installed, left(t, in.at("run")))
		}
	})
}

// A run that was killed leaves its lock behind; after a while other runs ignore it.
func TestALockThatWasLeftBehindIsVoidAfterAWhile(t *testing.T) {
	locks := map[string]string{"agent-linux.sh": "fleetwarden-agent.lock", "trust-client.sh": "fleetwarden-trust-client.lock"}
	underBoth(t, func(t *testing.T, shell, file string) {
		in, script := locking(t, shell, file, installer)
		lock := filepath.Join(in.at("run"), locks[file])
		check(t, os.Mkdir(lock, 0o700))
		in.run(t, script).failed(t, 209, lock)

		old := time.Now().Add(-19 * time.Minute)
		check(t, os.Chtimes(lock, old, old))
		in.run(t, script).failed(t, 209, lock)

		old = time.Now().Add(-22 * time.Minute)
		check(t, os.Chtimes(lock, old, old))
		in.run(t, script).succeeded(t)
	})
}

// A run that is ended before it has its temporary folder leaves no lock.
func TestARunThatIsEndedReleasesItsLock(t *testing.T) {
	// A shell cannot trap a signal that was ignored when it began, as nohup has it: what is
	// handled here, it begins with the default for.
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(handled)
	for _, name := range []string{"HUP", "INT", "TERM"} {
		t.Run(name, func(t *testing.T) {
			underBoth(t, func(t *testing.T, shell, file string) {
				in, script := locking(t, shell, file, installer)
				check(t, os.WriteFile(filepath.Join(in.at("bin"), "mktemp"), []byte("#!/bin/sh\nkill -"+name+" $PPID\nexec /bin/mktemp \"$@\"\n"), 0o755))
				if o := in.run(t, script); o.Status <= 128 || o.Installed != "" {
					t.Errorf("it ended with %d; installers wrote %q", o.Status, o.Installed)
				}
			})
		})
	}
}

func TestTheAgentAndTheTrustClientDoNotWaitForEachOther(t *testing.T) {
	underEach(t, func(t *testing.T, shell string) {
		in, script := locking(t, shell, "agent-linux.sh", installer)
		check(t, os.Mkdir(filepath.Join(in.at("run"), "fleetwarden-trust-client.lock"), 0o700))
		in.run(t, script).succeeded(t)
	})
}

func TestWithoutAPlaceForTheLockNothingIsInstalled(t *testing.T) {
	underBoth(t, func(t *testing.T, shell, file string) {
		in, script := locking(t, shell, file, installer)
		check(t, os.Remove(in.at("run")))
		in.put(t, script)
		o := in.end(t, in.begin(t))
		o.failed(t, 204, "cannot make the folder")
		if o.Installed != "" {
			t.Errorf("installers wrote %q", o.Installed)
		}
	})
}
