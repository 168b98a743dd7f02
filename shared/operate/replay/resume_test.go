package replay_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/queue"
)

// launches fills the trail with n launches of one second.
func (b *bench) launches(n int) {
	for i := range n {
		b.cloud.launch(hour(1), fmt.Sprintf("i-%03d", i))
	}
}

// spread fills it with n launches, one an hour, and returns their ids.
func (b *bench) spread(n int) (ids []string) {
	for i := range n {
		id := fmt.Sprintf("i-%03d", i)
		b.cloud.launch(hour(i), id)
		ids = append(ids, id)
	}
	return ids
}

// A replay may be interrupted in any send or write: when it is resumed, every function still
// gets every ref.
func TestAnInterruptedReplayMissesNothingWhenItIsResumed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		ids := b.spread(rapid.IntRange(0, 12).Draw(rt, "records"))
		b.inboxes.left = rapid.IntRange(-1, 14).Draw(rt, "sends")
		b.store.left = rapid.IntRange(1, 14).Draw(rt, "writes")
		_, err := b.Start(t.Context(), job())
		b.inboxes.left, b.store.left = -1, -1
		done := len(b.steps)
		sum, again := b.Resume(t.Context(), "run-1")
		if again != nil {
			rt.Fatal(again)
		}
		for _, function := range []string{"validate-instance", "attach-role"} {
			if diff := cmp.Diff(ids, b.inboxes.ids(function)); diff != "" {
				rt.Errorf("%s after %v: %s", function, err, diff)
			}
		}
		if sum.Records != len(ids) || sum.Pages != len(b.steps) || sum.Refs["attach-role"] != len(ids) {
			rt.Errorf("counted %+v in %d steps, %d of them before", sum, len(b.steps), done)
		}
	})
}

func TestResumingReadsOnlyTheRest(t *testing.T) {
	b := newBench(t)
	b.spread(6)
	b.store.left = 3 // the beginning and two pages
	if _, err := b.Start(t.Context(), job()); fleet.ClassOf(err) != fleet.Unavailable {
		t.Fatal(err)
	}
	b.store.left, b.cloud.queries = -1, nil
	if _, err := b.Resume(t.Context(), "run-1"); err != nil {
		t.Fatal(err)
	}
	want := trail.Query{Since: job().Window.Since, Until: job().Window.Until, EventName: "RunInstances", Token: fmt.Sprintf("4.%d", hour(0).Unix())}
	if diff := cmp.Diff(want, b.cloud.queries[0]); diff != "" || len(b.cloud.queries) != len(queue.Calls()) {
		t.Errorf("%s, %d queries", diff, len(b.cloud.queries))
	}
}

func TestAReplayThatIsDoneIsNotDoneAgain(t *testing.T) {
	b := newBench(t)
	b.spread(3)
	first := b.start(t)
	b.cloud.queries = nil
	sum, err := b.Resume(t.Context(), "run-1")
	if diff := cmp.Diff(first, sum); diff != "" || err != nil || b.cloud.queries != nil {
		t.Errorf("%v, %d queries %s", err, len(b.cloud.queries), diff)
	}
}

func TestARunIsStartedOnce(t *testing.T) {
	b := newBench(t)
	b.start(t)
	b.cloud.queries = nil
	if _, err := b.Start(t.Context(), job()); fleet.ClassOf(err) != fleet.Exists || !strings.Contains(err.Error(), "resume") || b.cloud.queries != nil {
		t.Errorf("got %v", err)
	}
}

func TestTwoProcessesThatReplayOneRunAreNoticed(t *testing.T) {
	b := newBench(t)
	b.spread(4)
	b.cloud.refuse = func(trail.Query) error {
		b.store.objects["replays/run-1/00000001.json"] = []byte("{}")
		return nil
	}
	if _, err := b.Start(t.Context(), job()); fleet.ClassOf(err) != fleet.Exists || !strings.Contains(err.Error(), "another process replays") {
		t.Errorf("got %v", err)
	}
}

func TestADryRunOfTheRestLeavesItToBeDone(t *testing.T) {
	b := newBench(t)
	b.spread(6)
	b.store.left = 2
	if _, err := b.Start(t.Context(), job()); err == nil {
		t.Fatal("it was not interrupted")
	}
	before, sent := maps.Clone(b.store.objects), len(b.inboxes.sent["attach-role"])
	b.DryRun = true
	sum, err := b.Resume(t.Context(), "run-1")
	if diff := cmp.Diff(before, b.store.objects); diff != "" || err != nil || sum.Records != 6 || len(b.inboxes.sent["attach-role"]) != sent {
		t.Errorf("%v, %+v %s", err, sum, diff)
	}
}

func TestARefusedTokenBeginsAtTheLastSecondThatWasRead(t *testing.T) {
	b := newBench(t)
	ids := b.spread(8)
	refused := false
	b.cloud.refuse = func(q trail.Query) error {
		if strings.HasPrefix(q.Token, "4.") && !refused {
			refused = true
			return failure{fleet.Invalid}
		}
		return nil
	}
	sum := b.start(t)
	if diff := cmp.Diff(ids, b.inboxes.ids("attach-role")); diff != "" || sum.Restarts != 1 {
		t.Errorf("%+v %s", sum, diff)
	}
	at := slices.IndexFunc(b.cloud.queries, func(q trail.Query) bool { return !q.Since.Equal(job().Window.Since) })
	if at < 0 || !b.cloud.queries[at].Since.Equal(hour(3)) || b.cloud.queries[at].Token != "" {
		t.Errorf("queries %+v", b.cloud.queries)
	}
	// The next name is read from the beginning of the window again.
	last := b.cloud.queries[len(b.cloud.queries)-1]
	if !last.Since.Equal(job().Window.Since) {
		t.Errorf("the last name was read since %v", last.Since)
	}
}

func TestATrailThatRefusesAllTokensIsReadBySecondsWhereThatSuffices(t *testing.T) {
	refuse := func(q trail.Query) error {
		if q.Token != "" {
			return failure{fleet.Invalid}
		}
		return nil
	}
	b := newBench(t)
	ids := b.spread(5)
	b.cloud.refuse = refuse
	b.start(t)
	if diff := cmp.Diff(ids, b.inboxes.ids("attach-role")); diff != "" {
		t.Error(diff)
	}
	// A page does not hold all records of one second: it cannot continue after them.
	b = newBench(t)
	b.launches(5)
	b.cloud.refuse = refuse
	if _, err := b.Start(t.Context(), job()); fleet.ClassOf(err) != fleet.Invalid || len(b.cloud.queries) > 6 {
		t.Errorf("got %v after %d queries", err, len(b.cloud.queries))
	}
}

func TestOtherErrorsDoNotRestart(t *testing.T) {
	for _, class := range []fleet.Class{fleet.Throttled, fleet.Denied, fleet.Unavailable, fleet.OutOfBudget} {
		b := newBench(t)
		b.spread(5)
		b.cloud.refuse = func(q trail.Query) error {
			if q.Token != "" {
				return failure{class}
			}
			return nil
		}
		if sum, err := b.Start(t.Context(), job()); fleet.ClassOf(err) != class || sum.Pages != 1 || len(b.cloud.queries) != 2 {
			t.Errorf("%v: got %+v, %v", class, sum, err)
		}
	}
	b := newBench(t)
	b.cloud.refuse = func(trail.Query) error { return failure{fleet.Invalid} }
	if _, err := b.Start(t.Context(), job()); fleet.ClassOf(err) != fleet.Invalid || len(b.cloud.queries) != 1 {
		t.Errorf("without a token: got %v", err)
	}
}

func TestAnUnknownRunCannotBeResumed(t *testing.T) {
	b := newBench(t)
	b.start(t)
	for _, run := range []string{"run", "run-2", "", "../run-1", strings.Repeat("x", 65)} {
		if _, err := b.Resume(t.Context(), run); err == nil {
			t.Errorf("%q was resumed", run)
		}
	}
}

func TestProgressThatCannotBeResumedIsRefused(t *testing.T) {
	b := newBench(t)
	b.spread(6)
	b.store.left = 2
	if _, err := b.Start(t.Context(), job()); err == nil {
		t.Fatal("it was not interrupted")
	}
	const name = "replays/run-1/00000001.json"
	good := b.store.objects[name]
	for what, change := range map[string]func(p map[string]any){
		"newer version": func(p map[string]any) { p["v"] = 2 },
		"no version":    func(p map[string]any) { delete(p, "v") },
		"other run":     func(p map[string]any) { p["run"] = "run-2" },
		"other number":  func(p map[string]any) { p["n"] = 7 },
		"unknown call":  func(p map[string]any) { p["call"] = "DeleteInstance" },
		"outside":       func(p map[string]any) { p["from"] = "2020-01-01T00:00:00Z" },
		"no region":     func(p map[string]any) { delete(p, "region") },
		"too old": func(p map[string]any) {
			p["window"] = map[string]any{"since": "2020-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
			p["from"] = "2025-01-01T00:00:00Z"
		},
	} {
		var p map[string]any
		if err := json.Unmarshal(good, &p); err != nil {
			t.Fatal(err)
		}
		change(p)
		body, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		b.store.objects[name], b.cloud.queries = body, nil
		if _, err := b.Resume(t.Context(), "run-1"); !isBad(err) || b.cloud.queries != nil {
			t.Errorf("%s: got %v", what, err)
		}
	}
	b.store.objects[name], b.store.left = good, -1
	if _, err := b.Resume(t.Context(), "run-1"); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

func isBad(err error) bool {
	_, ok := errors.AsType[*fleet.BadInput](err)
	return ok
}

// FuzzProgress: no object makes resuming panic or run forever.
func FuzzProgress(f *testing.F) {
	f.Add([]byte(`{"v":1,"run":"run-1","region":"cn-hangzhou","window":{"since":"2026-11-19T11:00:00Z","until":"2026-11-20T11:00:00Z"},"n":0,"call":"RunInstances","from":"2026-11-19T11:00:00Z","sum":{}}`))
	f.Add([]byte(`{"v":1,"run":"run-1","n":0,"done":true,"sum":{"refs":{"attach-role":3}}}`))
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := newBench(t)
		b.spread(5)
		b.store.objects["replays/run-1/00000000.json"] = body
		if _, err := b.Resume(t.Context(), "run-1"); err != nil && len(b.inboxes.sent) > 0 {
			t.Errorf("it sent refs, and then %v", err)
		}
	})
}
