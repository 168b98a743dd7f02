package aliyun_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

func TestReadIsRepeatedUntilTimeHasHealedIt(t *testing.T) {
	for kind, result := range map[simcloud.FaultKind]string{
		simcloud.Throttle: "throttled", simcloud.Unavailable: "unavailable", simcloud.InternalError: "unavailable",
		simcloud.TimeoutBefore: "unavailable", simcloud.TimeoutAfter: "unavailable", simcloud.Empty: "unavailable",
	} {
		t.Run(string(kind), func(t *testing.T) {
			cloud := startCloud(t, simcloud.Fault{Kind: kind, Count: 2})
			s, w := newSession(t, cloud.URL(), 0)
			got, err := read(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if got.AccountID != "1000000000000001" {
				t.Errorf("got account %q", got.AccountID)
			}
			want := map[string]map[string]int{"sts:GetCallerIdentity": {result: 2, "ok": 1}}
			if diff := cmp.Diff(want, s.Calls()); diff != "" {
				t.Error(diff)
			}
			if n := sent(cloud, "GetCallerIdentity"); n != 3 || len(w.all) != 2 {
				t.Errorf("the cloud saw %d requests after %d waits, want 3 after 2", n, len(w.all))
			}
		})
	}
}

func TestReadIsGivenUpWithinThePatience(t *testing.T) {
	for kind, class := range map[simcloud.FaultKind]fleet.Class{
		simcloud.Throttle: fleet.Throttled, simcloud.Unavailable: fleet.Unavailable,
		simcloud.TimeoutBefore: fleet.Unavailable, simcloud.Empty: fleet.Unavailable,
	} {
		t.Run(string(kind), func(t *testing.T) {
			cloud := startCloud(t, simcloud.Fault{Kind: kind})
			s, w := newSession(t, cloud.URL(), 0)
			_, err := read(t.Context(), s)
			if got := fleet.ClassOf(err); got != class {
				t.Errorf("got class %v of %v, want %v", got, err, class)
			}
			if w.sum() > aliyun.Patience || len(w.all) < 2 {
				t.Errorf("waited %v, want at least twice and at most %v in all", w.all, aliyun.Patience)
			}
			if n := sent(cloud, "GetCallerIdentity"); n != len(w.all)+1 {
				t.Errorf("the cloud saw %d requests after %d waits", n, len(w.all))
			}
		})
	}
}

func TestReadThatIsRefusedIsNotRepeated(t *testing.T) {
	url, count := answering(t, text(400, `{"Code":"InvalidParameter","Message":"no"}`))
	s, w := newSession(t, url, 0)
	_, err := read(t.Context(), s)
	if fleet.ClassOf(err) != fleet.Invalid || count.Load() != 1 || len(w.all) != 0 {
		t.Errorf("got %v after %d requests and %d waits, want one refusal", err, count.Load(), len(w.all))
	}
}

func TestWriteWhoseAnswerWasLostIsNeverRepeated(t *testing.T) {
	for kind, done := range map[simcloud.FaultKind]bool{
		simcloud.Unavailable: false, simcloud.InternalError: false,
		simcloud.TimeoutBefore: false, simcloud.TimeoutAfter: true, simcloud.Empty: true,
	} {
		t.Run(string(kind), func(t *testing.T) {
			cloud := startCloud(t, simcloud.Fault{Product: "ram", Kind: kind})
			s, w := newSession(t, cloud.URL(), 0)
			// A connection that is open already must not tempt the transport to repeat.
			if _, err := read(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			err := write(t.Context(), s, "lost")
			if fleet.ClassOf(err) != fleet.Lost {
				t.Errorf("got class %v of %v, want Lost", fleet.ClassOf(err), err)
			}
			if n := sent(cloud, "CreateRole"); n != 1 || len(w.all) != 0 {
				t.Errorf("the cloud saw %d requests after %d waits, want 1 after none", n, len(w.all))
			}
			if _, found := cloud.RAM.FindRole("1000000000000001", "lost"); found != done {
				t.Errorf("the role is there: %v, want %v", found, done)
			}
		})
	}
}

func TestThrottledWriteIsRepeated(t *testing.T) {
	cloud := startCloud(t, simcloud.Fault{Product: "ram", Kind: simcloud.Throttle, Count: 2})
	s, _ := newSession(t, cloud.URL(), 0)
	if err := write(t.Context(), s, "made"); err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]int{"ram:CreateRole": {"throttled": 2, "ok": 1}}
	if diff := cmp.Diff(want, s.Calls()); diff != "" {
		t.Error(diff)
	}
}

func TestThrottledCallWaitsAsLongAsTheCloudAsks(t *testing.T) {
	url, count := answering(t, throttledFor("700"))
	s, w := newSession(t, url, 0)
	_, err := read(t.Context(), s)
	if fleet.ClassOf(err) != fleet.Throttled || fleet.RetryAfter(err) != 700*time.Millisecond {
		t.Errorf("got %v, asked to wait %v", err, fleet.RetryAfter(err))
	}
	want := []time.Duration{700 * time.Millisecond, 700 * time.Millisecond}
	if diff := cmp.Diff(want, w.all); diff != "" || count.Load() != 3 {
		t.Errorf("%d requests, waits %s", count.Load(), diff)
	}
}

func TestThrottledCallIsLeftToLaterWhenTheCloudAsksForLong(t *testing.T) {
	url, count := answering(t, throttledFor("30000"))
	s, w := newSession(t, url, 0)
	_, err := read(t.Context(), s)
	if fleet.RetryAfter(err) != 30*time.Second || count.Load() != 1 || len(w.all) != 0 {
		t.Errorf("got %v after %d requests and waits %v", err, count.Load(), w.all)
	}
}

func throttledFor(ms string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-RateLimit-User-API", "Limit:1,Remain:0,TimeLeft:"+ms+",Reset:1")
		text(400, `{"Code":"Throttling.User","Message":"slow down"}`)(w, r)
	}
}

func TestEachAPIHasABudgetOfItsOwn(t *testing.T) {
	cloud := startCloud(t)
	s, _ := newSession(t, cloud.URL(), 2)
	for range 2 {
		if _, err := read(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(t.Context(), s, "a"); err != nil {
		t.Errorf("another API: %v", err)
	}
	if s.Left() != 0 {
		t.Errorf("%d left of the API that was called most", s.Left())
	}
}

func TestExcessIsAllowedAndForbidden(t *testing.T) {
	cloud := startCloud(t)
	s, _ := newSession(t, cloud.URL(), 1)
	s.Excess(true)
	for range 3 {
		if _, err := read(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	s.Excess(false)
	if _, err := read(t.Context(), s); fleet.ClassOf(err) != fleet.OutOfBudget || s.Left() >= 0 {
		t.Errorf("got %v with %d left, want OutOfBudget with none", err, s.Left())
	}
}

func TestSpentBudgetSendsNothing(t *testing.T) {
	cloud := startCloud(t)
	s, _ := newSession(t, cloud.URL(), 2)
	for range 2 {
		if _, err := read(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	_, err := read(t.Context(), s)
	if fleet.ClassOf(err) != fleet.OutOfBudget {
		t.Errorf("got %v, want OutOfBudget", err)
	}
	if n := sent(cloud, "GetCallerIdentity"); n != 2 || s.Left() != 0 {
		t.Errorf("the cloud saw %d requests, %d are left", n, s.Left())
	}
	want := map[string]map[string]int{"sts:GetCallerIdentity": {"ok": 2}}
	if diff := cmp.Diff(want, s.Calls()); diff != "" {
		t.Errorf("what was not sent must not be counted: %s", diff)
	}
}

func TestRealWaitEndsWithTheContext(t *testing.T) {
	s, _ := newSession(t, "", 0)
	s.Cloud().Sleep = nil
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	err := s.Retry(ctx, func() error {
		tries++
		cancel()
		return aliyun.NewError("p:A", 400, "Throttling", "", "", false)
	})
	if !errors.Is(err, context.Canceled) || tries != 1 {
		t.Errorf("got %v after %d tries", err, tries)
	}
}

func TestRetriesSpendTheBudget(t *testing.T) {
	cloud := startCloud(t, simcloud.Fault{Kind: simcloud.Throttle})
	s, _ := newSession(t, cloud.URL(), 2)
	_, err := read(t.Context(), s)
	if n := sent(cloud, "GetCallerIdentity"); fleet.ClassOf(err) != fleet.OutOfBudget || n != 2 {
		t.Errorf("got %v after %d requests, want OutOfBudget after 2", err, n)
	}
}

func TestEndedContextSendsNothing(t *testing.T) {
	cloud := startCloud(t)
	s, _ := newSession(t, cloud.URL(), 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, readErr := read(ctx, s)
	for name, err := range map[string]error{"read": readErr, "write": write(ctx, s, "role")} {
		if fleet.ClassOf(err) != fleet.Canceled || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got class %v of %v, want Canceled", name, fleet.ClassOf(err), err)
		}
	}
	if totals := cloud.Log.Totals(); len(totals) != 0 || len(s.Calls()) != 0 {
		t.Errorf("the cloud saw %v, counted were %v", totals, s.Calls())
	}
}

func TestContextThatEndsWhileTheCloudIsSilentEndsTheCall(t *testing.T) {
	for name, want := range map[string]fleet.Class{"read": fleet.Canceled, "write": fleet.Lost} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			url, count := answering(t, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // net/http notices the end of a connection behind the body only
				cancel()
				<-r.Context().Done() // the caller hangs up
			})
			s, w := newSession(t, url, 0)
			var err error
			if name == "read" {
				_, err = read(ctx, s)
			} else {
				err = write(ctx, s, "role")
			}
			if fleet.ClassOf(err) != want || !errors.Is(err, context.Canceled) {
				t.Errorf("got class %v of %v, want %v", fleet.ClassOf(err), err, want)
			}
			if count.Load() != 1 || len(w.all) != 0 {
				t.Errorf("%d requests, waits %v", count.Load(), w.all)
			}
		})
	}
}

func TestContextThatEndsDuringAWaitEndsTheCall(t *testing.T) {
	cloud := startCloud(t, simcloud.Fault{Kind: simcloud.Throttle})
	s, _ := newSession(t, cloud.URL(), 0)
	ctx, cancel := context.WithCancel(t.Context())
	s.Cloud().Sleep = func(ctx context.Context, _ time.Duration) error {
		cancel()
		return ctx.Err()
	}
	_, err := read(ctx, s)
	if !errors.Is(err, context.Canceled) || fleet.ClassOf(err) != fleet.Throttled {
		t.Errorf("got %v, want the throttling and the end of the context", err)
	}
	if n := sent(cloud, "GetCallerIdentity"); n != 1 {
		t.Errorf("the cloud saw %d requests", n)
	}
}

func TestNowIsTheCloudsTime(t *testing.T) {
	cloud := startCloud(t)
	s, _ := newSession(t, cloud.URL(), 0)
	before := time.Now()
	if got := s.Now(); got.Before(before) || got.After(time.Now()) {
		t.Errorf("before the first answer: got %v, want the machine's time", got)
	}
	if _, err := read(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if got, want := s.Now(), cloud.World.Clock.Now(); !got.Equal(want) {
		t.Errorf("after the first answer: got %v, want %v", got, want)
	}
	for _, header := range []string{"", "yesterday", "Mon, 05 Jan 1998 00:00:00 GMT"} {
		s.SawDate(header)
		if got, want := s.Now(), cloud.World.Clock.Now(); !got.Equal(want) {
			t.Errorf("after Date %q: got %v, want %v", header, got, want)
		}
	}
}

// TestParametersTravelInTheBody: gateways refuse a request line above 8 KiB, and which
// parameters are long depends on the fleet.
func TestParametersTravelInTheBody(t *testing.T) {
	var line, body string
	url, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
		line, body = r.RequestURI, form(r)
		text(200, `{"RequestId":"r"}`)(w, r)
	})
	s, _ := newSession(t, url, 0)
	if err := write(t.Context(), s, "role & co"); err != nil {
		t.Fatal(err)
	}
	if line != "/" || body == "" {
		t.Errorf("the request line names %q, the body is %q", line, body)
	}
}
