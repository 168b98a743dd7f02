package replay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/replay"
	"fleetwarden/shared/queue"
)

// hour is that many hours after the window begins.
func hour(n int) time.Time { return job().Window.Since.Add(time.Duration(n) * time.Hour) }

func TestRefsGoToTheFunctionsOfTheLiveEvent(t *testing.T) {
	b := newBench(t)
	b.cloud.launch(hour(1), "i-1", "i-2")
	b.cloud.share(hour(2))
	sum := b.start(t)
	for function, want := range map[string][]string{
		"validate-instance": {"i-1", "i-2"}, "attach-role": {"i-1", "i-2"}, "setup-share-role": {""}, "push-agent": nil,
	} {
		if diff := cmp.Diff(want, b.inboxes.ids(function)); diff != "" {
			t.Errorf("%s: %s", function, diff)
		}
	}
	want := replay.Sum{Records: 2, Pages: len(queue.Calls()), Refs: map[string]int{"validate-instance": 2, "attach-role": 2, "setup-share-role": 1}}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Error(diff)
	}
}

func TestRefsCarryTheClaimsAndTheRun(t *testing.T) {
	b := newBench(t)
	b.cloud.launch(hour(1), "i-1")
	b.start(t)
	r := b.inboxes.sent["validate-instance"][0]
	if r.Call == nil || r.Call.Name != "RunInstances" || r.Call.Launch == nil || r.Try != (fleet.Try{Run: "run-1"}) {
		t.Errorf("got %+v", r)
	}
}

func TestADeniedLaunchGoesOnlyToTheFunctionThatExplainsIt(t *testing.T) {
	b := newBench(t)
	b.cloud.add("RunInstances", hour(1), `"serviceName":"Ecs","errorCode":"KMSUnauthorized","requestParameters":{"Amount":1}`)
	b.start(t)
	if got := b.inboxes.sent["validate-instance"]; len(got) != 1 || got[0].Kind != fleet.KindCall {
		t.Errorf("validate-instance: got %v", got)
	}
	if got := b.inboxes.sent["attach-role"]; got != nil {
		t.Errorf("attach-role: got %v", got)
	}
}

func TestEachCallIsReadOverTheWholeWindow(t *testing.T) {
	b := newBench(t)
	b.start(t)
	var want []trail.Query
	for _, c := range queue.Calls() {
		want = append(want, trail.Query{Since: job().Window.Since, Until: job().Window.Until, EventName: c.Event})
	}
	if diff := cmp.Diff(want, b.cloud.queries); diff != "" {
		t.Error(diff)
	}
}

func TestRecordsOutsideTheWindowAreNotReplayed(t *testing.T) {
	b := newBench(t)
	b.cloud.launch(hour(0).Add(-time.Second), "i-before")
	b.cloud.launch(hour(0), "i-first")
	b.cloud.launch(hour(24), "i-last")
	b.cloud.launch(hour(24).Add(time.Second), "i-after")
	b.start(t)
	if diff := cmp.Diff([]string{"i-first", "i-last"}, b.inboxes.ids("attach-role")); diff != "" {
		t.Error(diff)
	}
}

func TestCallsArePacedAtTwoASecond(t *testing.T) {
	b := newBench(t)
	for n := range 9 {
		b.cloud.launch(hour(n), fmt.Sprintf("i-%d", n))
	}
	sum := b.start(t)
	if got, want := b.now.Sub(noon), time.Duration(sum.Pages-1)*time.Second/trail.PerSecond; got != want {
		t.Errorf("%d pages took %v, want %v", sum.Pages, got, want)
	}
}

func TestCallsToASlowTrailAreNotDelayed(t *testing.T) {
	b := newBench(t)
	b.cloud.refuse = func(trail.Query) error { b.now = b.now.Add(time.Second); return nil }
	b.start(t)
	if b.slept != nil {
		t.Errorf("slept %v", b.slept)
	}
}

func TestAReplayEndsWithItsContext(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.Replay.Seen = func(replay.Step) { cancel() }
	if sum, err := b.Start(ctx, job()); !errors.Is(err, context.Canceled) || sum.Pages != 1 {
		t.Errorf("got %+v, %v", sum, err)
	}
}

func TestABadRecordDoesNotAffectItsNeighbours(t *testing.T) {
	b := newBench(t)
	b.cloud.launch(hour(1), "no id at all")
	b.cloud.launch(hour(2), "i-2")
	b.cloud.add("RunInstances", hour(3), `"serviceName":"ens"`)
	b.cloud.add("RunInstances", hour(4), `"serviceName":"Ecs","userIdentity":{"type":"assumed-role","userName":"fleetwarden-attach-role:s"},"responseElements":{"InstanceIdSets":{"InstanceIdSet":["i-own"]}}`)
	sum := b.start(t)
	if diff := cmp.Diff([]string{"i-2"}, b.inboxes.ids("attach-role")); diff != "" || sum.Unread != 1 || sum.Ignored != 2 || sum.Records != 4 {
		t.Errorf("%s %+v", diff, sum)
	}
	if errs := b.steps[0].Errors; len(errs) != 1 || b.steps[0].Call != "RunInstances" {
		t.Errorf("step %+v", b.steps[0])
	}
}

func TestStepsReportTheProgress(t *testing.T) {
	b := newBench(t)
	for n := range 4 {
		b.cloud.launch(hour(6*n), fmt.Sprintf("i-%d", n))
	}
	b.start(t)
	calls := float64(len(queue.Calls()))
	first, last := b.steps[0], b.steps[len(b.steps)-1]
	if first.Records != 2 || !first.At.Equal(hour(6)) || first.Fraction != 0.25/calls || first.Sum.Records != 2 {
		t.Errorf("first: %+v", first)
	}
	if len(first.Deliveries) != 2 || first.Deliveries[0].Function != "validate-instance" || len(first.Deliveries[0].Refs) != 2 {
		t.Errorf("first: got %+v", first.Deliveries)
	}
	if last.Fraction != 1 || !last.At.Equal(job().Window.Until) || last.Sum.Pages != len(b.steps) {
		t.Errorf("last: %+v", last)
	}
	for i, s := range b.steps[1:] {
		if s.Fraction <= b.steps[i].Fraction {
			t.Errorf("step %d makes no progress: %v after %v", i+1, s.Fraction, b.steps[i].Fraction)
		}
	}
}

func TestADryRunCountsTheSameAndTouchesNothing(t *testing.T) {
	wet, dry := newBench(t), newBench(t)
	dry.DryRun, dry.Replay.Inboxes, dry.Replay.Store = true, nil, nil
	for _, b := range []*bench{wet, dry} {
		for n := range 5 {
			b.cloud.launch(hour(n), fmt.Sprintf("i-%d", n))
		}
	}
	if diff := cmp.Diff(wet.start(t), dry.start(t)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(wet.steps, dry.steps); diff != "" {
		t.Error(diff)
	}
}

func TestAnImpossibleWindowIsRefusedBeforeAnythingIsRead(t *testing.T) {
	for name, x := range map[string]struct {
		change func(j *replay.Job)
		where  string
	}{
		"ends as it begins": {func(j *replay.Job) { j.Window.Until = j.Window.Since }, "since"},
		"too old":           {func(j *replay.Job) { j.Window.Since = noon.Add(-trail.Kept - 2*time.Hour) }, "since"},
		"in the future":     {func(j *replay.Job) { j.Window.Until = noon.Add(time.Second) }, "until"},
		"no run":            {func(j *replay.Job) { j.Run = "" }, "run"},
		"a path as a run":   {func(j *replay.Job) { j.Run = "../x" }, "run"},
		"no region":         {func(j *replay.Job) { j.Region = "" }, "region"},
	} {
		b := newBench(t)
		j := job()
		x.change(&j)
		_, err := b.Start(t.Context(), j)
		if bad, ok := errors.AsType[*fleet.BadInput](err); !ok || bad.Where != x.where || len(b.cloud.queries)+len(b.store.objects) > 0 {
			t.Errorf("%s: got %v, %d queries", name, err, len(b.cloud.queries))
		}
	}
	for _, since := range []time.Time{noon.Add(-trail.Kept), noon.Add(-2 * time.Second)} {
		if err := (replay.Window{Since: since, Until: noon}).Check(noon); err != nil {
			t.Errorf("since %v: %v", since, err)
		}
	}
}

func TestAWindowThatEndsNowMayLackRecords(t *testing.T) {
	for ago, want := range map[time.Duration]bool{0: true, trail.Delay - time.Second: true, trail.Delay: false, time.Hour: false} {
		if got := (replay.Window{Until: noon.Add(-ago)}).Late(noon); got != want {
			t.Errorf("%v ago: got %v", ago, got)
		}
	}
}

func TestAnErrorSaysWhereItStopped(t *testing.T) {
	b := newBench(t)
	b.cloud.refuse = func(trail.Query) error { return failure{fleet.Denied} }
	_, err := b.Start(t.Context(), job())
	if fleet.ClassOf(err) != fleet.Denied || !strings.Contains(err.Error(), "RunInstances at "+hour(0).Format(time.RFC3339)) {
		t.Errorf("got %v", err)
	}
}

// Of the content of records, only ids are saved and sent.
func TestNoTextOfARecordGetsOut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		for n := range rapid.IntRange(1, 5).Draw(rt, "records") {
			b.cloud.launch(hour(n), rapid.SampledFrom([]string{"i-1", "bad id", ""}).Draw(rt, "id"))
		}
		sum := b.start(t)
		out := fmt.Sprintf("%+v", sum)
		for _, s := range b.steps {
			out += fmt.Sprint(s.Deliveries, s.Errors, s.Sum)
		}
		for _, body := range b.store.objects {
			out += string(body)
		}
		for _, refs := range b.inboxes.sent {
			for _, r := range refs {
				out += fmt.Sprintf("%+v %+v", r, r.Call)
			}
		}
		if strings.Contains(out, secret) {
			rt.Error("a password got out")
		}
	})
}
