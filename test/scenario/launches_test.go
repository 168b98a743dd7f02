package scenario_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
)

// A thousand calls within a minute, of one instance each, are the most work that so many
// launches can make: a call of its own of two functions for each, and Function Compute
// gives an instance one event at a time. All are judged and repaired. What finds no
// instance waits and is no dead letter, and the account's own functions keep their share.
func TestAThousandLaunchCallsInAMinute(t *testing.T) {
	t.Parallel()
	const calls, pass = 1000, 2 * time.Second // more than a pass takes, with its calls of APIs
	s := play(t, stage.Options{Policy: "instance_role.yaml"})
	for _, function := range []string{"attach-role", "validate-instance", "push-agent"} {
		s.Stack.Lengthen(function, pass)
	}
	ids := launchSingly(t, s, calls, time.Minute/calls)
	ctx, stop := soon()
	defer stop()
	if err := s.Advance(ctx, 45*time.Minute); err != nil {
		t.Fatal(err)
	}
	judged := map[string]bool{}
	all, err := s.Records()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r["function"] == "validate-instance" && r["rule"] == "system-disk" && r["outcome"] == "violation" {
			judged[r["id"]] = true
		}
	}
	roles, err := s.Roles(ctx, server.Home, ids...)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if !judged[id] {
			t.Fatalf("%s was not judged; %d of %d were", id, len(judged), calls)
		}
		if roles[id] != systrust {
			t.Fatalf("%s has the role %q", id, roles[id])
		}
	}
	if n := deadLetters(s); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	invocations := s.Stack.Invocations()
	wantWithinShares(t, invocations)
	t.Log(spent(s, invocations))
}

// launchSingly makes that many calls of RunInstances, with a time after each. The disks are
// of a category that is a violation, so that each instance has a finding of its own.
func launchSingly(t *testing.T, s *stage.Stage, calls int, every time.Duration) (ids []string) {
	t.Helper()
	l := stage.Launch{Region: server.Home, Type: goodType, Image: goodImage, Category: "cloud_efficiency", VSwitch: "vsw-local", Trusted: "vTPM"}
	for range calls {
		got, err := s.Run(context.Background(), l)
		if err == nil {
			err = s.Advance(context.Background(), every)
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, got...)
	}
	return ids
}

// wantWithinShares checks that no function had more instances at a moment than s.yaml
// reserves for it, and that the functions were busy enough for that to mean something.
func wantWithinShares(t *testing.T, all []fc.Invocation) {
	t.Helper()
	shares := map[string]int{"attach-role": 16, "validate-instance": 16, "push-agent": 1}
	for function, share := range shares {
		if most := atOnce(all, function); most > share || function != "push-agent" && most < share {
			t.Errorf("%s had %d instances at work at once, want its share of %d", function, most, share)
		}
	}
	for _, i := range all {
		if i.ErrorType != "" && i.ErrorType != fc.Exhausted {
			t.Errorf("a pass of %s failed: %s", i.Function, i.Error)
		}
	}
}

// atOnce is the most passes of a function that had an instance at the same moment.
func atOnce(all []fc.Invocation, function string) (most int) {
	steps := map[time.Time]int{}
	for _, i := range all {
		if i.Function == function && i.ErrorType != fc.Exhausted {
			steps[i.Start]++
			steps[i.End]--
		}
	}
	now := 0
	for _, at := range slices.SortedFunc(maps.Keys(steps), time.Time.Compare) {
		now += steps[at]
		most = max(most, now)
	}
	return most
}

// spent says what the story would be billed for.
func spent(s *stage.Stage, all []fc.Invocation) string {
	passes, refused, seconds := map[string]int{}, 0, 0.0
	for _, i := range all {
		if i.ErrorType == fc.Exhausted {
			refused++
			continue
		}
		passes[i.Function+" by "+i.Trigger]++
		seconds += i.DurationMs / 1000
	}
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(passes)) {
		fmt.Fprintf(&b, "%d × %s, ", passes[what], what)
	}
	queue := 0
	for _, c := range s.Server.Log.Totals() {
		if c.Product == "mns" {
			queue += int(c.Count)
		}
	}
	return fmt.Sprintf("%s%d refused with 429, %.1f s of processes here, %d requests of queues by functions", b.String(), refused, seconds, queue)
}
