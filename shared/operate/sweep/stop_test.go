package sweep_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/sweep"
)

// A throttled listing is resumed, and what was counted before stays counted.
func TestAPassingFailureIsWaitedFor(t *testing.T) {
	want := newCloud().swept(t, fine)
	for _, class := range []fleet.Class{fleet.Throttled, fleet.Unavailable, fleet.Canceled} {
		for _, op := range []string{"lister", "reach", "page 1000000000000001/cn-hangzhou 3", "page 1000000000000001/cn-hangzhou 9",
			"observe 1000000000000001/cn-hangzhou h1", "observe 1000000000000001/cn-hangzhou h4", "observe 1000000000000001", "notify", "get sweeps"} {
			c := newCloud()
			got := c.swept(t, failing(failure{class: class}, 5, op))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s while %s: %s", class, op, diff)
			}
		}
	}
}

// A wait that the cloud asks for is kept; otherwise each pass without progress waits longer.
func TestTheWaitsGrow(t *testing.T) {
	for asked, want := range map[time.Duration]string{
		0:               "15s 15s 15s 15s 16s 32s 1m4s 2m8s 4m16s 5m0s 5m0s",
		3 * time.Second: "3s 3s 4s 8s 16s 32s 1m4s 2m8s 4m16s 5m0s 5m0s",
		time.Hour:       "1h0m0s 1h0m0s 1h0m0s 1h0m0s 1h0m0s 1h0m0s 1h0m0s 1h0m0s 1h0m0s 1h0m0s 1h0m0s",
	} {
		c := newCloud()
		c.begin(t, fine)
		c.inbox = slicesOf(c.inbox, shanghai)
		var waits []string
		for range 11 {
			if _, err := c.deliver(t, failing(failure{fleet.Throttled, asked}, 1, "page")); err != nil {
				t.Fatal(err)
			}
			waits = append(waits, c.inbox[0].after.String())
		}
		if got := strings.Join(waits, " "); got != want {
			t.Errorf("asked for %s: %s, want %s", asked, got, want)
		}
	}
}

func TestProgressResetsTheCountOfTries(t *testing.T) {
	c := newCloud()
	c.begin(t, fine)
	c.inbox = slicesOf(c.inbox, hangzhou)
	c.inbox[0].ref.Try.N = 12
	if _, err := c.deliver(t, fine); err != nil {
		t.Fatal(err)
	}
	if m := c.inbox[0]; m.ref.Try.N != 1 || m.after != time.Second {
		t.Errorf("try %d after %s", m.ref.Try.N, m.after)
	}
}

func slicesOf(inbox []message, s fleet.Scope) (out []message) {
	for _, m := range inbox {
		if m.ref.Scope == s {
			out = append(out, m)
		}
	}
	return out
}

// A shard that cannot be read ends with a fault that says why, and notifies no owner. What was
// seen before is reported, and other shards are not affected.
func TestAShardThatCannotBeReadIsReportedAndNotifiesNoOwner(t *testing.T) {
	whole := newCloud().swept(t, fine)
	for op, want := range map[string]struct{ seen, held int }{
		"page 1000000000000001/cn-hangzhou ":      {0, 0},
		"page 1000000000000001/cn-hangzhou 6":     {6, 2},
		"observe 1000000000000001/cn-hangzhou h":  {0, 0},
		"observe 1000000000000001/cn-hangzhou h7": {6, 2},
	} {
		c := newCloud()
		got := c.swept(t, failing(failure{class: fleet.Denied}, 1000, op))
		s := got.shard(t, hangzhou)
		if s.Seen != want.seen || !strings.Contains(s.Fault, "denied") {
			t.Errorf("%s: seen %d, fault %q", op, s.Seen, s.Fault)
		}
		if n := changes(s)["instance-role held"]; n != want.held || want.held > 0 && s.Held[0].N != n {
			t.Errorf("%s: changes %v, held %v", op, changes(s), s.Held)
		}
		for _, notified := range got.Notified {
			if strings.Contains(notified, string(one)+"/") {
				t.Errorf("%s: notified %s", op, notified)
			}
		}
		if said := strings.Join(c.said(), "\n"); !strings.Contains(said, "not read to its end") {
			t.Errorf("%s: said %s", op, said)
		}
		for _, other := range whole.Shards {
			if other.Scope != hangzhou {
				if diff := cmp.Diff(other, got.shard(t, other.Scope)); diff != "" {
					t.Errorf("%s: another shard: %s", op, diff)
				}
			}
		}
	}
}

func TestAnAccountThatCannotBeReachedIsAFaultOfItsShardsAndOfNoOthers(t *testing.T) {
	for _, op := range []string{"reach " + string(two), "lister " + string(two)} {
		got := newCloud().swept(t, failing(failure{class: fleet.Denied}, 1000, op))
		for _, s := range got.Shards {
			faulty := s.Scope.Account == two && (s.Scope.Region != "" || op[0] == 'r')
			if (s.Fault != "") != faulty || faulty && (s.Seen != 0 || len(s.Counts) > 0 || !strings.Contains(s.Fault, "reaching account "+string(two))) {
				t.Errorf("%s: shard %s: fault %q, seen %d", op, s.Scope, s.Fault, s.Seen)
			}
		}
	}
}

// The cloud may forget a page's token: the shard starts again, and counts nothing twice.
func TestAShardStartsAgainWhenTheListingCannotBeResumed(t *testing.T) {
	want := newCloud().swept(t, fine)
	for _, class := range []fleet.Class{fleet.Invalid, fleet.NotFound, fleet.Unclassified} {
		for times := 1; times <= 2; times++ {
			c := newCloud()
			got := c.swept(t, failing(failure{class: class}, times, "page 1000000000000001/cn-hangzhou 6"))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %d times: %s", class, times, diff)
			}
			sum := 0
			for _, call := range c.published[0].Summary.Calls() {
				sum += call.N
			}
			if sum != c.calls {
				t.Errorf("%s, %d times: the report says %d calls, made were %d", class, times, sum, c.calls)
			}
		}
	}
}

func TestAListingThatIsRefusedAgainAndAgainIsAFault(t *testing.T) {
	c, refused := newCloud(), 0
	s := c.swept(t, func(op string, effect func() error) error {
		if strings.HasPrefix(op, "page 1000000000000001/cn-hangzhou 6") {
			refused++
			return failure{class: fleet.Invalid}
		}
		return effect()
	}).shard(t, hangzhou)
	if s.Seen != 6 || !strings.Contains(s.Fault, "cannot be resumed") || refused != 3 {
		t.Errorf("seen %d, fault %q after %d attempts", s.Seen, s.Fault, refused)
	}
}

// The first page has no token to refuse.
func TestAFirstPageThatIsRefusedIsNotTriedAgain(t *testing.T) {
	asked := 0
	newCloud().swept(t, func(op string, effect func() error) error {
		if strings.HasPrefix(op, "page 1000000000000001/cn-hangzhou ") {
			asked++
			return failure{class: fleet.Invalid}
		}
		return effect()
	})
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// Attempts are counted in the store: dying in between does not give more of them.
func TestAttemptsAreCountedThoughTheNewOneComesNowhere(t *testing.T) {
	c, n := newCloud(), 0
	got := c.swept(t, func(op string, effect func() error) error {
		switch {
		case strings.HasPrefix(op, "page 1000000000000001/cn-hangzhou 6"):
			return failure{class: fleet.Invalid}
		case strings.HasPrefix(op, "page 1000000000000001/cn-hangzhou "):
			if n++; n%3 > 0 && n > 2 {
				return failure{class: fleet.Throttled}
			}
		}
		return effect()
	})
	if s := got.shard(t, hangzhou); s.Fault == "" {
		t.Error("no fault")
	}
}

// Each page of a listing that has no end is progress: only their number shows that it has none.
func TestAListingWithoutAnEndIsAFault(t *testing.T) {
	whole := newCloud().swept(t, fine)
	for name, budget := range map[string]int{"in many passes": 20_001, "in one": 1 << 30} {
		c, pages := newCloud(), 0
		c.budget, c.circles = budget, shanghai
		got := c.swept(t, func(op string, effect func() error) error {
			if strings.HasPrefix(op, "page "+shanghai.String()+" ") {
				pages++
			}
			return effect()
		})
		if s := got.shard(t, shanghai); !strings.Contains(s.Fault, "has no end after 100000 pages") {
			t.Errorf("%s: fault %q", name, s.Fault)
		}
		if pages < 99_000 || pages > 100_000 {
			t.Errorf("%s: given up after %d pages", name, pages)
		}
		for _, other := range whole.Shards {
			if other.Scope != shanghai {
				if diff := cmp.Diff(other, got.shard(t, other.Scope)); diff != "" {
					t.Errorf("%s: another shard: %s", name, diff)
				}
			}
		}
	}
}

func TestAShardIsGivenUpWhenNoPassComesFurther(t *testing.T) {
	c := newCloud()
	passes := 0
	got := c.swept(t, func(op string, effect func() error) error {
		if strings.HasPrefix(op, "page 1000000000000001/cn-hangzhou 6") {
			passes++
			return failure{class: fleet.Throttled}
		}
		return effect()
	})
	s := got.shard(t, hangzhou)
	if s.Seen != 6 || !strings.Contains(s.Fault, "came no further") || !strings.Contains(s.Fault, "throttled") {
		t.Errorf("seen %d, fault %q", s.Seen, s.Fault)
	}
	if passes < 40 || passes > 42 || c.now.Sub(noon) < time.Hour {
		t.Errorf("%d passes in %s", passes, c.now.Sub(noon))
	}
}

// The number of tries in a message may be forged.
func TestAMessageThatClaimsManyTriesDoesNotEndAShard(t *testing.T) {
	c := newCloud()
	want := newCloud().swept(t, fine)
	run := c.begin(t, fine)
	for i := range c.inbox {
		c.inbox[i].ref.Try.N = 1 << 40
	}
	throttled := failing(failure{class: fleet.Throttled}, 5, "page", "reach")
	c.drain(t, throttled)
	if diff := cmp.Diff(want, c.outcome(t, run)); diff != "" {
		t.Error(diff)
	}
	for _, tries := range []int{-1, -1 << 60} {
		c := newCloud()
		c.begin(t, fine)
		c.inbox = slicesOf(c.inbox, shanghai)
		c.inbox[0].ref.Try.N = tries
		if _, err := c.deliver(t, failing(failure{class: fleet.Throttled}, 1, "page")); err != nil || c.inbox[0].ref.Try.N != 1 {
			t.Errorf("error %v, the next try is %d", err, c.inbox[0].ref.Try.N)
		}
	}
}

// The store and the log are not what is swept: when they fail, the platform tries again.
func TestAStoreThatFailsIsAnErrorAndNoFinding(t *testing.T) {
	for _, op := range []string{"put sweeps", "get sweeps", "list sweeps", "record", "publish", "get starts"} {
		c := newCloud()
		run := c.begin(t, fine)
		broken, failed := failing(failure{class: fleet.Denied}, 1000, op), 0
		first := c.inbox
		for _, m := range first {
			c.inbox = []message{m}
			for len(c.inbox) > 0 {
				if _, err := c.deliver(t, broken); err != nil {
					failed++
				}
			}
		}
		if failed == 0 {
			t.Errorf("%s: no pass returned an error", op)
		}
		c.inbox = first
		c.drain(t, fine)
		if diff := cmp.Diff(newCloud().swept(t, fine), c.outcome(t, run)); diff != "" {
			t.Errorf("%s: %s", op, diff)
		}
	}
}

func TestAPassThatCannotWakeItsShardIsTriedAgain(t *testing.T) {
	c := newCloud()
	c.begin(t, fine)
	ref := slicesOf(c.inbox, hangzhou)[0].ref
	if _, err := c.sweep(failing(failure{class: fleet.Denied}, 1, "wake")).Shard(t.Context(), ref); err == nil {
		t.Error("no error, and no message either")
	}
}

func TestAPassStopsBeforeItsDeadlineAndTheShardIsResumed(t *testing.T) {
	for left, ends := range map[time.Duration]bool{30 * time.Second: false, time.Hour: true} {
		c := newCloud()
		c.begin(t, fine)
		ref := slicesOf(c.inbox, shanghai)[0].ref
		c.inbox = nil
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(left))
		defer cancel()
		s := c.sweep(fine)
		s.Options.Margin = time.Minute
		sum, err := s.Shard(ctx, ref)
		if err != nil || (len(c.inbox) == 0) != ends || (sum.Stopped == "") != ends {
			t.Errorf("%s left: stopped %q, inbox %v, error %v", left, sum.Stopped, c.inbox, err)
		}
	}
}

// Without time left no message can be sent: the platform tries again.
func TestAPassThatRanOutOfTimeIsTriedAgain(t *testing.T) {
	c := newCloud()
	c.begin(t, fine)
	ref := slicesOf(c.inbox, hangzhou)[0].ref
	c.inbox = nil
	over := false
	_, err := c.sweep(func(op string, effect func() error) error {
		if over = over || strings.HasPrefix(op, "page"); over {
			return context.DeadlineExceeded
		}
		return effect()
	}).Shard(t.Context(), ref)
	if err == nil || len(c.objects) != 1 {
		t.Errorf("error %v, %d objects", err, len(c.objects))
	}
}

// The pass that ends the last shard may have too little time left for the report. Publishing
// stops while there is still time to wake the next pass, which publishes: the platform's tries
// are not spent on it.
func TestAReportThatOnePassHasNoTimeForIsLeftToTheNext(t *testing.T) {
	c := newCloud()
	c.begin(t, fine)
	tries := 0
	for n := 0; len(c.inbox) > 0 && n < 500; n++ {
		m := c.inbox[0]
		c.inbox = c.inbox[1:]
		s := c.sweep(fine)
		s.Options.Margin = 15 * time.Second
		publish := s.Publish
		s.Publish = func(ctx context.Context, r sweep.Result) error {
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > 45*time.Second {
				t.Errorf("nothing of the pass is left when the report is given up: %v", deadline)
			}
			if tries++; tries <= 3 {
				return context.DeadlineExceeded
			}
			return publish(ctx, r)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := s.Shard(ctx, m.ref)
		cancel()
		if err != nil {
			t.Fatalf("left to the platform: %v", err)
		}
	}
	if tries != 4 || len(c.published) != 1 {
		t.Errorf("%d tries, %d reports", tries, len(c.published))
	}
}

// A report that fails for good is left to the platform, sooner or later.
func TestAReportThatCannotBePublishedDoesNotGoRoundForEver(t *testing.T) {
	c := newCloud()
	c.begin(t, fine)
	for range 500 {
		if len(c.inbox) == 0 {
			break
		}
		if _, err := c.deliver(t, failing(failure{class: fleet.Throttled}, 1<<30, "publish")); err != nil {
			continue // a dead letter
		}
	}
	if len(c.inbox) > 0 || len(c.published) > 0 {
		t.Errorf("%d messages, %d reports", len(c.inbox), len(c.published))
	}
}
