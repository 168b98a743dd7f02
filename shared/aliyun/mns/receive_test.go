package mns_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	simmns "fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
)

// fill sends n messages.
func (b *bench) fill(t *testing.T, n int) []string {
	t.Helper()
	messages, bodies := some(n)
	if _, err := b.Send(t.Context(), inbox.Name, messages); err != nil {
		t.Fatal(err)
	}
	return bodies
}

func bodiesOf(got []mns.Received) (out []string) {
	for _, m := range got {
		out = append(out, m.Body)
	}
	return out
}

func handlesOf(got []mns.Received) (out []string) {
	for _, m := range got {
		out = append(out, m.Handle)
	}
	return out
}

func (b *bench) pass(t *testing.T, d time.Duration) {
	t.Helper()
	if err := b.World.Clock.Advance(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func TestPeekShowsMessagesAndLeavesThem(t *testing.T) {
	b := newBench(t)
	bodies := b.fill(t, 2)
	for range 2 {
		got, err := b.Peek(t.Context(), inbox.Name, mns.MaxBatch)
		if err != nil || !slices.Equal(bodiesOf(got), bodies) {
			t.Fatalf("got %v, %v", got, err)
		}
		if m := got[0]; m.ID == "" || m.Handle != "" || !m.NextVisible.IsZero() || m.Deliveries != 0 || !m.Enqueued.Equal(b.World.Clock.Now()) {
			t.Errorf("got %+v", m)
		}
	}
	if n := b.MNS.Visible(inbox); n != 2 {
		t.Errorf("%d visible, want 2", n)
	}
}

func TestReceiveHidesWhatItTakesUntilItsTimeIsOver(t *testing.T) {
	b := newBench(t)
	bodies := b.fill(t, 18)
	first, err := b.Receive(t.Context(), inbox.Name, 99)
	if err != nil || len(first) != mns.MaxBatch || first[0].Handle == "" || first[0].Deliveries != 1 {
		t.Fatalf("got %d, %v", len(first), err)
	}
	rest, err := b.Receive(t.Context(), inbox.Name, mns.MaxBatch)
	if diff := cmp.Diff(bodies, append(bodiesOf(first), bodiesOf(rest)...)); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	hidden := time.Duration(simmns.Defaults().VisibilityTimeout) * time.Second
	if want := b.World.Clock.Now().Add(hidden); !first[0].NextVisible.Equal(want) {
		t.Errorf("visible again at %v, want %v", first[0].NextVisible, want)
	}
	b.pass(t, hidden)
	again, err := b.Receive(t.Context(), inbox.Name, 1)
	if err != nil || len(again) != 1 || again[0].ID != first[0].ID || again[0].Deliveries != 2 {
		t.Errorf("got %+v, %v", again, err)
	}
}

func TestAnEmptyQueueIsNoError(t *testing.T) {
	b := newBench(t)
	for name, read := range map[string]func() ([]mns.Received, error){
		"mns:BatchPeekMessage":    func() ([]mns.Received, error) { return b.Peek(t.Context(), inbox.Name, 1) },
		"mns:BatchReceiveMessage": func() ([]mns.Received, error) { return b.Receive(t.Context(), inbox.Name, 1) },
	} {
		if got, err := read(); err != nil || got != nil {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		if diff := cmp.Diff(map[string]int{"ok": 1}, b.session.Calls()[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestReadingDoesNotWaitAtAQueueThatPollsLong(t *testing.T) {
	b := newBench(t)
	if err := b.MNS.SetAttributes(inbox, func(a *simmns.Attributes) { a.PollingWaitSeconds = 30 }); err != nil {
		t.Fatal(err)
	}
	start := b.World.Clock.Now()
	if got, err := b.Receive(t.Context(), inbox.Name, 1); err != nil || got != nil || !b.World.Clock.Now().Equal(start) {
		t.Errorf("got %v, %v after %v", got, err, b.World.Clock.Now().Sub(start))
	}
}

func TestAQueueThatDoesNotExistIsNotFoundAndNotEmpty(t *testing.T) {
	b := newBench(t)
	_, peek := b.Peek(t.Context(), "fleetwarden-missing", 1)
	_, receive := b.Receive(t.Context(), "fleetwarden-missing", 1)
	gone := b.Delete(t.Context(), "fleetwarden-missing", []string{"x"})
	for name, err := range map[string]error{"peek": peek, "receive": receive, "delete": gone[0]} {
		if fleet.CodeOf(err) != "QueueNotExist" || fleet.ClassOf(err) != fleet.NotFound || !strings.Contains(err.Error(), "fleetwarden-missing") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestReadingAndDeletingAreRepeatedWhenTheyFailForAMoment(t *testing.T) {
	for _, kind := range []simcloud.FaultKind{simcloud.Throttle, simcloud.Unavailable, simcloud.TimeoutBefore, simcloud.Empty} {
		for _, action := range []string{"BatchPeekMessage", "BatchReceiveMessage"} {
			b := newBench(t, simcloud.Fault{Product: "mns", Action: action, Kind: kind, Count: 1})
			b.fill(t, 17)
			read := b.Peek
			if action == "BatchReceiveMessage" {
				read = b.Receive
			}
			got, err := read(t.Context(), inbox.Name, 16)
			if calls := b.session.Calls()["mns:"+action]; err != nil || len(got) == 0 || len(calls) != 2 {
				t.Errorf("%s %s: got %d, %v, calls %v", action, kind, len(got), err, calls)
			}
		}
	}
}

func TestReadingGivesUpInTheEnd(t *testing.T) {
	b := newBench(t, simcloud.Fault{Product: "mns", Kind: simcloud.Throttle})
	_, peek := b.Peek(t.Context(), inbox.Name, 1)
	_, receive := b.Receive(t.Context(), inbox.Name, 1)
	gone := b.Delete(t.Context(), inbox.Name, []string{"x", "y"})
	for _, err := range append(gone, peek, receive) {
		if fleet.ClassOf(err) != fleet.Throttled {
			t.Errorf("got %v", err)
		}
	}
	if len(gone) != 2 {
		t.Errorf("%d errors of 2 handles", len(gone))
	}
}

func TestDeletedMessagesAreGone(t *testing.T) {
	b := newBench(t)
	bodies := b.fill(t, 20)
	var got []mns.Received
	for range 2 {
		part, err := b.Receive(t.Context(), inbox.Name, 16)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part...)
	}
	for _, err := range b.Delete(t.Context(), inbox.Name, handlesOf(got)[1:]) {
		if err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(map[string]int{"ok": 2}, b.session.Calls()["mns:BatchDeleteMessage"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(bodies[:1], b.stored(t)); diff != "" {
		t.Error(diff)
	}
}

func TestAHandleThatHasRunOutIsItsOwnErrorAndItsNeighboursAreDeleted(t *testing.T) {
	b := newBench(t)
	b.fill(t, 3)
	old, err := b.Receive(t.Context(), inbox.Name, 1)
	if err != nil {
		t.Fatal(err)
	}
	b.pass(t, time.Duration(simmns.Defaults().VisibilityTimeout)*time.Second)
	got, err := b.Receive(t.Context(), inbox.Name, 3)
	if err != nil || len(got) != 3 {
		t.Fatalf("got %v, %v", got, err)
	}
	errs := b.Delete(t.Context(), inbox.Name, []string{got[1].Handle, old[0].Handle, got[2].Handle})
	if errs[0] != nil || fleet.ClassOf(errs[1]) != fleet.NotFound || errs[2] != nil {
		t.Errorf("got %v", errs)
	}
	if left := b.stored(t); len(left) != 1 {
		t.Errorf("left %v", left)
	}
}

func TestDeletingNoMessagesMakesNoCall(t *testing.T) {
	b := newBench(t)
	if errs := b.Delete(t.Context(), inbox.Name, nil); len(errs) != 0 || len(b.session.Calls()) != 0 {
		t.Errorf("got %v, calls %v", errs, b.session.Calls())
	}
}

func TestDeleteWhoseAnswerWasLostIsRepeatedAndSaysWhatItFinds(t *testing.T) {
	b := newBench(t, simcloud.Fault{Product: "mns", Action: "BatchDeleteMessage", Kind: simcloud.TimeoutAfter, Count: 1})
	b.fill(t, 1)
	got, err := b.Receive(t.Context(), inbox.Name, 1)
	if err != nil {
		t.Fatal(err)
	}
	// The first call deleted it: the second one's answer is ambiguous.
	if errs := b.Delete(t.Context(), inbox.Name, handlesOf(got)); fleet.ClassOf(errs[0]) != fleet.NotFound {
		t.Errorf("got %v", errs)
	}
	if left := b.stored(t); left != nil {
		t.Errorf("left %v", left)
	}
}

func TestReadingAndDeletingWithoutPermissionAreDenied(t *testing.T) {
	b := newBench(t)
	b.fill(t, 1)
	if err := b.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	cloud := aliyuntest.Cloud(t, b.URL(), aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"})
	queues, err := mns.Connect(cloud, home)
	if err != nil {
		t.Fatal(err)
	}
	weak := queues.Client(cloud.NewSession(0))
	_, peek := weak.Peek(t.Context(), inbox.Name, 1)
	_, receive := weak.Receive(t.Context(), inbox.Name, 1)
	for _, err := range []error{peek, receive, weak.Delete(t.Context(), inbox.Name, []string{"x"})[0]} {
		if fleet.ClassOf(err) != fleet.Denied {
			t.Errorf("got %v", err)
		}
	}
}

func TestSpentBudgetReadsAndDeletesNothing(t *testing.T) {
	b := newBench(t)
	b.fill(t, 1)
	cloud := newCloud(t, b.URL())
	queues, err := mns.Connect(cloud, home)
	if err != nil {
		t.Fatal(err)
	}
	spent := cloud.NewSession(0)
	spent.Limit(map[string]int{"BatchPeekMessage": 0, "BatchReceiveMessage": 1, "BatchDeleteMessage": 0})
	client := queues.Client(spent)
	got, err := client.Receive(t.Context(), inbox.Name, 1)
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	_, peek := client.Peek(t.Context(), inbox.Name, 1)
	_, again := client.Receive(t.Context(), inbox.Name, 1)
	for _, err := range append(client.Delete(t.Context(), inbox.Name, handlesOf(got)), peek, again) {
		if fleet.ClassOf(err) != fleet.OutOfBudget {
			t.Errorf("got %v", err)
		}
	}
}

func TestAnswersWithoutMessagesAreErrors(t *testing.T) {
	const noID = `<Messages><Message><MessageBody>x</MessageBody></Message></Messages>`
	for _, body := range []string{"", "ok", "<Messages/>", "<Error/>", noID} {
		url, _ := answering(t, 200, body)
		client, _ := newClient(t, url)
		_, peek := client.Peek(t.Context(), inbox.Name, 1)
		_, receive := client.Receive(t.Context(), inbox.Name, 1)
		for _, err := range append(client.Delete(t.Context(), inbox.Name, []string{"x"}), peek, receive) {
			if err == nil || fleet.ClassOf(err) == fleet.NotFound {
				t.Errorf("%q: got %v", body, err)
			}
		}
	}
}

func TestADeleteAnswerAboutOtherHandlesIsAnError(t *testing.T) {
	for _, handle := range []string{"", "<ReceiptHandle>other</ReceiptHandle>"} {
		url, _ := answering(t, 404, "<Errors><Error><ErrorCode>MessageNotExist</ErrorCode>"+handle+"</Error></Errors>")
		client, _ := newClient(t, url)
		for _, err := range client.Delete(t.Context(), inbox.Name, []string{"x", "y"}) {
			if fleet.ClassOf(err) != fleet.Unavailable {
				t.Errorf("%q: got %v", handle, err)
			}
		}
	}
}

func TestHandlesStandInNoError(t *testing.T) {
	url, _ := answering(t, 418, "not XML canary-4711")
	client, _ := newClient(t, url)
	_, peek := client.Peek(t.Context(), inbox.Name, 1)
	for _, err := range append(client.Delete(t.Context(), inbox.Name, []string{"canary-4711"}), peek) {
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("got %v", err)
		}
	}
}
