package terminal_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/terminal"
)

// A woken function writes its findings also in a dry run.
func TestAWokenFunctionDoesNotClaimThatADryRunWritesNothing(t *testing.T) {
	d := newDesk(t)
	dry := func(context.Context, *invocation.Invocation) (fleet.Pass, error) {
		return fleet.Pass{DryRun: true}, nil
	}
	for wakes, want := range map[string]string{"": "othing was written", `{"triggerName":"t"}`: "what it found is in the ledger"} {
		var stdout, help, stderr bytes.Buffer
		f := invocation.Function{Name: "attach-role", Handle: dry}
		args := []string{"i-1"}
		if wakes != "" {
			f.Wakes, args = []byte(wakes), nil
		}
		env := terminal.Env{Args: args, Stdout: &stdout, Stderr: &stderr, Getenv: func(k string) string { return d.environment[k] }}
		if code := terminal.Main(t.Context(), f, env); code != 0 || !strings.Contains(stdout.String(), want) {
			t.Errorf("%q: exit status %d, %s%s", wakes, code, stdout.String(), stderr.String())
		}
		env.Args, env.Stdout = []string{"--help"}, &help
		if code := terminal.Main(t.Context(), f, env); code != 0 || strings.Contains(help.String(), "Nothing is written") != (wakes == "") {
			t.Errorf("%q: exit status %d, %s", wakes, code, help.String())
		}
	}
}

// policyFile is one with that text after its version.
func policyFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte("version: 1\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// --region is the instances' region, not the ledger's.
func TestALedgerIsInTheHomeRegionWhereverTheInstancesAre(t *testing.T) {
	d := newDesk(t)
	for bucket, region := range map[string]string{"at-home": server.Home, "elsewhere": server.Another} {
		if err := d.cloud.OSS.CreateBucket(server.Sharer, region, bucket); err != nil {
			t.Fatal(err)
		}
	}
	put := func(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
		if inv.Home.Region != server.Another {
			t.Errorf("it works in %s", inv.Home.Region)
		}
		err := inv.Store.Put(ctx, "x", []byte("x"))
		return fleet.Pass{}, errors.Join(err, inv.Options.Ledger.Write(ctx, &fleet.Entry{Stage: fleet.StageIntent}))
	}
	home := policyFile(t, "homeRegion: "+server.Home+"\n")
	for place, policy := range map[string]string{
		"oss://at-home/a": home,
		"oss://elsewhere/a?region=" + server.Another: home,
		"oss://elsewhere/b":                          policyFile(t, ""),
		"oss://at-home/b?region=" + server.Home:      policyFile(t, ""),
	} {
		d.environment[invocation.LedgerVariable] = place
		if got := d.run(put, "--region", server.Another, "--policy", policy, "i-1"); got.code != 0 {
			t.Errorf("%s: %+v", place, got)
		}
	}
	for bucket := range map[string]bool{"at-home": true, "elsewhere": true} {
		if keys := d.cloud.OSS.Keys(bucket, ""); len(keys) != 4 {
			t.Errorf("%s has %v", bucket, keys)
		}
	}
}

func TestTheQuotasOfSingleAPIsHoldInATerminalToo(t *testing.T) {
	twice := func(ctx context.Context, inv *invocation.Invocation) (fleet.Pass, error) {
		for range 2 {
			if _, err := sts.CallerAccount(ctx, inv.Session, inv.Home.Region); err != nil {
				return fleet.Pass{}, err
			}
		}
		return fleet.Pass{}, nil
	}
	d := newDesk(t)
	for text, code := range map[string]int{"pacing: {calls: {GetCallerIdentity: 1}}\n": 1, "pacing: {calls: {GetCallerIdentity: 2}}\n": 0, "": 0} {
		if got := d.run(twice, "--policy", policyFile(t, text), "i-1"); got.code != code || (code == 1) != strings.Contains(got.stderr, "has spent its calls") {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
