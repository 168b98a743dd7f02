package mns_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/wire"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func name(n string) mns.Queue {
	return mns.Queue{Account: "1000000000000001", Region: "cn-hangzhou", Name: n}
}

type fixture struct {
	*testing.T
	*mns.Service
	clock *simcloud.Clock
}

// newFixture has the queues q and dead, where q gives up after two receives.
func newFixture(t *testing.T) fixture {
	t.Helper()
	w := simcloud.NewWorld(simcloud.NewClock(start), nil, nil)
	f := fixture{t, mns.New(w), w.Clock}
	for _, n := range []string{"q", "dead"} {
		if _, err := f.Create(name(n), mns.Defaults()); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SetDeadLetter(name("q"), &mns.DeadLetterPolicy{Target: "dead", MaxReceiveCount: 2}); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f fixture) send(body string) {
	f.Helper()
	if _, err := f.Send(name("q"), mns.Outgoing{Body: body}); err != nil {
		f.Fatal(err)
	}
}

func (f fixture) advance(d time.Duration) {
	f.Helper()
	if err := f.clock.Advance(f.Context(), d); err != nil {
		f.Fatal(err)
	}
}

// bodies receives all that is visible.
func (f fixture) bodies(n string) (all []string) {
	f.Helper()
	got, err := f.Receive(name(n), 16)
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range got {
		all = append(all, m.Body)
	}
	return all
}

func code(err error) string {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestMessageReceivedTooOftenBecomesADeadLetter(t *testing.T) {
	f := newFixture(t)
	f.send("poison")
	for range 2 {
		if got := f.bodies("q"); len(got) != 1 {
			t.Fatalf("received %q", got)
		}
		f.advance(30 * time.Second)
	}
	if got := f.bodies("q"); got != nil {
		t.Errorf("still received %q", got)
	}
	if diff := cmp.Diff([]string{"poison"}, f.bodies("dead")); diff != "" {
		t.Error(diff)
	}
}

func TestMessageDeletedInTimeIsNoDeadLetter(t *testing.T) {
	f := newFixture(t)
	f.send("good")
	f.bodies("q")
	f.advance(30 * time.Second)
	got, err := f.Receive(name("q"), 1)
	if err != nil || len(got) != 1 {
		t.Fatalf("received %+v, %v", got, err)
	}
	if err := f.Delete(name("q"), got[0].ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	f.advance(time.Hour)
	if got := f.bodies("dead"); got != nil {
		t.Errorf("dead letters %q", got)
	}
}

func TestRetentionIsNotResetOnTheMoveToTheDeadLetters(t *testing.T) {
	f := newFixture(t)
	f.send("old")
	f.bodies("q")
	f.advance(30 * time.Second)
	f.bodies("q")
	f.advance(345600*time.Second - 31*time.Second)
	if st, err := f.Attributes(name("dead")); err != nil || st.Active != 1 {
		t.Errorf("a second before its retention: %+v, %v", st, err)
	}
	f.advance(time.Second)
	if st, err := f.Attributes(name("dead")); err != nil || st.Active != 0 {
		t.Errorf("after its retention: %+v, %v", st, err)
	}
}

func TestQueueCannotBeItsOwnDeadLetterQueue(t *testing.T) {
	f := newFixture(t)
	if got := code(f.SetDeadLetter(name("q"), &mns.DeadLetterPolicy{Target: "q", MaxReceiveCount: 1})); got != "InvalidArgument" {
		t.Errorf("code %q", got)
	}
	if got := code(f.SetDeadLetter(name("q"), &mns.DeadLetterPolicy{Target: "missing", MaxReceiveCount: 1})); got != "QueueNotExist" {
		t.Errorf("code %q", got)
	}
}

func TestCountsTellVisibleHiddenAndDelayedApart(t *testing.T) {
	f := newFixture(t)
	f.send("taken")
	f.bodies("q")
	f.send("visible")
	later := time.Minute
	if _, err := f.Send(name("q"), mns.Outgoing{Body: "later", Delay: &later}); err != nil {
		t.Fatal(err)
	}
	st, err := f.Attributes(name("q"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([3]int{1, 1, 1}, [3]int{st.Active, st.Inactive, st.Delayed}); diff != "" {
		t.Error(diff)
	}
}

func TestWorldIsNotQuietWhileAMessageWaitsForItsDelay(t *testing.T) {
	f := newFixture(t)
	woken := 0
	if err := f.Watch(name("q"), func() { woken++ }); err != nil {
		t.Fatal(err)
	}
	later := 5 * time.Minute
	if _, err := f.Send(name("q"), mns.Outgoing{Body: "later", Delay: &later}); err != nil {
		t.Fatal(err)
	}
	if woken != 0 {
		t.Error("the watcher was called before the delay was over")
	}
	quiet, err := f.clock.Quiet(t.Context(), time.Hour)
	if err != nil || !quiet || woken != 1 {
		t.Errorf("quiet %v, %v; the watcher was called %d times", quiet, err, woken)
	}
	if got := f.clock.Now().Sub(start); got != later {
		t.Errorf("time moved by %v, want %v", got, later)
	}
}

func TestPollEndsWithItsCallerOrItsQueue(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, done, err := f.Poll(ctx, name("q"), 1, time.Minute, cancel)
	done()
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that left: %v", err)
	}
	drop := func() {
		if err := f.Drop(name("q")); err != nil {
			t.Error(err)
		}
	}
	_, done, err = f.Poll(t.Context(), name("q"), 1, time.Minute, drop)
	done()
	if code(err) != "QueueNotExist" {
		t.Errorf("a queue that went: %v", err)
	}
}

func TestWaitingPollGetsTheMessageBeforeTheWatchers(t *testing.T) {
	f := newFixture(t)
	if err := f.Watch(name("q"), func() { t.Error("the watcher was called") }); err != nil {
		t.Fatal(err)
	}
	got, done, err := f.Poll(t.Context(), name("q"), 1, time.Minute, func() { f.send("x") })
	done()
	if err != nil || len(got) != 1 || got[0].Body != "x" {
		t.Errorf("polled %+v, %v", got, err)
	}
}

func TestParseARN(t *testing.T) {
	want := name("fleetwarden-a")
	for _, arn := range []string{want.ARN(), want.ARN() + "/messages"} {
		if got, err := mns.ParseARN(arn); err != nil || got != want {
			t.Errorf("%s: %+v, %v", arn, got, err)
		}
	}
	for _, arn := range []string{"", "acs:mns:r:1:queues/q", "acs:mns:r:1:/topics/t/messages", "acs:oss:r:1:/queues/q", "acs:mns:r:1:/queues/a/b"} {
		if got, err := mns.ParseARN(arn); err == nil {
			t.Errorf("%q was read as %+v", arn, got)
		}
	}
}
