package replay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/replay"
	"fleetwarden/shared/queue"
)

// failing fails so many lookups with a class, then none.
func failing(n int, class fleet.Class) func(trail.Query) error {
	return func(trail.Query) error {
		if n == 0 {
			return nil
		}
		n--
		return failure{class}
	}
}

func TestThrottlesAreWaitedOutAndReported(t *testing.T) {
	for _, class := range []fleet.Class{fleet.Throttled, fleet.Unavailable} {
		b := newBench(t)
		b.Patience = 15 * time.Minute
		b.cloud.launch(hour(1), "i-1")
		b.cloud.refuse = failing(5, class)
		sum := b.start(t)
		if sum.Records != 1 || len(b.inboxes.ids("attach-role")) != 1 {
			t.Errorf("%v: got %+v", class, sum)
		}
		var pauses []time.Duration
		for _, w := range b.waits {
			if fleet.ClassOf(w.Err) != class {
				t.Errorf("%v: waited for %v", class, w.Err)
			}
			pauses = append(pauses, w.For)
		}
		if diff := cmp.Diff([]time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second}, pauses); diff != "" {
			t.Errorf("%v: %s", class, diff)
		}
	}
}

func TestAnInboxThatIsThrottledIsWaitedFor(t *testing.T) {
	b := newBench(t)
	b.Patience = time.Minute
	b.cloud.launch(hour(1), "i-1")
	b.inboxes.busy = 3
	if sum := b.start(t); sum.Refs["attach-role"] != 1 || len(b.waits) != 3 || len(b.inboxes.sent["validate-instance"]) != 1 {
		t.Errorf("got %+v, %d waits, %v", sum, len(b.waits), b.inboxes.sent)
	}
}

func TestPatienceEndsAndTheRunCanBeResumed(t *testing.T) {
	for name, x := range map[string]struct {
		class    fleet.Class
		patience time.Duration
		pages    int
		most     time.Duration
	}{
		"throttled on the first page": {fleet.Throttled, 15 * time.Minute, 0, 15 * time.Minute},
		"throttled later":             {fleet.Throttled, 5 * time.Minute, 1, 5 * time.Minute},
		"away":                        {fleet.Unavailable, 15 * time.Minute, 1, 2 * time.Minute},
		"without patience":            {fleet.Throttled, 0, 1, 0},
		"not to be waited for":        {fleet.Denied, 15 * time.Minute, 1, 0},
	} {
		b := newBench(t)
		b.Patience = x.patience
		ids := b.spread(5)
		b.cloud.refuse = func(trail.Query) error {
			if len(b.steps) == x.pages {
				return failure{x.class}
			}
			return nil
		}
		sum, err := b.Start(t.Context(), job())
		ended, ok := errors.AsType[*replay.Interrupted](err)
		if !ok || ended.Run != "run-1" || fleet.ClassOf(err) != x.class || sum.Pages != x.pages {
			t.Errorf("%s: got %+v, %v", name, sum, err)
		}
		var waited time.Duration
		for _, w := range b.waits {
			waited += w.For
		}
		if waited > x.most || waited < x.most-time.Minute || x.most > 0 && waited == 0 {
			t.Errorf("%s: waited %v, want at most %v", name, waited, x.most)
		}
		b.cloud.refuse = nil
		if _, err := b.Resume(t.Context(), "run-1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(ids, b.inboxes.ids("attach-role")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	b := newBench(t)
	b.Patience = time.Hour
	b.cloud.refuse = failing(99, fleet.Throttled)
	ctx, cancel := context.WithCancel(t.Context())
	b.Replay.Waiting = func(replay.Wait) { cancel() }
	_, err := b.Start(ctx, job())
	if !errors.Is(err, context.Canceled) || !errors.As(err, new(*replay.Interrupted)) {
		t.Errorf("got %v", err)
	}
}

// An interrupted replay is one that can be resumed.
func TestOnlyARunThatSavedItsProgressIsInterrupted(t *testing.T) {
	b := newBench(t)
	b.cloud.refuse = failing(9, fleet.Denied)
	b.DryRun = true
	if _, err := b.Start(t.Context(), job()); err == nil || errors.As(err, new(*replay.Interrupted)) {
		t.Errorf("a dry run: got %v", err)
	}
	b = newBench(t)
	b.store.left = 0
	if _, err := b.Start(t.Context(), job()); err == nil || errors.As(err, new(*replay.Interrupted)) {
		t.Errorf("nothing was saved: got %v", err)
	}
}

// One query reaches over 30 days at most; the pieces leave no second out.
func TestALongWindowIsReadInPieces(t *testing.T) {
	for days, pieces := range map[int]int{1: 1, 29: 1, 30: 2, 60: 3, 89: 3, 90: 4} {
		b := newBench(t)
		j := job()
		j.Window = replay.Window{Since: noon.Add(-time.Duration(days) * 24 * time.Hour), Until: noon}
		var ids []string
		for at, n := j.Window.Since, 0; !at.After(j.Window.Until); at, n = at.Add(12*time.Hour), n+1 {
			ids = append(ids, fmt.Sprintf("i-%04d", n))
			b.cloud.launch(at, ids[n])
		}
		for n := range days / 30 { // the last second of a piece, and the first of the next
			for _, second := range []time.Duration{-time.Second, 0} {
				id := fmt.Sprintf("i-edge%d%d", n, -second)
				ids = append(ids, id)
				b.cloud.launch(j.Window.Since.Add(time.Duration(n+1)*trail.Range+second), id)
			}
		}
		slices.Sort(ids)
		if _, err := b.Start(t.Context(), j); err != nil {
			t.Fatalf("%d days: %v", days, err)
		}
		if diff := cmp.Diff(ids, b.inboxes.ids("attach-role")); diff != "" {
			t.Errorf("%d days: %s", days, diff)
		}
		first := 0
		for _, q := range b.cloud.queries {
			if q.Token == "" {
				first++
			}
		}
		if want := pieces * len(queue.Calls()); first != want {
			t.Errorf("%d days: %d queries were begun, want %d", days, first, want)
		}
	}
}

// A piece is resumed, and begun again after a refused token, within its own bounds.
func TestALongReplayIsResumedWithinItsPiece(t *testing.T) {
	b := newBench(t)
	j := job()
	j.Window.Since = noon.Add(-70 * 24 * time.Hour)
	var ids []string
	for n := range 140 {
		ids = append(ids, fmt.Sprintf("i-%03d", n))
		b.cloud.launch(j.Window.Since.Add(time.Duration(n)*12*time.Hour), ids[n])
	}
	refused := 0
	b.cloud.refuse = func(q trail.Query) error {
		if q.Token != "" && len(b.cloud.queries)%5 == 0 {
			refused++
			return failure{fleet.Invalid}
		}
		return nil
	}
	_, err := b.Start(t.Context(), j)
	for n := 0; err != nil && n < 100; n++ {
		_, err = b.Resume(t.Context(), "run-1")
	}
	if diff := cmp.Diff(ids, b.inboxes.ids("attach-role")); diff != "" || refused == 0 || err != nil {
		t.Errorf("%v, %d refused: %s", err, refused, diff)
	}
}

// A window of all kept records ages while the operator enters it, and while it is replayed.
func TestAWindowOfAllThatIsKeptMayAge(t *testing.T) {
	b := newBench(t)
	j := job()
	j.Window.Since = noon.Add(-trail.Kept)
	var want []string
	for day := range 89 {
		id := fmt.Sprintf("i-%03d", day)
		b.cloud.launch(j.Window.Since.Add(time.Duration(day)*24*time.Hour+time.Hour), id)
		want = append(want, id)
	}
	later := noon.Add(90 * time.Second)
	b.cloud.now = func() time.Time { return later }
	b.cloud.refuse = func(trail.Query) error {
		if len(b.steps) == 9 {
			return failure{fleet.Denied}
		}
		return nil
	}
	if _, err := b.Start(t.Context(), j); fleet.ClassOf(err) != fleet.Denied {
		t.Fatal(err)
	}
	b.cloud.refuse, later = nil, noon.Add(30*time.Hour)
	sum, err := b.Resume(t.Context(), "run-1")
	if err != nil || sum.Expired != 30*60*60 {
		t.Errorf("got %+v, %v", sum, err)
	}
	if diff := cmp.Diff(want, b.inboxes.ids("attach-role")); diff != "" {
		t.Error(diff)
	}
}

func TestARunOfWhichNothingIsKeptIsNotResumed(t *testing.T) {
	b := newBench(t)
	b.cloud.refuse = failing(9, fleet.Denied)
	if _, err := b.Start(t.Context(), job()); fleet.ClassOf(err) != fleet.Denied {
		t.Fatal(err)
	}
	b.cloud.queries, b.cloud.now = nil, func() time.Time { return noon.Add(trail.Kept) }
	_, err := b.Resume(t.Context(), "run-1")
	if bad, ok := errors.AsType[*fleet.BadInput](err); !ok || bad.Where != "until" || len(b.cloud.queries) > 0 {
		t.Errorf("got %v after %d queries", err, len(b.cloud.queries))
	}
}
