package terminal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/terminal"
)

func TestAnErrorCannotControlTheTerminal(t *testing.T) {
	hostile := aliyun.NewError("ecs:X", 400, "Bad\x1b[2J", "a\x1b]0;title\x07b\u009b31m", "R", false)
	got := newDesk(t).run(func(context.Context, *invocation.Invocation) (fleet.Pass, error) { return fleet.Pass{}, hostile }, "i-1")
	if got.code != 1 || !strings.Contains(got.stderr, "title") || !plain(got.stderr) {
		t.Errorf("got %+v", got)
	}
}

func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '\n' && (r < ' ' || (r >= 0x7f && r < 0xa0) || unicode.Is(unicode.Cf, r))
	})
}

func finding(ref string, text string) fleet.Record {
	return fleet.Record{V: fleet.RecordVersion, Type: "finding", Finding: &fleet.FindingRecord{
		Control: "instance-role", Rule: "systrust-role", Outcome: fleet.Violation, Severity: fleet.High,
		Account: server.Sharer, Region: server.Home, Kind: fleet.KindInstance, ID: ref,
		Reason: text, Remedy: text, Evidence: []fleet.Evidence{{Name: "role", Value: text, Source: "observed"}},
	}}
}

func change(ref string, text string) fleet.Record {
	return fleet.Record{V: fleet.RecordVersion, Type: "change", Change: &fleet.ChangeRecord{
		Kind: fleet.AttachRole, Account: server.Sharer, Region: server.Home, RefKind: fleet.KindInstance, ID: ref,
		State: fleet.Done, Why: text, Before: text, Want: text, After: text,
	}}
}

// says runs a function that writes the records and returns their sum.
func says(sum fleet.Pass, records ...fleet.Record) func(context.Context, *invocation.Invocation) (fleet.Pass, error) {
	return func(_ context.Context, c *invocation.Invocation) (fleet.Pass, error) {
		for _, r := range records {
			if err := c.Options.Record(r); err != nil {
				return fleet.Pass{}, err
			}
		}
		return sum, nil
	}
}

func TestCloudTextCannotControlTheTerminal(t *testing.T) {
	const evil = "evil\x1b[31m\r\nname\u009b\x7f\x00\u202e\u2066\u200b"
	found, changed := finding("i-1\x1b", evil), change("i-1\x1b", evil)
	found.Finding.Account, found.Finding.Region, found.Finding.Kind = "1"+evil, evil, evil // of a ledger that anybody wrote
	changed.Change.Kind, changed.Change.Region = evil, evil
	got := newDesk(t).run(says(fleet.Pass{Stopped: evil}, found, changed), "i-1")
	if got.code != 0 || strings.Count(got.stdout, "evil") != 13 || !plain(got.stdout) {
		t.Errorf("got %+v", got)
	}
	for line := range strings.Lines(got.stdout) {
		if strings.HasPrefix(line, "name") {
			t.Errorf("a line was forged: %s", got.stdout)
		}
	}
}

func TestFindingsAndChangesReadAsSentences(t *testing.T) {
	sum := fleet.Pass{Refs: 1, Outcomes: map[fleet.Outcome]int{fleet.Violation: 1}, States: map[fleet.State]int{fleet.Done: 1}, Stopped: "the API calls of this pass are spent"}
	got := newDesk(t).run(says(sum, finding("i-1", "a reason"), change("i-1", "a role")), "--apply", "i-1")
	const want = `instance i-1 in 1000000000000001/cn-hangzhou
  instance-role/systrust-role: VIOLATION, high
    a reason
    role: a reason (observed)
    to do: a reason
  attach-role: DONE: a role → a role
    a role
    now: a role
1 checked; 1 violation; changes: 1 done; stopped early: the API calls of this pass are spent
`
	if diff := cmp.Diff(want, got.stdout); diff != "" {
		t.Error(diff)
	}
}

func TestJSONIsOneRecordALineWithTheStampAndTheCloudsTime(t *testing.T) {
	d := newDesk(t)
	got := d.run(func(ctx context.Context, c *invocation.Invocation) (fleet.Pass, error) {
		// The first answer sets the cloud's time.
		if _, err := sts.CallerAccount(ctx, c.Session, c.Home.Region); err != nil {
			return fleet.Pass{}, err
		}
		return says(fleet.Pass{Refs: 1}, finding("i-1", "a\nb"))(ctx, c)
	}, "--json", "i-1")
	var types []string
	for line := range strings.Lines(got.stdout) {
		var r fleet.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		types = append(types, r.Type)
		if r.Type == "pass" && (r.Function != "attach-role" || r.Policy == "" || !r.Time.Equal(d.cloud.World.Clock.Now())) {
			t.Errorf("the pass lacks its stamp or the cloud's time: %s", line)
		}
	}
	if !slices.Equal(types, []string{"finding", "pass"}) || got.code != 0 || got.stderr != "" {
		t.Errorf("got %+v", got)
	}
}

func TestElementThatCannotBeReadIsAFailure(t *testing.T) {
	d := newDesk(t)
	d.stdin = `{"v":1}`
	got := d.run(says(fleet.Pass{Bad: 1}), "--event", "-")
	if got.code != 1 || !strings.Contains(got.stderr, "1 element could not be read") {
		t.Errorf("got %+v", got)
	}
	var seen []string
	waiting := func(ctx context.Context, c *invocation.Invocation) (fleet.Pass, error) {
		sum, err := pending(1, time.Second, &seen)(ctx, c)
		sum.Bad = 2 - len(seen)
		return sum, err
	}
	if got := d.run(waiting, "--apply", "--wait", "1m", "i-1"); got.code != 1 || len(got.slept) != 1 {
		t.Errorf("the pending one beside it must be checked: %+v", got)
	}
	if got := d.run(says(fleet.Pass{Ignored: 1}), "--event", "-"); got.code != 0 {
		t.Errorf("an event that is not for us is no failure: %+v", got)
	}
}

// pending puts the refs back that many times.
func pending(times int, after time.Duration, seen *[]string) func(context.Context, *invocation.Invocation) (fleet.Pass, error) {
	return func(ctx context.Context, c *invocation.Invocation) (fleet.Pass, error) {
		var messages []fleet.Message
		if err := json.Unmarshal(c.Payload, &messages); err != nil {
			return fleet.Pass{}, err
		}
		*seen = append(*seen, strings.Join(messages[0].IDs, " "))
		if len(*seen) > times {
			return fleet.Pass{Refs: 1}, nil
		}
		return fleet.Pass{Refs: 1, Again: 1}, c.Options.Inbox.Again(ctx, messages[0].Refs()[:1], after)
	}
}

func TestWaitChecksUntilNothingIsPending(t *testing.T) {
	var seen []string
	got := newDesk(t).run(pending(2, 15*time.Second, &seen), "--apply", "--wait", "10m", "i-1", "i-2")
	if diff := cmp.Diff([]string{"i-1 i-2", "i-1", "i-1"}, seen); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]time.Duration{15 * time.Second, 15 * time.Second}, got.slept); diff != "" || got.code != 0 {
		t.Errorf("%+v %s", got, diff)
	}
	if n := strings.Count(got.stdout, "1 pending; next check in 15s"); n != 2 {
		t.Errorf("got\n%s", got.stdout)
	}
}

func TestWaitEndsWhenItsTimeIsUp(t *testing.T) {
	var seen []string
	got := newDesk(t).run(pending(99, time.Minute, &seen), "--apply", "--wait", "150s", "i-1")
	if diff := cmp.Diff([]time.Duration{time.Minute, time.Minute, 30 * time.Second}, got.slept); diff != "" || got.code != 0 {
		t.Errorf("%+v %s", got, diff)
	}
	if !strings.HasSuffix(got.stdout, "--apply --wait 5m\n") {
		t.Errorf("what is left pending must be said: %s", got.stdout)
	}
}

func TestWaitTakesTheSoonestPendingCheck(t *testing.T) {
	passes := 0
	got := newDesk(t).run(func(ctx context.Context, c *invocation.Invocation) (fleet.Pass, error) {
		if passes++; passes > 1 {
			return fleet.Pass{}, nil
		}
		refs := []fleet.Ref{{Scope: c.Home, Kind: fleet.KindInstance, ID: "i-1"}}
		for _, after := range []time.Duration{time.Minute, 10 * time.Second, time.Hour} {
			if err := c.Options.Inbox.Again(ctx, refs, after); err != nil {
				return fleet.Pass{}, err
			}
		}
		return fleet.Pass{}, nil
	}, "--apply", "--wait", "10m", "i-1")
	if diff := cmp.Diff([]time.Duration{10 * time.Second}, got.slept); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutWaitItDoesNotWait(t *testing.T) {
	var seen []string
	got := newDesk(t).run(pending(99, time.Minute, &seen), "--apply", "i-1")
	if len(got.slept) != 0 || len(seen) != 1 || got.code != 0 {
		t.Errorf("%+v, seen %v", got, seen)
	}
}

func TestWaitInJSONPrintsOnlyRecords(t *testing.T) {
	var seen []string
	got := newDesk(t).run(pending(1, time.Second, &seen), "--json", "--apply", "--wait", "1m", "i-1")
	for line := range strings.Lines(got.stdout) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if strings.Count(got.stdout, `"type":"pass"`) != 2 {
		t.Errorf("got %s", got.stdout)
	}
}

func TestChangeOfAnotherFunctionIsNotLost(t *testing.T) {
	got := newDesk(t).run(func(ctx context.Context, c *invocation.Invocation) (fleet.Pass, error) {
		return fleet.Pass{}, c.Options.Inbox.Forward(ctx, []fleet.Change{{Kind: fleet.AttachRole}})
	}, "--apply", "i-1")
	if got.code != 1 || !strings.Contains(got.stderr, "belong to another function") {
		t.Errorf("got %+v", got)
	}
}

func TestWrongKeysAndEndpointsAreReported(t *testing.T) {
	d := newDesk(t)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary-4711")
	got := d.run(unused(t), "i-1")
	if got.code != 1 || !strings.Contains(got.stderr, "SignatureDoesNotMatch") || strings.Contains(got.stderr, "canary") {
		t.Errorf("wrong secret: got %+v", got)
	}
	d.environment[aliyun.EndpointVariable] = "localhost"
	if got := d.run(unused(t), "i-1"); got.code != 1 || !strings.Contains(got.stderr, "http://host:port") {
		t.Errorf("wrong endpoint: got %+v", got)
	}
}

func TestACloudThatDoesNotAnswerIsReported(t *testing.T) {
	d := newDesk(t)
	if err := d.cloud.Faults.Set(1, []simcloud.Fault{{Kind: simcloud.Unavailable}}, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	got := d.run(nothing, "i-1")
	if got.code != 1 || !strings.Contains(got.stderr, "ServiceUnavailable") || !strings.Contains(got.stderr, "check the network") {
		t.Errorf("got %+v", got)
	}
	if len(got.slept) == 0 {
		t.Error("the retries must wait on the terminal's clock")
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestOutputThatCannotBeWrittenIsAFailure(t *testing.T) {
	d := newDesk(t)
	for _, format := range []string{"", "--json"} {
		var stderr bytes.Buffer
		args := []string{"i-1"}
		if format != "" {
			args = []string{format, "i-1"}
		}
		code := terminal.Main(t.Context(), invocation.Function{Name: "f", Handle: nothing}, terminal.Env{
			Args: args, Stdout: closed{}, Stderr: &stderr, Getenv: func(k string) string { return d.environment[k] },
		})
		if code != 1 || !strings.Contains(stderr.String(), "broken pipe") {
			t.Errorf("%q: exit code %d, %s", format, code, stderr.String())
		}
	}
}
