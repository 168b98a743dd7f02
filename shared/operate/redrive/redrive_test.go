package redrive_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/redrive"
	"fleetwarden/shared/queue"
)

func TestEachShapeGoesToTheFunctionItWasFor(t *testing.T) {
	for name, x := range map[string]struct {
		body  string
		shape redrive.Shape
		want  map[string][]string
	}{
		"our message": {message("push-agent", "i-1", "i-2"), redrive.Message, map[string][]string{"push-agent": {"i-1", "i-2"}}},
		"our message in Base64 of the URL, unpadded": {base64.RawURLEncoding.EncodeToString([]byte(message("push-agent", "i-1"))), redrive.Message, map[string][]string{"push-agent": {"i-1"}}},
		"our message in Base64":                      {base64.StdEncoding.EncodeToString([]byte(message("push-agent", "i-1"))), redrive.Message, map[string][]string{"push-agent": {"i-1"}}},
		"share message":                              {shareMessage("setup-share-role"), redrive.Message, map[string][]string{"setup-share-role": {""}}},
		"failed launch":                              {invocation("attach-role", launch("i-1")), redrive.Invocation, map[string][]string{"attach-role": {"i-1"}}},
		"failed window":                              {invocation("attach-role", "["+window("fleetwarden-attach-role", message("attach-role", "i-1"))+"]"), redrive.Invocation, map[string][]string{"attach-role": {"i-1"}}},
		"failed share of a watch":                    {invocation("watch-shares", trailEvent("ModifyImageSharePermission", `"requestParameters":{}`)), redrive.Invocation, map[string][]string{"setup-share-role": {""}}},
		"with a version":                             {invocation("attach-role/LATEST", launch("i-1")), redrive.Invocation, map[string][]string{"attach-role": {"i-1"}}},
		"element of a stream":                        {window("fleetwarden-push-agent", message("push-agent", "i-1")), redrive.Window, map[string][]string{"push-agent": {"i-1"}}},
		"element with an event":                      {window("fleetwarden-attach-role", stateChange("i-1")), redrive.Window, map[string][]string{"attach-role": {"i-1"}}},
		"element by its queue":                       {window("fleetwarden-attach-role", message("push-agent", "i-1")), redrive.Window, map[string][]string{"attach-role": {"i-1"}}},
		"launch event":                               {launch("i-1"), redrive.Event, map[string][]string{"attach-role": {"i-1"}, "validate-instance": {"i-1"}}},
		"state change":                               {stateChange("i-1"), redrive.Event, map[string][]string{"attach-role": {"i-1"}, "push-agent": {"i-1"}}},
		"two elements in one":                        {"[" + window("fleetwarden-attach-role", message("", "i-1")) + "," + window("fleetwarden-attach-role", message("", "i-2")) + "]", redrive.Window, map[string][]string{"attach-role": {"i-1", "i-2"}}},
		"one of two names nothing":                   {"[" + window("fleetwarden-attach-role", message("", "i-1")) + "," + window("fleetwarden-attach-role", shareMessage("")) + "]", redrive.Window, map[string][]string{"attach-role": {"i-1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, x.body)
			sum := b.do(t)
			got := map[string][]string{}
			for function := range b.inboxes.got {
				got[function] = b.inboxes.ids(function)
			}
			if diff := cmp.Diff(x.want, got); diff != "" {
				t.Error(diff)
			}
			if l := b.seen[0]; l.Shape != x.shape || l.State != redrive.Redriven || l.Reason != "" || len(b.queue.left()) != 0 || sum.Letters[redrive.Redriven] != 1 {
				t.Errorf("got %+v, left %v", l, b.queue.left())
			}
			if b.queue.queue != queue.DeadLetters {
				t.Errorf("it read %s", b.queue.queue)
			}
		})
	}
}

func TestALetterThatCannotBeDecodedStaysAndIsReported(t *testing.T) {
	for name, x := range map[string]struct{ body, reason string }{
		"no JSON":              {secret, "neither JSON"},
		"empty":                {" ", "neither JSON"},
		"broken JSON":          {`{"v":1,"text":"` + secret, "neither JSON"},
		"broken list":          {`[{"v":1},`, "neither JSON"},
		"empty list":           {`[]`, "none of the shapes"},
		"list of text":         {`["` + secret + `"]`, "none of the shapes"},
		"Base64 of text":       {base64.StdEncoding.EncodeToString([]byte(secret)), "neither JSON"},
		"something else":       {`{"hello":"` + secret + `"}`, "none of the shapes"},
		"old function":         {message("guard-instances", "i-1"), "guard-instances, which has no inbox"},
		"function of a secret": {message(secret+" "+secret, "i-1"), "does not say which function"},
		"no function":          {message("", "i-1"), "does not say which function"},
		"newer message":        {strings.Replace(message("push-agent", "i-1"), `"v":1`, `"v":2`, 1), "newer version"},
		"malformed id":         {message("push-agent", secret), "cannot be decoded"},
		"unknown account":      {strings.ReplaceAll(launch("i-1"), string(account), "2000000000000002"), "cannot be decoded"},
		"old function failed":  {invocation("guard", launch("i-1")), "guard, which has no inbox"},
		"another's failed":     {strings.Replace(invocation("attach-role", launch("i-1")), "functions/fleetwarden-", "functions/", 1), "does not say which function"},
		"no function failed":   {strings.Replace(invocation("attach-role", launch("i-1")), "functionArn", "other", 1), "does not say which function"},
		"no payload":           {strings.Replace(invocation("attach-role", ""), `"requestPayload":"",`, "", 1), "names nothing"},
		"other queue":          {window("orders", message("push-agent", "i-1")), "does not say which function"},
		"queue of no function": {window("fleetwarden-findings", message("push-agent", "i-1")), "findings, which has no inbox"},
		"other event":          {trailEvent("StopInstance", `"requestParameters":{}`), "no function handles"},
		"event of a service":   {strings.Replace(stateChange("i-1"), "ecs:Instance:StateChange", secret, 1), "no function handles"},
		"not its kind":         {shareMessage("push-agent"), "names nothing"},
		"dry run of a launch":  {trailEvent("RunInstances", `"errorCode":"DryRunOperation"`), "names nothing"},
		"timer and more":       {invocation("watch-shares", strings.Replace(timer, "{", `{"other":1,`, 1)), "names nothing"},
		"timer with a payload": {invocation("watch-shares", strings.Replace(timer, `"payload":""`, `"payload":"`+secret+`"`, 1)), "names nothing"},
		"timer without a time": {invocation("watch-shares", strings.Replace(timer, "2026-11-20T12:00:00Z", "", 1)), "names nothing"},
		"timers in a window":   {invocation("watch-shares", "["+timer+"]"), "names nothing"},
		"timer in an inbox":    {window("fleetwarden-sweep", timer), "names nothing"},
		"timer as it came":     {timer, "none of the shapes"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, x.body)
			sum := b.do(t)
			l := b.seen[0]
			if l.State != redrive.Kept || !strings.Contains(l.Reason, x.reason) || len(l.Digest) != 64 || l.ID != "m-000" {
				t.Errorf("got %+v", l)
			}
			if len(b.inboxes.got) > 0 || len(b.queue.left()) != 1 || sum.Letters[redrive.Kept] != 1 {
				t.Errorf("got %v, left %v, sum %+v", b.inboxes.got, b.queue.left(), sum)
			}
			if out := fmt.Sprintf("%+v", b.seen); strings.Contains(out, secret) {
				t.Errorf("text got out: %s", out)
			}
		})
	}
}

// The timer's next event does the same work. Without this, hundreds of events of a function
// that was denied for a day would hide the letters that matter.
func TestATimersEventIsDeletedAndNothingIsSent(t *testing.T) {
	for name, x := range map[string]struct{ body, reason string }{
		"watch":          {invocation("watch-shares", timer), "a timer's event of watch-shares: only deleted, since the next one does the same work"},
		"sweep":          {invocation("sweep/LATEST", timer), "a timer's event of sweep: only deleted, since the next night's sweep does what this one missed"},
		"in Base64":      {base64.StdEncoding.EncodeToString([]byte(invocation("watch-shares", timer))), "a timer's event of watch-shares"},
		"as an object":   {strings.Replace(invocation("watch-shares", ""), `"requestPayload":""`, `"requestPayload":`+timer, 1), "a timer's event of watch-shares"},
		"without a text": {invocation("watch-shares", strings.Replace(timer, `,"payload":""`, "", 1)), "a timer's event of watch-shares"},
	} {
		for _, dry := range []bool{true, false} {
			b := newBench(t, x.body)
			b.DryRun = dry
			sum := b.do(t)
			if l := b.seen[0]; l.State != redrive.Superseded || l.Shape != redrive.Invocation || !strings.HasPrefix(l.Reason, x.reason) {
				t.Errorf("%s: got %+v", name, l)
			}
			want := redrive.Sum{Letters: map[redrive.State]int{redrive.Superseded: 1}, Refs: map[string]int{}}
			if diff := cmp.Diff(want, sum); diff != "" || len(b.inboxes.got) > 0 || len(b.queue.left()) > 0 != dry {
				t.Errorf("%s: sent %v, left %v %s", name, b.inboxes.got, b.queue.left(), diff)
			}
		}
	}
}

func TestATimersEventBesideAnythingElseStays(t *testing.T) {
	b := newBench(t, "["+invocation("watch-shares", timer)+`,{"x":1}]`, "["+invocation("watch-shares", timer)+","+message("push-agent", "i-1")+"]")
	b.do(t)
	if first, second := b.seen[0], b.seen[1]; first.State != redrive.Kept || second.State != redrive.Redriven || len(b.queue.left()) != 1 {
		t.Errorf("got %+v", b.seen)
	}
}

func TestATimersEventThatCannotBeDeletedIsReported(t *testing.T) {
	b := newBench(t, invocation("sweep", timer), invocation("sweep", timer))
	b.queue.undelete = map[string]bool{"m-000": true}
	sum := b.do(t)
	if diff := cmp.Diff(map[redrive.State]int{redrive.Undeleted: 1, redrive.Superseded: 1}, sum.Letters); diff != "" {
		t.Error(diff)
	}
}

// A timer's event is of a function in a region. It names no account and no resource.
func TestAFilterAppliesToATimersEvent(t *testing.T) {
	for name, x := range map[string]struct {
		filter redrive.Filter
		state  redrive.State
	}{
		"function":       {redrive.Filter{Function: "watch-shares"}, redrive.Superseded},
		"other function": {redrive.Filter{Function: "sweep"}, redrive.Filtered},
		"region":         {redrive.Filter{Region: region}, redrive.Superseded},
		"other region":   {redrive.Filter{Region: "cn-shanghai"}, redrive.Filtered},
		"account":        {redrive.Filter{Account: account}, redrive.Filtered},
		"kind":           {redrive.Filter{Kind: fleet.KindImageShare}, redrive.Filtered},
		"id":             {redrive.Filter{ID: "i-1"}, redrive.Filtered},
		"older":          {redrive.Filter{Until: noon.Add(1)}, redrive.Superseded},
		"younger":        {redrive.Filter{Until: noon}, redrive.Filtered},
	} {
		b := newBench(t, invocation("watch-shares", timer))
		b.Filter = x.filter
		b.do(t)
		if l := b.seen[0]; l.State != x.state || (l.Reason == "") != (x.state == redrive.Filtered) || (len(b.queue.left()) == 0) != (x.state == redrive.Superseded) {
			t.Errorf("%s: got %+v", name, l)
		}
	}
}

func TestALetterThatCanPartlyBeReadIsSentAndStays(t *testing.T) {
	for name, body := range map[string]string{
		"in a list":       "[" + window("fleetwarden-attach-role", message("", "i-1")) + `,{"x":1}]`,
		"in an event":     launch("i-1", "not an id"),
		"in a window":     invocation("attach-role", "["+launch("i-1")+`,{"v":1}]`),
		"before a window": `[{"x":1},` + window("fleetwarden-attach-role", message("", "i-1")) + "]",
		"beside a newer":  "[" + window("fleetwarden-attach-role", message("", "i-1")) + "," + window("fleetwarden-attach-role", `{"v":2}`) + "]",
		"after nothing":   "[" + window("fleetwarden-attach-role", shareMessage("")) + `,{"x":1},` + window("fleetwarden-attach-role", message("", "i-1")) + "]",
	} {
		b := newBench(t, body)
		sum := b.do(t)
		if l := b.seen[0]; l.State != redrive.Partly || l.Reason == "" || !slices.Equal(b.inboxes.ids("attach-role"), []string{"i-1"}) ||
			len(b.queue.left()) != 1 || sum.Refs["attach-role"] != 1 {
			t.Errorf("%s: got %+v, inboxes %v", name, l, b.inboxes.got)
		}
	}
}

func TestRedrivenRefsKeepTheirCallAndRunAndLoseTheirTries(t *testing.T) {
	b := newBench(t, message("push-agent", "i-1"), launch("i-2"))
	b.do(t)
	if r := b.inboxes.got["push-agent"][0]; r.Try != (fleet.Try{Run: "old"}) {
		t.Errorf("got %+v", r)
	}
	if r := b.inboxes.got["validate-instance"][0]; r.Call == nil || r.Call.Name != "RunInstances" || r.Try != (fleet.Try{Run: "run-1"}) {
		t.Errorf("got %+v", r)
	}
}

func TestTheSumCountsLettersAndRefs(t *testing.T) {
	b := newBench(t, message("push-agent", "i-1", "i-2"), launch("i-3"), "?", message("gone", "i-4"))
	want := redrive.Sum{Letters: map[redrive.State]int{redrive.Redriven: 2, redrive.Kept: 2},
		Refs: map[string]int{"push-agent": 2, "attach-role": 1, "validate-instance": 1}}
	if diff := cmp.Diff(want, b.do(t)); diff != "" {
		t.Error(diff)
	}
}

func TestLettersOfABatchAreSentTogether(t *testing.T) {
	var bodies []string
	for i := range 20 {
		bodies = append(bodies, message("push-agent", fmt.Sprintf("i-%d", i)))
	}
	b := newBench(t, bodies...)
	b.do(t)
	if b.inboxes.calls != 2 || len(b.inboxes.got["push-agent"]) != 20 || len(b.queue.left()) != 0 {
		t.Errorf("%d sends, got %v", b.inboxes.calls, b.inboxes.got)
	}
}

func TestRefsGoToTheInboxOfTheirRegion(t *testing.T) {
	far := strings.ReplaceAll(message("push-agent", "i-2"), string(region), "cn-shanghai")
	b := newBench(t, message("push-agent", "i-1"), far, message("push-agent", "i-3"))
	b.do(t)
	if diff := cmp.Diff([]string{"i-1", "i-3", "i-2"}, b.inboxes.ids("push-agent")); diff != "" || b.inboxes.calls != 2 {
		t.Errorf("%d sends %s", b.inboxes.calls, diff)
	}
}

func TestALetterIsDeletedOnlyWhenAllOfItWasSent(t *testing.T) {
	b := newBench(t, launch("i-1"), message("push-agent", "i-2"), message("attach-role", "i-3"))
	b.inboxes.broken = "attach-role"
	sum, err := b.Do(t.Context())
	if !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"m-000", "m-002"}, b.queue.left()); diff != "" {
		t.Error(diff)
	}
	want := redrive.Sum{Letters: map[redrive.State]int{redrive.Unsent: 2, redrive.Redriven: 1}, Refs: map[string]int{"push-agent": 1}}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Error(diff)
	}
	// Refs that are sent twice do no harm: when the inbox works again, no letter is left.
	b.inboxes.broken, b.queue.visible, b.queue.hidden = "", b.queue.hidden, nil
	b.do(t)
	if len(b.queue.left()) != 0 || !slices.Equal(b.inboxes.ids("attach-role"), []string{"i-1", "i-3"}) {
		t.Errorf("left %v, inboxes %v", b.queue.left(), b.inboxes.got)
	}
}

func TestALetterThatCannotBeDeletedIsReportedAndNotSentTwice(t *testing.T) {
	b := newBench(t, message("push-agent", "i-1"), message("push-agent", "i-2"))
	b.queue.undelete, b.queue.impatient = map[string]bool{"m-000": true}, true
	sum := b.do(t)
	if diff := cmp.Diff(map[redrive.State]int{redrive.Undeleted: 1, redrive.Redriven: 1}, sum.Letters); diff != "" || len(b.inboxes.got["push-agent"]) != 2 {
		t.Errorf("got %v %s", b.inboxes.got, diff)
	}
}

func TestLettersThatStayAreReadOnce(t *testing.T) {
	var bodies []string
	for i := range 40 {
		bodies = append(bodies, message([]string{"gone", "push-agent"}[i%2], fmt.Sprintf("i-%d", i)))
	}
	b := newBench(t, bodies...)
	b.queue.impatient = true
	sum := b.do(t)
	if b.queue.calls > 4 || len(b.seen) != 40 || sum.Letters[redrive.Kept] != 20 || len(b.queue.left()) != 20 || sum.More {
		t.Errorf("%d calls, %d letters, sum %+v", b.queue.calls, len(b.seen), sum)
	}
}

func TestARedriveStopsAtItsMaximum(t *testing.T) {
	for most, want := range map[int]int{0: 1000, 1: 1, 17: 17, 1000: 1000} {
		var bodies []string
		for i := range 1100 {
			bodies = append(bodies, message("push-agent", fmt.Sprintf("i-%d", i)))
		}
		b := newBench(t, bodies...)
		b.Max = most
		if sum := b.do(t); len(b.seen) != want || len(b.queue.left()) != 1100-want || !sum.More {
			t.Errorf("max %d: %d letters, sum %+v", most, len(b.seen), sum)
		}
	}
}

func TestADryRunPeeksAndTouchesNothing(t *testing.T) {
	b := newBench(t, message("push-agent", "i-1"), launch("i-2"), "?", `[`+window("fleetwarden-attach-role", message("", "i-3"))+`,{"x":1}]`)
	b.DryRun, b.Inboxes = true, nil
	sum := b.do(t)
	want := redrive.Sum{Letters: map[redrive.State]int{redrive.Planned: 3, redrive.Kept: 1},
		Refs: map[string]int{"push-agent": 1, "attach-role": 2, "validate-instance": 1}}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Error(diff)
	}
	if b.queue.received != 0 || len(b.queue.visible) != 4 || b.seen[3].Reason == "" {
		t.Errorf("received %d, last %+v", b.queue.received, b.seen[3])
	}
}

func TestADryRunSaysWhenItCannotSeeAll(t *testing.T) {
	for n, want := range map[int]bool{15: false, 16: true, 20: true} {
		b := newBench(t, slices.Repeat([]string{message("push-agent", "i-1")}, n)...)
		b.DryRun = true
		if sum := b.do(t); sum.More != want || len(b.seen) != min(n, mns.MaxBatch) {
			t.Errorf("%d letters: %+v", n, sum)
		}
	}
}

func TestAFilterTakesWholeLettersOrLeavesThem(t *testing.T) {
	bodies := []string{message("push-agent", "i-1", "i-2"), message("attach-role", "i-1"), shareMessage("setup-share-role"), "?"}
	for name, x := range map[string]struct {
		filter redrive.Filter
		want   []string // redriven, by number
	}{
		"none":              {redrive.Filter{}, []string{"m-000", "m-001", "m-002"}},
		"function":          {redrive.Filter{Function: "attach-role"}, []string{"m-001"}},
		"id":                {redrive.Filter{ID: "i-2"}, []string{"m-000"}},
		"kind":              {redrive.Filter{Kind: fleet.KindImageShare}, []string{"m-002"}},
		"region":            {redrive.Filter{Region: region}, []string{"m-000", "m-001", "m-002"}},
		"other region":      {redrive.Filter{Region: "cn-shanghai"}, []string{"m-002"}}, // of the account as a whole
		"account":           {redrive.Filter{Account: account}, []string{"m-000", "m-001", "m-002"}},
		"other account":     {redrive.Filter{Account: "1"}, nil},
		"function and id":   {redrive.Filter{Function: "attach-role", ID: "i-2"}, nil},
		"since":             {redrive.Filter{Since: noon}, []string{"m-000", "m-001", "m-002"}},
		"since later":       {redrive.Filter{Since: noon.Add(1)}, nil},
		"until":             {redrive.Filter{Until: noon.Add(1)}, []string{"m-000", "m-001", "m-002"}},
		"until as it began": {redrive.Filter{Until: noon}, nil},
	} {
		b := newBench(t, bodies...)
		b.Filter = x.filter
		sum := b.do(t)
		var got []string
		for _, l := range b.seen {
			if l.State == redrive.Redriven {
				got = append(got, l.ID)
			}
			if l.State == redrive.Filtered && len(l.Queued) > 0 {
				t.Errorf("%s: %+v", name, l)
			}
		}
		if diff := cmp.Diff(x.want, got); diff != "" || len(b.queue.left()) != 4-len(x.want) || len(b.seen) != 4 || sum.Letters[redrive.Redriven] != len(x.want) {
			t.Errorf("%s: left %v %s", name, b.queue.left(), diff)
		}
	}
}

func TestALetterThatTheFilterLeavesOutHasNoOtherReason(t *testing.T) {
	b := newBench(t, `[{"x":1},`+window("fleetwarden-attach-role", message("", "i-1"))+"]")
	b.Filter.ID = "i-2"
	b.do(t)
	if l := b.seen[0]; l.State != redrive.Filtered || l.Reason != "" || len(b.inboxes.got) > 0 {
		t.Errorf("got %+v", l)
	}
}

func TestALetterOfUnknownAgeFitsNoAge(t *testing.T) {
	b := newBench(t, message("push-agent", "i-1"))
	b.queue.visible[0].Enqueued = time.Time{}
	b.Filter.Until = noon
	if sum := b.do(t); sum.Letters[redrive.Filtered] != 1 {
		t.Errorf("got %+v", sum)
	}
}

func TestAQueueThatCannotBeReadIsAnError(t *testing.T) {
	for _, dry := range []bool{false, true} {
		b := newBench(t)
		b.queue.err, b.DryRun = failure{fleet.Denied}, dry
		if _, err := b.Do(t.Context()); fleet.ClassOf(err) != fleet.Denied {
			t.Errorf("dry %v: got %v", dry, err)
		}
	}
}

func TestARedriveEndsWithItsContext(t *testing.T) {
	b := newBench(t, slices.Repeat([]string{message("push-agent", "i-1")}, 40)...)
	ctx, cancel := context.WithCancel(t.Context())
	b.Seen = func(redrive.Letter) { cancel() }
	if sum, err := b.Do(ctx); !errors.Is(err, context.Canceled) || sum.Letters[redrive.Redriven] != 16 {
		t.Errorf("got %+v, %v", sum, err)
	}
}

func TestAnEmptyQueueIsNothingToDo(t *testing.T) {
	b := newBench(t)
	if sum := b.do(t); len(slices.Collect(maps.Keys(sum.Letters))) != 0 || sum.More || b.queue.calls != 1 {
		t.Errorf("got %+v", sum)
	}
}
