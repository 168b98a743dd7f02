package fcrun_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	simmns "fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
)

const canary = "canary-4711"

// probe is a function that does what its payload says; PROBE has its name, if it is not attach-role.
func probe() invocation.Function {
	var both sync.WaitGroup
	both.Add(2)
	return invocation.Function{Name: cmp.Or(os.Getenv("PROBE"), "attach-role"), Handle: func(ctx context.Context, call *invocation.Invocation) (fleet.Pass, error) {
		switch string(call.Payload) {
		case "who am I":
			return whoAmI(ctx, call)
		case "panic":
			panic(canary)
		case "fail":
			return fleet.Pass{Bad: 1}, errors.New("the inbox cannot be reached")
		case "meet": // returns only when two are here
			both.Done()
			both.Wait()
			return fleet.Pass{Refs: 2}, nil
		case "find":
			for range 20 {
				r := call.Options.Stamp
				r.V, r.Type, r.Finding = fleet.RecordVersion, "finding", &fleet.FindingRecord{Rule: "found", Severity: fleet.High}
				if err := call.Options.Record(r); err != nil {
					return fleet.Pass{}, err
				}
			}
			return fleet.Pass{Refs: 20}, nil
		case "rest":
			for began := time.Now(); time.Since(began) < 5*time.Millisecond; {
			}
			return fleet.Pass{}, nil
		case "measured":
			return fleet.Pass{DurationMS: 4711}, nil
		case "put back":
			return fleet.Pass{Again: 1}, call.Requeue([]byte(`{"v":99}`))
		}
		_, deadline := ctx.Deadline()
		if !deadline || call.Home != (fleet.Scope{Account: server.Sharer, Region: server.Home}) {
			return fleet.Pass{}, errors.New("no deadline, or not at home")
		}
		return fleet.Pass{Refs: len(call.Payload)}, nil
	}}
}

// whoAmI records the account whose keys sign the calls.
func whoAmI(ctx context.Context, call *invocation.Invocation) (fleet.Pass, error) {
	account, err := sts.CallerAccount(ctx, call.Session, call.Home.Region)
	if err != nil {
		return fleet.Pass{}, err
	}
	r := call.Options.Stamp
	r.V, r.Type, r.Finding = fleet.RecordVersion, "finding", &fleet.FindingRecord{Rule: "who", Reason: string(account)}
	return fleet.Pass{Refs: 1}, call.Options.Record(r)
}

func TestInvocationAnswersItsPassAndRecordsIt(t *testing.T) {
	p := start(t)
	got := p.invoke("R-1", "seven b", admin)
	var pass fleet.Pass
	if err := json.Unmarshal([]byte(got.body), &pass); err != nil || got.kind != "response" || pass.Refs != 7 {
		t.Errorf("got %+v, %v", got, err)
	}
	records := p.records()["R-1"]
	if len(records) != 1 || records[0].Type != "pass" || records[0].Pass.Refs != 7 {
		t.Fatalf("got %+v", records)
	}
	r := records[0]
	if r.V != fleet.RecordVersion || r.Run != "R-1" || r.Function != "attach-role" || r.Policy == "" || r.Time.IsZero() {
		t.Errorf("the stamp is incomplete: %+v", r)
	}
}

func TestTheDurationOfAPassIsMeasuredUnlessItsFunctionDid(t *testing.T) {
	p := start(t)
	before := time.Now()
	p.invoke("R-1", "rest", admin)
	longest := time.Since(before).Milliseconds()
	p.invoke("R-2", "measured", admin)
	records := p.records()
	if got := records["R-1"][0].Pass.DurationMS; got < 5 || got > longest {
		t.Errorf("a pass of at least 5 and at most %d ms took %d", longest, got)
	}
	if got := records["R-2"][0].Pass.DurationMS; got != 4711 {
		t.Errorf("the function measured 4711 ms, the record says %d", got)
	}
}

func TestEachInvocationUsesItsOwnKeys(t *testing.T) {
	p := start(t)
	accounts := map[string]string{"local": server.Sharer, "sharee": server.Sharee, "member": server.Member}
	for id := range accounts {
		keys := aliyun.Keys{AccessKeyID: id + "-ak", AccessKeySecret: id + "-sk"}
		if got := p.invoke(id, "who am I", keys); got.kind != "response" {
			t.Errorf("%s: got %+v", id, got)
		}
	}
	if got := p.invoke("none", "who am I", aliyun.Keys{}); got.kind != "error" || !strings.Contains(got.body, "no credentials") {
		t.Errorf("without keys: got %+v, and the stale ones of the environment must not be used", got)
	}
	records := p.records()
	for id, want := range accounts {
		if r := records[id]; len(r) != 2 || r[0].Finding == nil || r[0].Finding.Reason != want {
			t.Errorf("%s: got %+v, want a call by %s", id, r, want)
		}
	}
	if out := p.stdout.String() + p.stderr.String(); strings.Contains(out, "-sk") {
		t.Errorf("a secret is in the log: %s", out)
	}
}

func TestErrorIsReportedWithItsPass(t *testing.T) {
	p := start(t)
	if got := p.invoke("R-1", "fail", admin); got.kind != "error" || !strings.Contains(got.body, "the inbox cannot be reached") {
		t.Errorf("got %+v", got)
	}
	if r := p.records()["R-1"]; len(r) != 1 || r[0].Pass == nil || r[0].Pass.Bad != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestPanicIsAnErrorAndTheNextInvocationIsServed(t *testing.T) {
	p := start(t)
	got := p.invoke("R-1", "panic", admin)
	if got.kind != "error" || !strings.Contains(got.body, "panic of type string in request R-1") {
		t.Errorf("got %+v", got)
	}
	if next := p.invoke("R-2", "x", admin); next.kind != "response" {
		t.Errorf("the next one: got %+v", next)
	}
	p.stop()
	// The value of a panic may quote what was being decoded.
	if out := got.body + p.stdout.String() + p.stderr.String(); strings.Contains(out, canary) {
		t.Errorf("the value of the panic is in the log: %s", out)
	}
	if !strings.Contains(p.stderr.String(), "start_test.go") {
		t.Errorf("the stack is not in the log: %s", p.stderr.String())
	}
}

func TestInvocationsRunAtTheSameTime(t *testing.T) {
	p := start(t)
	first, second := p.begin("R-1", "meet", admin), p.begin("R-2", "meet", admin)
	for _, a := range []chan answer{first, second} {
		if got := p.wait(a); got.kind != "response" {
			t.Errorf("got %+v", got)
		}
	}
	if r := p.records(); len(r["R-1"]) != 1 || len(r["R-2"]) != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestANewerMessageIsReturnedToTheInbox(t *testing.T) {
	p := start(t)
	if got := p.invoke("R-1", "put back", admin); got.kind != "error" || !strings.Contains(got.body, "QueueNotExist") {
		t.Errorf("without a queue: got %+v", got)
	}
	inbox := simmns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-attach-role"}
	if _, err := p.cloud.MNS.Create(inbox, simmns.Defaults()); err != nil {
		t.Fatal(err)
	}
	if got := p.invoke("R-2", "put back", admin); got.kind != "response" {
		t.Errorf("got %+v", got)
	}
	st, err := p.cloud.MNS.Attributes(inbox)
	if err != nil || st.Delayed != 1 {
		t.Errorf("got %+v, %v, want one delayed message", st, err)
	}
}

func TestBrokenPolicyIsAFindingAndAnErrorAndNothingIsCalled(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "policy.yaml"), []byte("version: 1\ncontrol: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, environment := range map[string][]string{
		"typo":    {"FLEETWARDEN_POLICY=policy.yaml", "FC_FUNC_CODE_PATH=" + folder},
		"missing": {"FLEETWARDEN_POLICY=" + filepath.Join(folder, "other.yaml")},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, environment...)
			if got := p.invoke("R-1", "who am I", admin); got.kind != "error" || !strings.Contains(got.body, "the policy cannot be used") {
				t.Errorf("got %+v", got)
			}
			r := p.records()["R-1"]
			if len(r) != 1 || r[0].Finding == nil || r[0].Finding.Rule != "policy" || r[0].Finding.Severity != fleet.Critical {
				t.Errorf("got %+v", r)
			}
			if name == "typo" && (len(r) != 1 || !strings.Contains(r[0].Finding.Reason, "policy.yaml:2:1")) {
				t.Errorf("the finding must name the place: %+v", r)
			}
			if totals := p.cloud.Log.Totals(); len(totals) != 0 {
				t.Errorf("the cloud saw %v", totals)
			}
		})
	}
}

func TestWrongEndpointEndsTheProcessWithAMessage(t *testing.T) {
	p := start(t, aliyun.EndpointVariable+"=nonsense")
	<-p.exited
	if p.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(p.stderr.String(), aliyun.EndpointVariable) {
		t.Errorf("exit code %d, %s", p.cmd.ProcessState.ExitCode(), p.stderr.String())
	}
}

func TestPolicyFileIsTheOneOfTheEnvironment(t *testing.T) {
	none := func(string) string { return "" }
	p, err := invocation.LoadPolicy(none)
	if err != nil || p.Digest == "" {
		t.Errorf("without a file: got %+v, %v, want the default", p, err)
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nlimits: {perPass: 7}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environments := map[string]map[string]string{
		"absolute": {invocation.PolicyVariable: path},
		"relative": {invocation.PolicyVariable: "policy.yaml", "FC_FUNC_CODE_PATH": filepath.Dir(path)},
	}
	for name, e := range environments {
		got, err := invocation.LoadPolicy(func(k string) string { return e[k] })
		if err != nil || got.Limits.PerPass != 7 {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	if _, err := invocation.ReadPolicy(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestTheHomeRegionIsThePolicysAndThatOfTheDeployment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nhomeRegion: cn-hangzhou\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		policy, deployed string
		want             fleet.Region
		refused          bool
	}{
		"neither":       {},
		"the policy's":  {policy: path, want: "cn-hangzhou"},
		"deployment's":  {deployed: "cn-shanghai", want: "cn-shanghai"},
		"both alike":    {path, "cn-hangzhou", "cn-hangzhou", false},
		"contradictory": {path, "cn-shanghai", "", true},
	} {
		e := map[string]string{invocation.PolicyVariable: c.policy, invocation.HomeVariable: c.deployed}
		p, err := invocation.LoadPolicy(func(k string) string { return e[k] })
		if (err != nil) != c.refused || err == nil && p.HomeRegion != c.want {
			t.Errorf("%s: %v, %v, want %q", name, p, err, c.want)
		}
	}
}
