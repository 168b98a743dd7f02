package fc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

const region = "cn-hangzhou"

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// code is the folder with the probe, built once.
var code = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "main"), "./testdata/probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as functions are built
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the probe: %w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if dir, err := code(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

type fixture struct {
	*testing.T
	*fc.Runtime
	clock *simcloud.Clock
	dead  [][]byte
}

func deploy(t *testing.T, change func(*fc.Function)) *fixture {
	t.Helper()
	dir, err := code()
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, clock: simcloud.NewClock(start)}
	f.Runtime, err = fc.New(fc.Options{Clock: f.clock, LogDir: t.TempDir(), Issue: func(_ *fc.Function, session string) (fc.Credentials, error) {
		return fc.Credentials{AccessKeyID: session, AccessKeySecret: "secret", SecurityToken: "token"}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	fn := fc.Function{
		Account: "1000000000000001", Region: region, Name: "probe", Code: dir, Handler: "main", Role: "role-probe",
		Memory: 512, Timeout: time.Minute, Env: map[string]string{"COLOUR": "blue"},
		Async: fc.Async{Retries: 2, OnFailure: func(b []byte) error { f.dead = append(f.dead, b); return nil }},
	}
	if change != nil {
		change(&fn)
	}
	if err := f.Deploy(fn); err != nil {
		t.Fatal(err)
	}
	return f
}

type answer struct {
	PID      int
	Text     string
	Deadline int64
	Context  struct {
		RequestID, Region, AccountId string
		Credentials                  map[string]string
		Function                     struct {
			Name, Handler, Memory string
			Timeout               int
		}
		RetryCount int
	}
}

func cause(payload string) fc.Cause { return fc.Cause{Trigger: "test", Payload: []byte(payload)} }

func (f *fixture) invoke(payload string) (fc.Result, answer) {
	f.Helper()
	res, err := f.Invoke(f.Context(), region, "probe", cause(payload))
	if err != nil {
		f.Fatal(err)
	}
	var a answer
	if res.ErrorType == "" {
		if err := json.Unmarshal(res.Body, &a); err != nil {
			f.Fatalf("answer %q: %v", res.Body, err)
		}
	}
	return res, a
}

func (f *fixture) quiet() {
	f.Helper()
	if quiet, err := f.clock.Quiet(f.Context(), 48*time.Hour); err != nil || !quiet {
		f.Fatalf("quiet %v, %v", quiet, err)
	}
}

func TestFunctionSeesItsContext(t *testing.T) {
	f := deploy(t, nil)
	before := time.Now()
	res, a := f.invoke(`{"do":"context"}`)
	c := a.Context
	if c.RequestID != res.RequestID || c.Region != region || c.AccountId != "1000000000000001" || c.RetryCount != 0 {
		t.Errorf("context %+v", c)
	}
	if c.Function.Name != "probe" || c.Function.Memory != "512" || c.Function.Timeout != 60 || c.Function.Handler != "main" {
		t.Errorf("function %+v", c.Function)
	}
	want := map[string]string{"AccessKeyId": "fc-" + res.RequestID, "AccessKeySecret": "secret", "SecurityToken": "token"}
	if diff := cmp.Diff(want, c.Credentials); diff != "" {
		t.Error(diff)
	}
	if left := time.UnixMilli(a.Deadline).Sub(before); left < 59*time.Second || left > 61*time.Second {
		t.Errorf("the deadline is %v away, want a minute", left)
	}
}

func TestFunctionSeesItsEnvironmentAndNoOther(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "x")
	f := deploy(t, func(fn *fc.Function) { fn.CPU = 1.5 })
	for name, want := range map[string]string{
		"GOMAXPROCS": "2",
		"COLOUR":     "blue", "FC_FUNCTION_NAME": "probe", "FC_REGION": region, "FC_ACCOUNT_ID": "1000000000000001",
		"ALIBABA_CLOUD_SECURITY_TOKEN": "token", "SECRET_OF_THE_HOST": "",
	} {
		if _, a := f.invoke(`{"do":"env","name":"` + name + `"}`); a.Text != want {
			t.Errorf("%s is %q, want %q", name, a.Text, want)
		}
	}
}

func TestReconfigureGivesTheNextEventANewInstance(t *testing.T) {
	f := deploy(t, nil)
	_, before := f.invoke(`{"do":"nothing"}`)
	if err := f.Reconfigure("COLOUR", "red"); err != nil {
		t.Fatal(err)
	}
	if _, after := f.invoke(`{"do":"env","name":"COLOUR"}`); after.Text != "red" || after.PID == before.PID {
		t.Errorf("COLOUR is %q, in the same process: %t", after.Text, after.PID == before.PID)
	}

	// A function that is at work keeps what it was deployed with.
	asked, answer := make(chan bool), make(chan bool)
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- true; <-answer }))
	t.Cleanup(srv.Close)
	end := make(chan fc.Result, 1)
	go func() {
		res, _ := f.Invoke(t.Context(), region, "probe", cause(fmt.Sprintf(`{"do":"get","urls":[%q]}`, srv.URL)))
		end <- res
	}()
	<-asked
	if err := f.Reconfigure("COLOUR", "green"); err == nil || !strings.Contains(err.Error(), "probe is at work") {
		t.Errorf("while it is at work: %v", err)
	}
	close(answer)
	if res := <-end; res.ErrorType != "" {
		t.Errorf("the work under way: %s %s", res.ErrorType, res.Body)
	}
}

func TestErrorIsHandledAndPanicIsNotAndTheProcessContinues(t *testing.T) {
	f := deploy(t, nil)
	_, first := f.invoke(`{"do":"nothing"}`)
	if res, _ := f.invoke(`{"do":"fail"}`); res.ErrorType != fc.Handled || !strings.Contains(string(res.Body), "failed as asked") {
		t.Errorf("an error: %s %s", res.ErrorType, res.Body)
	}
	if res, _ := f.invoke(`{"do":"panic"}`); res.ErrorType != fc.Unhandled || !strings.Contains(string(res.Body), "panicked as asked") {
		t.Errorf("a panic: %s %s", res.ErrorType, res.Body)
	}
	if _, last := f.invoke(`{"do":"nothing"}`); last.PID != first.PID {
		t.Error("the process did not go on")
	}
}

func TestProcessThatExitsOrHangsIsReplaced(t *testing.T) {
	f := deploy(t, func(fn *fc.Function) { fn.Timeout = time.Second })
	_, first := f.invoke(`{"do":"nothing"}`)
	if res, _ := f.invoke(`{"do":"exit"}`); res.ErrorType != fc.Unhandled || !strings.Contains(string(res.Body), "exit status 3") {
		t.Errorf("an exit: %s %s", res.ErrorType, res.Body)
	}
	if res, _ := f.invoke(`{"do":"hang"}`); res.ErrorType != fc.Unhandled || !strings.Contains(string(res.Body), "timed out after 1 seconds") {
		t.Errorf("a hang: %s %s", res.ErrorType, res.Body)
	}
	if _, last := f.invoke(`{"do":"nothing"}`); last.PID == first.PID {
		t.Error("the process was not replaced")
	}
}

// meeting answers no request before n have come.
func meeting(t *testing.T, n int) string {
	var mu sync.Mutex
	all := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		if n--; n == 0 {
			close(all)
		}
		mu.Unlock()
		<-all
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// together runs three invocations that only end when all are running, and
// returns the number of processes.
func together(f *fixture) int {
	payload := fmt.Sprintf(`{"do":"get","urls":[%q]}`, meeting(f.T, 3))
	pids := make(chan int, 3)
	for range 3 {
		go func() {
			_, a := f.invoke(payload)
			pids <- a.PID
		}()
	}
	seen := map[int]bool{}
	for range 3 {
		seen[<-pids] = true
	}
	return len(seen)
}

// Function Compute 3.0 gives the standard runtimes no instance concurrency.
func TestAnInstanceTakesOneEventAtATime(t *testing.T) {
	if got := together(deploy(t, nil)); got != 3 {
		t.Errorf("3 invocations at a time ran in %d processes", got)
	}
}

// The functions of an account share its instances in a region with those reserved for one.
func TestReservedConcurrencyIsTakenFromTheAccountsOthers(t *testing.T) {
	f := deploy(t, nil)
	other := fc.Function{
		Account: "1000000000000001", Region: region, Name: "other", Code: "/none", Handler: "main",
		Memory: 512, Timeout: time.Minute, Reserved: new(78),
	}
	if err := f.Deploy(other); err != nil {
		t.Fatal(err)
	}
	f.Lengthen("probe", time.Minute)
	var ends []string
	for range 3 {
		if err := f.Deliver(region, "probe", cause(`{"do":"nothing"}`), func(res fc.Result) { ends = append(ends, res.ErrorType) }); err != nil {
			t.Fatal(err)
		}
	}
	f.quiet()
	if diff := cmp.Diff([]string{fc.Exhausted, "", ""}, ends); diff != "" {
		t.Error(diff)
	}
	other.Name, other.Reserved = "third", new(3)
	if err := f.Deploy(other); err == nil {
		t.Error("the instances of the account's own functions could be reserved")
	}
}

func TestAnInvocationMayLast(t *testing.T) {
	f := deploy(t, nil)
	f.Lengthen("probe", 200*time.Second)
	ended := false
	if err := f.Deliver(region, "probe", cause(`{"do":"nothing"}`), func(res fc.Result) { ended = res.ErrorType == "" }); err != nil {
		t.Fatal(err)
	}
	if ended {
		t.Error("it ended before its time")
	}
	f.quiet()
	if x := f.Invocations()[0]; !ended || x.End.Sub(x.Start) != 200*time.Second {
		t.Errorf("ended %t, after %v", ended, x.End.Sub(x.Start))
	}
}

// Once the runtime is closed, the clock may never come to the end of an invocation that lasts.
func TestCloseWaitsForNoVirtualTime(t *testing.T) {
	f := deploy(t, nil)
	f.Lengthen("probe", time.Hour)
	if err := f.Deliver(region, "probe", cause(`{"do":"nothing"}`), func(fc.Result) {}); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- f.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Close waits for the end of an invocation that lasts in virtual time")
	}
	f.quiet() // its end harms nothing
}

func TestProcessIsKilledExactlyAtACall(t *testing.T) {
	for _, when := range []fc.When{fc.Before, fc.After} {
		f := deploy(t, nil)
		done := 0
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			c := &wire.Call{Caller: wire.Identity{Session: r.Header.Get("X-Session")}}
			if f.Witness(c, false) {
				panic(http.ErrAbortHandler)
			}
			done++
			if f.Witness(c, true) {
				panic(http.ErrAbortHandler)
			}
		}))
		payload := fmt.Sprintf(`{"do":"get","urls":[%q,%q,%q]}`, srv.URL, srv.URL, srv.URL)
		f.Kill("other", 1, when)
		f.Kill("probe", 2, when)
		res, _ := f.invoke(payload)
		want := 1
		if when == fc.After {
			want = 2
		}
		if res.ErrorType != fc.Unhandled || done != want {
			t.Errorf("when %v: %s after %d calls, want %d", when, res.ErrorType, done, want)
		}
		if res, _ := f.invoke(payload); res.ErrorType != "" || done != want+3 {
			t.Errorf("when %v: the next run ended %s after %d calls", when, res.ErrorType, done)
		}
		srv.Close()
	}
}

func TestOutputIsKeptForEachInvocation(t *testing.T) {
	f := deploy(t, nil)
	f.invoke(`{"do":"first"}`)
	f.invoke(`{"do":"second"}`)
	all := f.Invocations()
	if log := all[1].Log; !strings.Contains(log, "probe does second") || strings.Contains(log, "first") {
		t.Errorf("log of the second invocation %q", log)
	}
	if log := all[0].Log; !strings.Contains(log, "FC Invoke End RequestId: "+all[0].RequestID) {
		t.Errorf("log of the first invocation %q", log)
	}
}
