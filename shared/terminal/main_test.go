package terminal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/terminal"
)

// typed is a command line and its result.
type typed struct {
	code           int
	stdout, stderr string
	slept          []time.Duration
}

// desk is a terminal beside a local cloud.
type desk struct {
	cloud       *server.Server
	environment map[string]string
	stdin       string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	cloud, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	// The credentials chain reads the process's environment.
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "local-ak")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "local-sk")
	return &desk{cloud: cloud, environment: map[string]string{aliyun.EndpointVariable: cloud.URL()}}
}

func (d *desk) run(handle func(context.Context, *invocation.Invocation) (fleet.Pass, error), args ...string) (got typed) {
	var stdout, stderr bytes.Buffer
	f := invocation.Function{Name: "attach-role", About: "does what a test says", Handle: handle}
	got.code = terminal.Main(context.Background(), f, terminal.Env{
		Args: args, Stdin: strings.NewReader(d.stdin), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(k string) string { return d.environment[k] },
		Sleep: func(_ context.Context, p time.Duration) error {
			got.slept = append(got.slept, p)
			return nil
		},
	})
	got.stdout, got.stderr = stdout.String(), stderr.String()
	return got
}

// unused is a function that must not be run.
func unused(t *testing.T) func(context.Context, *invocation.Invocation) (fleet.Pass, error) {
	return func(context.Context, *invocation.Invocation) (fleet.Pass, error) {
		t.Error("the function was run")
		return fleet.Pass{}, nil
	}
}

func nothing(context.Context, *invocation.Invocation) (fleet.Pass, error) { return fleet.Pass{}, nil }

func TestAWrongCommandLineIsRefusedFirst(t *testing.T) {
	d := newDesk(t)
	for name, x := range map[string]struct {
		args []string
		want string
	}{
		"nothing":            {nil, "nothing to check"},
		"only flags":         {[]string{"--apply"}, "nothing to check"},
		"unknown flag":       {[]string{"--nope", "i-1"}, "-nope"},
		"ids and event":      {[]string{"--event", "-", "i-1"}, "not both"},
		"negative wait":      {[]string{"--wait", "-1s", "--apply", "i-1"}, "--wait"},
		"wait and no apply":  {[]string{"--wait", "1m", "i-1"}, "--apply"},
		"not a duration":     {[]string{"--wait", "soon", "i-1"}, "soon"},
		"not an id":          {[]string{"i-1", "nonsense"}, `"nonsense" is not an instance id`},
		"an id with a path":  {[]string{"i-../x"}, "is not an instance id"},
		"flag after an id":   {[]string{"i-1", "--apply"}, "flags stand before"},
		"an escape sequence": {[]string{"i-1\x1b[31m"}, "is not an instance id"},
		"not a region":       {[]string{"--region", "Hang zhou", "i-1"}, "--region"},
	} {
		got := d.run(unused(t), x.args...)
		if got.code != 2 || !strings.HasPrefix(got.stderr, "attachrole: ") || !strings.Contains(got.stderr, x.want) || got.stdout != "" {
			t.Errorf("%s: got %+v", name, got)
		}
		if strings.ContainsRune(got.stderr, 0x1b) {
			t.Errorf("%s: an escape character reaches the terminal: %q", name, got.stderr)
		}
	}
	if totals := d.cloud.Log.Totals(); len(totals) != 0 {
		t.Errorf("the cloud saw %v", totals)
	}
}

func TestHelpNamesEveryFlagAndIsNoError(t *testing.T) {
	for _, flag := range []string{"-h", "--help"} {
		got := newDesk(t).run(unused(t), flag)
		if got.code != 0 || got.stderr != "" {
			t.Errorf("%s: got %+v", flag, got)
		}
		for _, want := range []string{"attachrole: does what a test says", "--apply", "--event", "--json", "--policy", "--region", "--wait", "Exit status", "ALIBABA_CLOUD_ENDPOINT_URL"} {
			if !strings.Contains(got.stdout, want) {
				t.Errorf("%s: no %q in\n%s", flag, want, got.stdout)
			}
		}
	}
}

func TestAFunctionForEventsOnlyDoesNotMentionIds(t *testing.T) {
	for name, x := range map[string]struct {
		args   []string
		code   int
		stderr string
	}{
		"help":       {[]string{"--help"}, 0, ""},
		"an id":      {[]string{"i-1"}, 2, `"i-1" cannot be checked by itself`},
		"an id, too": {[]string{"--event", "-", "i-1"}, 2, `"i-1" cannot be checked by itself`},
		"nothing":    {nil, 2, "give --event FILE"},
	} {
		var stdout, stderr bytes.Buffer
		f := invocation.Function{Name: "watch-shares", About: "does what a test says", EventsOnly: true, Handle: unused(t)}
		code := terminal.Main(t.Context(), f, terminal.Env{Args: x.args, Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" }})
		if code != x.code || !strings.Contains(stderr.String(), x.stderr) {
			t.Errorf("%s: exit status %d, %s", name, code, stderr.String())
		}
		if all := strings.ToLower(stdout.String() + stderr.String()); strings.Contains(all, "instance-id") || strings.Contains(all, "instance id") {
			t.Errorf("%s: it mentions instance ids:\n%s", name, all)
		}
	}
	if help := newDesk(t).run(unused(t), "--help").stdout; !strings.Contains(help, "attachrole [flags] INSTANCE-ID ...") {
		t.Errorf("one that takes ids does not say so:\n%s", help)
	}
}

func TestIdsBecomeAnInboxMessageOfOurAccount(t *testing.T) {
	d := newDesk(t)
	var call invocation.Invocation
	got := d.run(func(_ context.Context, c *invocation.Invocation) (fleet.Pass, error) {
		call = *c
		return fleet.Pass{}, nil
	}, "--region", "cn-shanghai", "i-1", "i-2")
	if got.code != 0 {
		t.Fatalf("got %+v", got)
	}
	home := fleet.Scope{Account: server.Sharer, Region: server.Another}
	var messages []fleet.Message
	if err := json.Unmarshal(call.Payload, &messages); err != nil {
		t.Fatal(err)
	}
	want := []fleet.Message{{V: fleet.MessageVersion, Scope: home, Kind: fleet.KindInstance, IDs: []string{"i-1", "i-2"}}}
	if diff := cmp.Diff(want, messages); diff != "" || call.Home != home {
		t.Errorf("home %v, %s", call.Home, diff)
	}
	if !call.Options.DryRun || call.Options.Policy == nil || call.Options.Stamp.Function != "attach-role" {
		t.Errorf("got options %+v, want a dry run", call.Options)
	}
}

func TestOnlyApplyIsNoDryRun(t *testing.T) {
	for dry, args := range map[bool][]string{true: {"i-1"}, false: {"--apply", "i-1"}} {
		newDesk(t).run(func(_ context.Context, c *invocation.Invocation) (fleet.Pass, error) {
			if c.Options.DryRun != dry {
				t.Errorf("%v: dry run is %v", args, c.Options.DryRun)
			}
			return fleet.Pass{}, nil
		}, args...)
	}
}

func TestEventComesFromAFileOrFromStdin(t *testing.T) {
	d := newDesk(t)
	const stdin, file = `{"v":1,"from":"stdin"}`, `{"v":1,"from":"a file"}`
	d.stdin = stdin
	path := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{"-": stdin, path: file} {
		read := ""
		d.run(func(_ context.Context, c *invocation.Invocation) (fleet.Pass, error) {
			read = string(c.Payload)
			return fleet.Pass{}, nil
		}, "--event", arg)
		if read != want {
			t.Errorf("%s: got %q", arg, read)
		}
	}
	got := d.run(unused(t), "--event", path+"x")
	if got.code != 1 || !strings.Contains(got.stderr, "no such file") {
		t.Errorf("missing file: got %+v", got)
	}
}

func TestMissingFilesAreReportedBeforeAnyCall(t *testing.T) {
	d := newDesk(t)
	for _, args := range [][]string{{"--event", "missing.json"}, {"--policy", "missing.yaml", "i-1"}} {
		if got := d.run(unused(t), args...); got.code != 1 || !strings.Contains(got.stderr, args[1]) {
			t.Errorf("%v: got %+v", args, got)
		}
	}
	if totals := d.cloud.Log.Totals(); len(totals) != 0 {
		t.Errorf("the cloud saw %v", totals)
	}
}

func TestATerminalReachesTheAccountsOfItsPolicy(t *testing.T) {
	d := newDesk(t)
	trust := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::` + server.Sharer + `:root"]}}]}`
	if err := d.cloud.RAM.AddRole(server.Member, "FleetwardenMember", trust, nil); err != nil {
		t.Fatal(err)
	}
	var reached fleet.AccountID
	got := d.run(func(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
		s, err := inv.In(ctx, server.Member)
		if err != nil {
			return fleet.Pass{}, err
		}
		reached, err = sts.CallerAccount(ctx, s, inv.Home.Region)
		return fleet.Pass{}, err
	}, "--policy", "../../deploy/local/policy.yaml", "i-1")
	if got.code != 0 || reached != server.Member {
		t.Errorf("reached %q: %+v", reached, got)
	}
	if got := d.run(func(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
		_, err := inv.In(ctx, server.Sharee)
		return fleet.Pass{}, err
	}, "--policy", "../../deploy/local/policy.yaml", "i-1"); got.code != 1 || !strings.Contains(got.stderr, "add role") {
		t.Errorf("an account without a role: %+v", got)
	}
}

func TestAFailureIsReportedWithAHint(t *testing.T) {
	for name, x := range map[string]struct {
		err        error
		hint, miss string
	}{
		"denied":      {aliyun.NewError("ecs:X", 403, "NoPermission", "no", "R", false), "check the keys", "network"},
		"unavailable": {aliyun.NewError("ecs:X", 503, "ServiceUnavailable", "no", "R", false), "check the network", "keys"},
		"other":       {errors.New("strange"), "strange", "check"},
	} {
		got := newDesk(t).run(func(context.Context, *invocation.Invocation) (fleet.Pass, error) { return fleet.Pass{}, x.err }, "i-1")
		if got.code != 1 || !strings.Contains(got.stderr, x.hint) || strings.Contains(got.stderr, x.miss) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
