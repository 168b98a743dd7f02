package simcloud_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
)

var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func TestItemsRunInOrderOfTimeAndThenOfPlanning(t *testing.T) {
	c := simcloud.NewClock(start)
	var got []string
	note := func(s string) func() {
		return func() { got = append(got, s+" "+c.Now().Sub(start).String()) }
	}
	c.After(2*time.Second, note("late"))
	c.After(time.Second, note("first"))
	c.After(time.Second, note("second"))
	c.After(-time.Hour, note("overdue"))
	c.After(time.Minute, note("never"))
	if err := c.Advance(t.Context(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	want := []string{"overdue 0s", "first 1s", "second 1s", "late 2s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d := c.Now().Sub(start); d != 10*time.Second {
		t.Errorf("time moved by %s, want 10s", d)
	}
}

func TestItemPlannedByAnItemRunsInTheSameAdvance(t *testing.T) {
	c := simcloud.NewClock(start)
	ran := time.Duration(0)
	c.After(time.Second, func() {
		c.After(time.Second, func() { ran = c.Now().Sub(start) })
	})
	if err := c.Advance(t.Context(), 2*time.Second); err != nil {
		t.Fatal(err)
	}
	if ran != 2*time.Second {
		t.Errorf("the inner item ran at %s, want 2s", ran)
	}
}

func TestStoppedItemDoesNotRun(t *testing.T) {
	c := simcloud.NewClock(start)
	ran := 0
	stopped := c.After(time.Second, func() { ran++ })
	kept := c.After(time.Second, func() { ran++ })
	if !stopped.Stop() || stopped.Stop() {
		t.Error("Stop must report true once")
	}
	if err := c.Advance(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if ran != 1 || kept.Stop() {
		t.Errorf("%d items ran, want the kept one alone, and Stop after it false", ran)
	}
}

func TestQuietLeavesBackgroundItemsWaiting(t *testing.T) {
	c := simcloud.NewClock(start)
	var got []string
	c.Background(time.Second, func() { got = append(got, "cron") })
	c.After(2*time.Second, func() { got = append(got, "work") })
	c.Background(time.Hour, func() { got = append(got, "later cron") })
	quiet, err := c.Quiet(t.Context(), 24*time.Hour)
	if err != nil || !quiet {
		t.Fatalf("quiet %t, %v", quiet, err)
	}
	if diff := cmp.Diff([]string{"cron", "work"}, got); diff != "" {
		t.Errorf("background items run on the way, but are not waited for: %s", diff)
	}
	if d := c.Now().Sub(start); d != 2*time.Second {
		t.Errorf("time moved by %s, want 2s", d)
	}
}

func TestQuietStopsAtItsLimitAndSaysSo(t *testing.T) {
	c := simcloud.NewClock(start)
	var again func()
	again = func() { c.After(time.Minute, again) }
	again()
	quiet, err := c.Quiet(t.Context(), time.Hour)
	if err != nil || quiet {
		t.Errorf("a world that always has work is not quiet: %t, %v", quiet, err)
	}
	if d := c.Now().Sub(start); d > time.Hour {
		t.Errorf("time moved by %s, more than the limit", d)
	}
}

func TestTimeStandsStillDuringWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := simcloud.NewClock(start)
		done := c.Begin()
		c.After(time.Second, func() {})
		moved := make(chan error, 1)
		go func() { moved <- c.Advance(t.Context(), time.Minute) }()
		synctest.Wait()
		if len(moved) > 0 || !c.Now().Equal(start) {
			t.Fatal("time moved while work was under way")
		}
		done()
		done() // more than once does no harm
		if err := <-moved; err != nil {
			t.Fatal(err)
		}
		if d := c.Now().Sub(start); d != time.Minute {
			t.Errorf("time moved by %s, want 1m", d)
		}
	})
}

func TestAdvanceWaitsForTheWorkThatAnItemStarts(t *testing.T) {
	c := simcloud.NewClock(start)
	finished := make(chan struct{})
	release := make(chan struct{})
	c.After(time.Second, func() {
		done := c.Begin()
		go func() {
			<-release
			close(finished)
			done()
		}()
	})
	c.After(2*time.Second, func() {
		select {
		case <-finished:
		default:
			t.Error("the next item ran before the work of the one before was done")
		}
	})
	close(release)
	if err := c.Advance(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	<-finished
}

func TestMovingTimeEndsWithItsContext(t *testing.T) {
	c := simcloud.NewClock(start)
	defer c.Begin()()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Advance(ctx, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("Advance: %v, want context canceled", err)
	}
	if _, err := c.Quiet(ctx, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("Quiet: %v, want context canceled", err)
	}
	if !c.Now().Equal(start) {
		t.Error("time moved")
	}
}

func TestFollowRunsWhatIsDueDuringWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := simcloud.NewClock(start)
		defer c.Begin()()
		ctx, cancel := context.WithCancel(t.Context())
		ran := time.Duration(0)
		c.After(time.Minute, func() { ran = c.Now().Sub(start) })
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.Follow(ctx, 60)
		}()
		time.Sleep(2 * time.Second) // of the bubble's time
		cancel()
		<-ended
		if ran != time.Minute {
			t.Errorf("the item ran at %s, want 1m", ran)
		}
		if d := c.Now().Sub(start); d < 110*time.Second || d > 2*time.Minute {
			t.Errorf("time followed by %s, want about 2m", d)
		}
	})
}

func TestALeapLetsWhatFallsDueRunLateAndInOrder(t *testing.T) {
	c := simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	began, ran := c.Now(), []time.Duration{}
	for _, d := range []time.Duration{2 * time.Minute, time.Minute, 2 * time.Hour} {
		c.After(d, func() { ran = append(ran, c.Now().Sub(began)) })
	}
	done := c.Begin()
	c.Leap(time.Hour)
	if c.Now().Sub(began) != time.Hour || len(ran) != 0 {
		t.Errorf("after the leap %s have passed, and %v ran", c.Now().Sub(began), ran)
	}
	done()
	if quiet, err := c.Quiet(t.Context(), 24*time.Hour); err != nil || !quiet {
		t.Errorf("quiet %t, %v", quiet, err)
	}
	if want := []time.Duration{time.Hour, time.Hour, 2 * time.Hour}; !slices.Equal(ran, want) {
		t.Errorf("ran at %v, want %v", ran, want)
	}
}
