package fc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/fc"
)

func TestReservedConcurrencyDelaysAsynchronousInvocations(t *testing.T) {
	f := deploy(t, func(fn *fc.Function) { fn.Reserved = new(1) })
	inside, release := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(inside)
		<-release
	}))
	defer srv.Close()
	if err := f.InvokeAsync(region, "probe", cause(fmt.Sprintf(`{"do":"get","urls":[%q]}`, srv.URL))); err != nil {
		t.Fatal(err)
	}
	<-inside
	if res, _ := f.invoke(`{"do":"nothing"}`); res.ErrorType != fc.Exhausted {
		t.Errorf("a synchronous one too many: %s", res.ErrorType)
	}
	if err := f.InvokeAsync(region, "probe", cause(`{"do":"nothing"}`)); err != nil {
		t.Fatal(err)
	}
	close(release)
	f.quiet()
	all := f.Invocations()
	if last := all[len(all)-1]; last.ErrorType != "" || len(f.dead) != 0 {
		t.Errorf("the delayed one: %+v; dead letters %s", last, f.dead)
	}
}

func TestAsynchronousFailureIsRetriedThenRecorded(t *testing.T) {
	f := deploy(t, nil)
	if err := f.InvokeAsync(region, "probe", cause(`{"do":"fail"}`)); err != nil {
		t.Fatal(err)
	}
	f.quiet()
	all := f.Invocations()
	var got []string
	for _, x := range all {
		got = append(got, fmt.Sprintf("%d %v %v %s", x.Attempt, x.Start.Sub(start), x.Retry, x.ErrorType))
	}
	want := []string{"1 0s true " + fc.Handled, "2 1s true " + fc.Handled, "3 3s false " + fc.Handled}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(f.dead) != 1 {
		t.Fatalf("dead letters %s", f.dead)
	}
	var rec map[string]any
	if err := json.Unmarshal(f.dead[0], &rec); err != nil {
		t.Fatal(err)
	}
	wantRec := map[string]any{
		"timestamp": float64(start.Add(3 * time.Second).UnixMilli()),
		"requestContext": map[string]any{
			"requestId": all[2].RequestID, "functionArn": "acs:fc:cn-hangzhou:1000000000000001:functions/probe",
			"condition": fc.Handled, "approximateInvokeCount": 3.0,
		},
		"requestPayload":  `{"do":"fail"}`,
		"responseContext": map[string]any{"statusCode": 200.0, "functionError": fc.Handled},
		"responsePayload": `{"errorMessage":"failed as asked","errorType":"errorString"}`,
	}
	if diff := cmp.Diff(wantRec, rec); diff != "" {
		t.Error(diff)
	}
}

func TestAsynchronousSuccessIsNotRetried(t *testing.T) {
	f := deploy(t, nil)
	if err := f.InvokeAsync(region, "probe", cause(`{"do":"nothing"}`)); err != nil {
		t.Fatal(err)
	}
	f.quiet()
	if n := len(f.Invocations()); n != 1 || len(f.dead) != 0 {
		t.Errorf("%d invocations, dead letters %s", n, f.dead)
	}
}

func TestAsynchronousEventExpires(t *testing.T) {
	f := deploy(t, func(fn *fc.Function) { fn.Async.Retries, fn.Async.MaxAge = 8, 5*time.Second })
	if err := f.InvokeAsync(region, "probe", cause(`{"do":"fail"}`)); err != nil {
		t.Fatal(err)
	}
	f.quiet()
	if n := len(f.Invocations()); n != 3 || len(f.dead) != 1 || !strings.Contains(string(f.dead[0]), fc.Expired) {
		t.Errorf("%d invocations, dead letters %s", n, f.dead)
	}
}

func TestAsynchronousPayloadIsLimited(t *testing.T) {
	f := deploy(t, nil)
	if err := f.InvokeAsync(region, "probe", fc.Cause{Payload: make([]byte, 128<<10+1)}); err == nil {
		t.Error("129 KB were accepted")
	}
	if err := f.InvokeAsync(region, "other", cause(`{}`)); err == nil {
		t.Error("a missing function was accepted")
	}
}
