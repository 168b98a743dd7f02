package fc_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"syscall"
	"testing"
	"time"

	"fleetwarden/deploy/local/fc"
)

// again is the probe as it is deployed the second time.
func again(t *testing.T, f *fixture, change func(*fc.Function)) {
	t.Helper()
	dir, err := code()
	if err != nil {
		t.Fatal(err)
	}
	fn := fc.Function{
		Account: "1000000000000001", Region: region, Name: "probe", Code: dir, Handler: "main", Role: "role-probe",
		Memory: 512, Timeout: time.Minute, Env: map[string]string{"COLOUR": "red"}, Async: fc.Async{Retries: 2},
	}
	change(&fn)
	if err := f.Replace(fn); err != nil {
		t.Fatal(err)
	}
}

func colour(f *fixture) string {
	_, a := f.invoke(`{"do":"env","name":"COLOUR"}`)
	return a.Text
}

func TestAReplacedFunctionFinishesWhatItBegan(t *testing.T) {
	f := deploy(t, nil)
	inside, release := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(inside)
		<-release
	}))
	defer srv.Close()
	ended := make(chan fc.Result, 1)
	go func() {
		res, _ := f.Invoke(t.Context(), region, "probe", cause(fmt.Sprintf(`{"do":"get","urls":[%q]}`, srv.URL)))
		ended <- res
	}()
	<-inside
	again(t, f, func(*fc.Function) {})
	if got := colour(f); got != "red" {
		t.Errorf("the next event met colour %q", got)
	}
	close(release)
	if res := <-ended; res.ErrorType != "" {
		t.Errorf("what had begun ended as %s %s", res.ErrorType, res.Body)
	}
}

func TestAReplacedIdleInstanceIsGone(t *testing.T) {
	f := deploy(t, nil)
	_, before := f.invoke(`{"do":"nothing"}`)
	again(t, f, func(*fc.Function) {})
	if err := syscall.Kill(before.PID, 0); err == nil {
		t.Errorf("process %d still runs", before.PID)
	}
	if got := colour(f); got != "red" {
		t.Errorf("the next event met colour %q", got)
	}
}

func TestALaterAttemptMeetsTheNewFunction(t *testing.T) {
	f := deploy(t, nil)
	if err := f.InvokeAsync(region, "probe", cause(`{"do":"fail"}`)); err != nil {
		t.Fatal(err)
	}
	again(t, f, func(fn *fc.Function) { fn.Async.Retries = 0 })
	f.quiet()
	if n := len(f.Invocations()); n > 2 {
		t.Errorf("%d attempts, though the new function has no retries", n)
	}
}

func TestARemovedOrDisabledFunctionIsRefused(t *testing.T) {
	f := deploy(t, nil)
	again(t, f, func(fn *fc.Function) { fn.Disabled = true })
	if err := f.InvokeAsync(region, "probe", cause(`{}`)); err == nil {
		t.Error("a disabled function took an event")
	}
	again(t, f, func(*fc.Function) {})
	if err := f.InvokeAsync(region, "probe", cause(`{"do":"nothing"}`)); err != nil {
		t.Error(err)
	}
	f.quiet()
	f.Remove(region, "probe")
	if _, err := f.Invoke(t.Context(), region, "probe", cause(`{}`)); err == nil {
		t.Error("a removed function ran")
	}
	f.Remove(region, "probe") // is no harm
}

// An event that was queued before its function was disabled waits, does not run, and is run
// once the function is enabled.
func TestAQueuedEventOfADisabledFunctionWaits(t *testing.T) {
	f := deploy(t, nil)
	if err := f.InvokeAsync(region, "probe", cause(`{"do":"fail"}`)); err != nil {
		t.Fatal(err)
	}
	again(t, f, func(fn *fc.Function) { fn.Disabled = true })
	if err := f.clock.Advance(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	before := f.Invocations()
	for _, x := range before[1:] {
		if x.ErrorType != fc.Stopped || !x.Retry {
			t.Errorf("while disabled: %+v", x)
		}
	}
	again(t, f, func(*fc.Function) {})
	f.quiet()
	ran := slices.DeleteFunc(f.Invocations(), func(x fc.Invocation) bool { return x.ErrorType == fc.Stopped })
	if len(before) < 2 || len(ran) != 3 || ran[2].Retry {
		t.Errorf("%d attempts before it was enabled; ran %+v", len(before), ran)
	}
}

func TestReplacingCountsTheFunctionsOwnInstancesOnce(t *testing.T) {
	f := deploy(t, func(fn *fc.Function) { fn.Reserved = new(60) })
	again(t, f, func(fn *fc.Function) { fn.Reserved = new(70) })
}
