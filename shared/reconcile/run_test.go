package reconcile_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

func TestAPassWithoutBatchesDoesNothing(t *testing.T) {
	b := newBench(policy.Enforce)
	sum := b.ran(t)
	if sum.Refs != 0 || sum.Stopped != "" || b.observed != 0 || len(b.records)+len(b.again) != 0 {
		t.Errorf("sum %+v, records %v, put back %v", sum, b.records, b.again)
	}
}

func TestWhatTimeMayHealPutsTheWholeBatchBack(t *testing.T) {
	for name, err := range map[string]error{
		"throttled": failure{class: fleet.Throttled}, "unavailable": failure{class: fleet.Unavailable},
		"deadline": context.DeadlineExceeded,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(policy.Enforce)
			b.observe["i-2"] = err
			sum := b.ran(t, batch("i-1", "i-2"), batch("i-3"))
			if len(b.again) != 1 || len(b.again[0].Refs) != 2 || b.again[0].After != 15*time.Second {
				t.Errorf("put back: %+v", b.again)
			}
			want := map[fleet.Outcome]int{fleet.Pending: 2, fleet.Passes: 1}
			if diff := cmp.Diff(want, sum.Outcomes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheCloudsOwnWaitIsKept(t *testing.T) {
	b := newBench(policy.Enforce)
	b.observe["i-1"] = failure{fleet.Throttled, 42 * time.Second}
	b.ran(t, batch("i-1"))
	if len(b.again) != 1 || b.again[0].After != 42*time.Second {
		t.Errorf("put back: %+v", b.again)
	}
}

func TestTheWaitDoublesUpToFiveMinutes(t *testing.T) {
	for tries, want := range map[int]time.Duration{-1: 15 * time.Second, 0: 15 * time.Second, 1: 30 * time.Second, 4: 240 * time.Second, 5: 300 * time.Second, 39: 300 * time.Second} {
		b := newBench(policy.Enforce)
		b.observe["i-1"] = failure{class: fleet.Unavailable}
		in := batch("i-1")
		in.Refs[0].Try.N = tries
		b.ran(t, in)
		if len(b.again) != 1 || b.again[0].After != want {
			t.Errorf("after %d tries: %+v, want %v", tries, b.again, want)
		}
	}
}

func TestALookThatNeverEndsIsGivenUpAloud(t *testing.T) {
	b := newBench(policy.Enforce)
	b.observe["i-1"] = failure{class: fleet.Unavailable}
	in := batch("i-1")
	in.Refs[0].Try.N = 40
	sum := b.ran(t, in)
	if len(b.again) != 0 || sum.Outcomes[fleet.Fault] != 1 {
		t.Errorf("put back %+v, outcomes %v", b.again, sum.Outcomes)
	}
}

func TestAFailureForGoodWhileObservingIsAnError(t *testing.T) {
	for _, err := range []error{failure{class: fleet.Denied}, errors.New("a bug")} {
		b := newBench(policy.Enforce)
		b.observe["i-1"] = err
		_, _, got := b.run(t.Context(), item{batch: batch("i-1")})
		if !errors.Is(got, err) || len(b.again) != 0 {
			t.Errorf("error %v, put back %v", got, b.again)
		}
	}
}

func TestBadAndForeignElementsAreCountedAndTheSourceContinues(t *testing.T) {
	b := newBench(policy.Enforce)
	sum, _, err := b.run(t.Context(),
		item{err: &fleet.BadInput{Where: "element 0", What: "malformed"}},
		item{err: &fleet.Ignored{Where: "element 1", Why: "not for us"}},
		item{batch: batch("i-1")})
	if err != nil || sum.Bad != 1 || sum.Ignored != 1 || sum.Refs != 1 {
		t.Errorf("sum %+v, error %v", sum, err)
	}
	b.agrees(t, sum)
	want := map[fleet.Outcome]int{fleet.Fault: 1, fleet.NotApplicable: 1, fleet.Passes: 1}
	if diff := cmp.Diff(want, sum.Outcomes); diff != "" {
		t.Error(diff)
	}
}

func TestAnyOtherErrorOfTheSourceEndsThePass(t *testing.T) {
	b := newBench(policy.Enforce)
	broke := errors.New("the listing broke off")
	_, _, err := b.run(t.Context(), item{batch: batch("i-1")}, item{err: broke}, item{batch: batch("i-2")})
	if !errors.Is(err, broke) || b.observed != 1 {
		t.Errorf("error %v after %d batches", err, b.observed)
	}
}

// The rest of a payload, what is throttled, and the changes that a spent budget leaves are put
// back however often that happened before.
func TestWhatWasHeldBeforeItWasCheckedIsPutBackWithoutAnEnd(t *testing.T) {
	old := batch("i-1")
	old.Refs[0].Try.N = 1000
	held := func(name string, set func(*bench), in ...item) {
		b := newBench(policy.Enforce)
		set(b)
		if _, _, err := b.run(t.Context(), in...); err != nil {
			t.Fatal(err)
		}
		if len(b.again) != 1 || b.again[0].Refs[0].ID != "i-1" {
			t.Errorf("%s: put back %+v", name, b.again)
		}
	}
	held("the calls are spent", func(b *bench) { b.left = 1 }, item{batch: batch("i-0")}, item{batch: old})
	held("reading is throttled", func(b *bench) { b.observe["i-1"] = failure{class: fleet.Throttled} }, item{batch: old})
	for _, class := range []fleet.Class{fleet.Throttled, fleet.OutOfBudget} {
		held("changing is "+class.String(), func(b *bench) {
			b.verdicts["i-1"] = []fleet.Verdict{broken("i-1")}
			b.results["i-1"] = fleet.Result{State: fleet.Later, Err: failure{class: class}}
		}, item{batch: old})
	}
	held("the budget does not suffice", func(b *bench) { b.observe["i-1"] = failure{class: fleet.OutOfBudget} }, item{batch: batch("i-0")}, item{batch: old})
}

// A batch may need more calls than the budget of a pass: there is no pass in which it would
// be done, unless it is the first one of a pass.
func TestTheFirstBatchOfAPassMayExceedItsBudget(t *testing.T) {
	b := newBench(policy.Enforce)
	for _, id := range []string{"i-1", "i-2"} {
		b.observe[id] = failure{class: fleet.OutOfBudget}
	}
	sum := b.ran(t, batch("i-1"), batch("i-2"))
	if want := (map[fleet.Outcome]int{fleet.Passes: 1, fleet.Pending: 1}); !maps.Equal(want, sum.Outcomes) {
		t.Errorf("outcomes %v, want %v", sum.Outcomes, want)
	}
	if len(b.again) != 1 || b.again[0].Refs[0].ID != "i-2" || b.excess {
		t.Errorf("put back %+v; may exceed after the pass: %t", b.again, b.excess)
	}
}

func TestNearTheDeadlineTheRestOfAPayloadIsPutBack(t *testing.T) {
	b := newBench(policy.Enforce)
	b.o.Margin = 10 * time.Second
	ctx, cancel := context.WithDeadline(t.Context(), noon.Add(9*time.Second))
	defer cancel()
	b.o.Clock = func() time.Time { return noon }
	sum, cursor, err := b.run(ctx, item{batch: batch("i-1", "i-2")}, item{batch: batch("i-3")})
	if err != nil || cursor != "" || b.observed != 0 || sum.Stopped != "the deadline is near" {
		t.Fatalf("sum %+v, cursor %q, error %v, %d batches observed", sum, cursor, err, b.observed)
	}
	b.agrees(t, sum)
	if sum.Again != 3 {
		t.Errorf("%d refs put back, want 3", sum.Again)
	}
	if got := sum.Calls["x:Put"]["ok"]; got != len(b.again) {
		t.Errorf("the sum counts %d calls of the inbox, it got %d", got, len(b.again))
	}
}

func TestBeforeTheMarginThePassContinues(t *testing.T) {
	b := newBench(policy.Enforce)
	b.o.Margin = 10 * time.Second
	ctx, cancel := context.WithDeadline(t.Context(), noon.Add(10*time.Second))
	defer cancel()
	sum, _, err := b.run(ctx, item{batch: batch("i-1")})
	if err != nil || sum.Stopped != "" || b.observed != 1 {
		t.Errorf("sum %+v, error %v, %d batches observed", sum, err, b.observed)
	}
}

// page is a batch of a source that can go back.
func page(at, next fleet.Cursor, ids ...string) fleet.Batch {
	b := batch(ids...)
	b.At, b.Next = at, next
	return b
}

func TestWhenTheCallsAreSpentTheCursorSaysWhereToGoOn(t *testing.T) {
	b := newBench(policy.Enforce)
	b.left = 49
	sum, cursor, err := b.run(t.Context(), item{batch: page("page-1", "page-2", "i-1")}, item{batch: page("page-2", "", "i-2")})
	if err != nil || cursor != "page-2" || sum.Stopped != "the API calls of this pass are spent" {
		t.Errorf("sum %+v, cursor %q, error %v", sum, cursor, err)
	}
	b.agrees(t, sum)
	if b.observed != 1 || len(b.again) != 0 {
		t.Errorf("%d batches observed, put back %+v; the first is always taken, or nothing would ever be", b.observed, b.again)
	}
}

func TestTheEndOfASourceHasNoCursor(t *testing.T) {
	b := newBench(policy.Enforce)
	b.left = 49
	sum, cursor, err := b.run(t.Context(), item{batch: page("page-1", "", "i-1")})
	if err != nil || cursor != "" || sum.Stopped != "" {
		t.Errorf("sum %+v, cursor %q, error %v", sum, cursor, err)
	}
}

func TestNearTheDeadlineAPageIsLeftForTheNextPass(t *testing.T) {
	b := newBench(policy.Enforce)
	b.o.Margin = 10 * time.Second
	ctx, cancel := context.WithDeadline(t.Context(), noon.Add(9*time.Second))
	defer cancel()
	b.o.Clock = func() time.Time { return noon }
	sum, cursor, err := b.run(ctx, item{batch: page("page-1", "page-2", "i-1")}, item{batch: page("page-2", "", "i-2")})
	if err != nil || cursor != "page-1" || b.observed != 0 || len(b.again) != 0 || sum.Refs != 0 {
		t.Errorf("sum %+v, cursor %q, error %v, put back %v", sum, cursor, err, b.again)
	}
}

func TestAPageThatTimeMayHealIsWhereThePassStops(t *testing.T) {
	b := newBench(policy.Enforce)
	b.observe["i-2"] = failure{fleet.Throttled, 42 * time.Second}
	sum, cursor, err := b.run(t.Context(), item{batch: page("page-1", "page-2", "i-1")}, item{batch: page("page-2", "page-3", "i-2")}, item{batch: page("page-3", "", "i-3")})
	if err != nil || cursor != "page-2" || sum.Wait != 42*time.Second || sum.Refs != 1 || len(b.again) != 0 {
		t.Errorf("sum %+v, cursor %q, error %v, put back %v", sum, cursor, err, b.again)
	}
}

func TestAPageThatFailsForGoodIsAnError(t *testing.T) {
	b := newBench(policy.Enforce)
	b.observe["i-1"] = failure{class: fleet.Denied}
	if _, cursor, err := b.run(t.Context(), item{batch: page("page-1", "page-2", "i-1")}); err == nil || cursor != "" {
		t.Errorf("cursor %q, error %v", cursor, err)
	}
}

// abroad is a batch of another account.
func abroad(ids ...string) fleet.Batch {
	b := batch(ids...)
	b.Scope.Account = "1000000000000003"
	for i := range b.Refs {
		b.Refs[i].Scope = b.Scope
	}
	return b
}

func TestAnAccountThatCannotBeReachedIsReportedAndTheOthersGoOn(t *testing.T) {
	b := newBench(policy.Enforce)
	b.reach["1000000000000003"] = failure{class: fleet.Denied}
	sum, cursor, err := b.run(t.Context(), item{batch: abroad("i-1", "i-2")}, item{batch: batch("i-3")})
	if err != nil || cursor != "" || sum.Refs != 3 || len(b.again) != 0 {
		t.Errorf("sum %+v, cursor %q, error %v, put back %v", sum, cursor, err, b.again)
	}
	want := map[fleet.Outcome]int{fleet.Fault: 2, fleet.Passes: 1}
	if diff := cmp.Diff(want, sum.Outcomes); diff != "" {
		t.Error(diff)
	}
}

func TestAnAccountThatCannotBeReachedNowIsLookedAtAgain(t *testing.T) {
	b := newBench(policy.Enforce)
	b.reach["1000000000000003"] = failure{class: fleet.Throttled}
	sum := b.ran(t, abroad("i-1", "i-2"), batch("i-3"))
	if len(b.again) != 1 || len(b.again[0].Refs) != 2 || sum.Outcomes[fleet.Pending] != 2 {
		t.Errorf("put back %+v, sum %+v", b.again, sum)
	}
}

func TestEachAccountIsReachedOnceAPass(t *testing.T) {
	b := newBench(policy.Enforce)
	b.ran(t, batch("i-1"), abroad("i-2"), batch("i-3"), abroad("i-4"))
	want := map[fleet.AccountID]int{here.Account: 1, "1000000000000003": 1}
	if diff := cmp.Diff(want, b.reached); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBePutBackIsAnError(t *testing.T) {
	t.Run("a later look", func(t *testing.T) {
		b := newBench(policy.Enforce)
		b.inboxErr = errInbox
		b.verdicts["i-1"] = []fleet.Verdict{{Control: policy.ControlInstanceRole, Outcome: fleet.Pending, Again: time.Minute}}
		if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); !errors.Is(err, errInbox) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("the rest of a payload", func(t *testing.T) {
		b := newBench(policy.Enforce)
		b.left, b.inboxErr = 0, errInbox
		if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}, item{batch: batch("i-2")}); !errors.Is(err, errInbox) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("what was forwarded", func(t *testing.T) {
		b := newBench(policy.Enforce)
		b.forwardErr = errInbox
		b.verdicts["i-1"] = []fleet.Verdict{broken("i-1", fleet.Change{Kind: other, Ref: ref("i-1")})}
		if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); !errors.Is(err, errInbox) {
			t.Errorf("error %v", err)
		}
	})
}

func TestWhatWasDoneIsRecordedEvenIfForwardingFails(t *testing.T) {
	b := newBench(policy.Enforce)
	b.forwardErr = errInbox
	b.verdicts["i-1"] = []fleet.Verdict{broken("i-1", fleet.Change{Kind: mend, Ref: ref("i-1")}, fleet.Change{Kind: other, Ref: ref("i-1")})}
	sum, _, err := b.run(t.Context(), item{batch: batch("i-1")})
	if !errors.Is(err, errInbox) {
		t.Errorf("error %v", err)
	}
	b.agrees(t, sum)
	want := map[string]fleet.State{"attach-role i-1": fleet.Done, "stop-instance i-1": fleet.Later}
	if diff := cmp.Diff(want, b.states()); diff != "" {
		t.Error(diff)
	}
}

func TestAFailingRecordIsAnError(t *testing.T) {
	full := errors.New("the disk is full")
	for _, kind := range []string{"finding", "change"} {
		t.Run(kind, func(t *testing.T) {
			b := newBench(policy.Enforce)
			b.recordErr = func(r fleet.Record) error {
				if r.Type == kind {
					return full
				}
				return nil
			}
			b.verdicts["i-1"] = []fleet.Verdict{broken("i-1")}
			if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); !errors.Is(err, full) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestRecordsCarryTheStampAndTheCloudsTime(t *testing.T) {
	b := newBench(policy.Enforce)
	b.verdicts["i-1"] = []fleet.Verdict{broken("i-1")}
	b.ran(t, batch("i-1"))
	if len(b.records) != 2 {
		t.Fatalf("%d records, want 2", len(b.records))
	}
	for _, r := range b.records {
		if r.V != fleet.RecordVersion || r.Run != "run-1" || r.Function != "test" || r.Policy != "digest" || !r.Time.Equal(noon) {
			t.Errorf("record %+v", r)
		}
	}
}

func TestTheDelayIsThatOfTheOldestEventWhoseTimeCanBeRead(t *testing.T) {
	b := newBench(policy.Enforce)
	in := batch("i-1", "i-2", "i-3")
	in.Refs[0].Call = &fleet.Call{Time: noon.Add(-3 * time.Second).Format(time.RFC3339)}
	in.Refs[1].Call = &fleet.Call{Time: noon.Add(-time.Minute).Format(time.RFC3339)}
	in.Refs[2].Call = &fleet.Call{Time: "yesterday"}
	if sum := b.ran(t, in); sum.DelayMS != 60_000 {
		t.Errorf("delay %d ms, want 60000", sum.DelayMS)
	}
}

func TestTheErrorOfAPassNamesWhereItHappened(t *testing.T) {
	b := newBench(policy.Enforce)
	b.observe["i-1"] = failure{class: fleet.Denied}
	_, _, err := b.run(t.Context(), item{batch: batch("i-1")})
	if err == nil || !strings.Contains(err.Error(), here.String()) {
		t.Errorf("error %v does not name %s", err, here)
	}
}
