package mns_test

import (
	"fmt"
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

var (
	home  = fleet.Scope{Account: server.Sharer, Region: server.Home}
	inbox = simmns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-inbox"}
)

func newCloud(t *testing.T, url string) *aliyun.Cloud {
	t.Helper()
	cloud := aliyuntest.Cloud(t, url, aliyuntest.Admin())
	return cloud
}

func newClient(t *testing.T, url string) (*mns.Client, *aliyun.Session) {
	t.Helper()
	cloud := newCloud(t, url)
	queues, err := mns.Connect(cloud, home)
	if err != nil {
		t.Fatal(err)
	}
	s := cloud.NewSession(0)
	return queues.Client(s), s
}

type bench struct {
	*server.Server
	*mns.Client
	session *aliyun.Session
}

func newBench(t *testing.T, faults ...simcloud.Fault) *bench {
	t.Helper()
	srv := aliyuntest.Serve(t, server.Options{})
	if err := srv.Faults.Set(1, faults, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.MNS.Create(inbox, simmns.Defaults()); err != nil {
		t.Fatal(err)
	}
	client, session := newClient(t, srv.URL())
	return &bench{srv, client, session}
}

// stored are the bodies in the queue, sorted, delayed ones too.
func (b *bench) stored(t *testing.T) (bodies []string) {
	t.Helper()
	if err := b.World.Clock.Advance(t.Context(), mns.MaxDelay); err != nil {
		t.Fatal(err)
	}
	for {
		got, err := b.MNS.Receive(inbox, 16)
		if err != nil || len(got) == 0 {
			slices.Sort(bodies)
			return bodies
		}
		for _, m := range got {
			bodies = append(bodies, m.Body)
		}
	}
}

func some(n int) (messages []mns.Message, bodies []string) {
	for i := range n {
		body := fmt.Sprintf(`{"n":%03d,"text":"<&>"}`, i)
		messages, bodies = append(messages, mns.Message{Body: body}), append(bodies, body)
	}
	return messages, bodies
}

func TestMessagesGoSixteenACall(t *testing.T) {
	b := newBench(t)
	messages, bodies := some(40)
	stored, err := b.Send(t.Context(), inbox.Name, messages)
	if err != nil || stored != 40 {
		t.Fatalf("stored %d, %v", stored, err)
	}
	if diff := cmp.Diff(map[string]map[string]int{"mns:BatchSendMessage": {"ok": 3}}, b.session.Calls()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(bodies, b.stored(t)); diff != "" {
		t.Error(diff)
	}
}

func TestTheAnswersDateIsTheCloudsTime(t *testing.T) {
	b := newBench(t)
	if _, err := b.Send(t.Context(), inbox.Name, []mns.Message{{Body: "x"}}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.session.Now(), b.World.Clock.Now(); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSendingNoMessagesMakesNoCall(t *testing.T) {
	b := newBench(t)
	if stored, err := b.Send(t.Context(), inbox.Name, nil); err != nil || stored != 0 || len(b.session.Calls()) != 0 {
		t.Errorf("stored %d, %v, calls %v", stored, err, b.session.Calls())
	}
}

func TestCallHoldsNoMoreThan64KB(t *testing.T) {
	b := newBench(t)
	half := strings.Repeat("x", mns.MaxBytes/2)
	stored, err := b.Send(t.Context(), inbox.Name, []mns.Message{{Body: half}, {Body: half}, {Body: "y"}})
	if err != nil || stored != 3 || b.session.Calls()["mns:BatchSendMessage"]["ok"] != 2 {
		t.Errorf("stored %d, %v, calls %v, want 2", stored, err, b.session.Calls())
	}
}

func TestBodyOver64KBIsRefusedAndItsNeighboursAreStored(t *testing.T) {
	b := newBench(t)
	stored, err := b.Send(t.Context(), inbox.Name, []mns.Message{{Body: "small"}, {Body: strings.Repeat("x", mns.MaxBytes+1)}, {Body: "after"}})
	if err == nil || stored != 2 || !strings.Contains(err.Error(), "65537 bytes") {
		t.Errorf("stored %d, %v", stored, err)
	}
	if diff := cmp.Diff([]string{"after", "small"}, b.stored(t)); diff != "" {
		t.Error(diff)
	}
}

func TestDelayIsRoundedUpAndBounded(t *testing.T) {
	for delay, want := range map[time.Duration]time.Duration{
		0: 0, -time.Minute: 0, time.Nanosecond: time.Second, 90 * time.Second: 90 * time.Second,
		1500 * time.Millisecond: 2 * time.Second, 30 * 24 * time.Hour: mns.MaxDelay,
	} {
		b := newBench(t)
		if _, err := b.Send(t.Context(), inbox.Name, []mns.Message{{Body: "x", Delay: delay}}); err != nil {
			t.Fatal(err)
		}
		if want > 0 {
			if err := b.World.Clock.Advance(t.Context(), want-time.Millisecond); err != nil {
				t.Fatal(err)
			}
			if n := b.MNS.Visible(inbox); n != 0 {
				t.Errorf("delay %v: it is there before %v", delay, want)
			}
			if err := b.World.Clock.Advance(t.Context(), time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		if n := b.MNS.Visible(inbox); n != 1 {
			t.Errorf("delay %v: it is not there after %v", delay, want)
		}
	}
}

func TestSendThatFailsForAMomentIsRepeated(t *testing.T) {
	for kind, x := range map[simcloud.FaultKind]struct {
		result string
		copies int
	}{
		simcloud.Throttle: {"throttled", 1}, simcloud.Unavailable: {"unavailable", 1}, simcloud.InternalError: {"unavailable", 1},
		simcloud.TimeoutBefore: {"unavailable", 1},
		// The answer was lost: the messages come twice, which does no harm.
		simcloud.TimeoutAfter: {"unavailable", 2}, simcloud.Empty: {"unavailable", 2},
	} {
		t.Run(string(kind), func(t *testing.T) {
			b := newBench(t, simcloud.Fault{Product: "mns", Kind: kind, Count: 1})
			stored, err := b.Send(t.Context(), inbox.Name, []mns.Message{{Body: "x"}})
			if err != nil || stored != 1 {
				t.Fatalf("stored %d, %v", stored, err)
			}
			want := map[string]map[string]int{"mns:BatchSendMessage": {x.result: 1, "ok": 1}}
			if diff := cmp.Diff(want, b.session.Calls()); diff != "" {
				t.Error(diff)
			}
			if got := b.stored(t); len(got) != x.copies {
				t.Errorf("%d copies, want %d", len(got), x.copies)
			}
		})
	}
}

func TestAFailingSendReturnsTheNumberStored(t *testing.T) {
	b := newBench(t, simcloud.Fault{Product: "mns", Kind: simcloud.Throttle, Skip: 1})
	messages, bodies := some(20)
	stored, err := b.Send(t.Context(), inbox.Name, messages)
	if stored != 16 || fleet.ClassOf(err) != fleet.Throttled || fleet.CodeOf(err) != "QpsLimitExceeded" {
		t.Errorf("stored %d, %v", stored, err)
	}
	if diff := cmp.Diff(bodies[:16], b.stored(t)); diff != "" {
		t.Error(diff)
	}
}

func TestSendToAQueueThatDoesNotExistIsNotFound(t *testing.T) {
	b := newBench(t)
	stored, err := b.Send(t.Context(), "fleetwarden-missing", []mns.Message{{Body: "x"}})
	if stored != 0 || fleet.ClassOf(err) != fleet.NotFound || !strings.Contains(err.Error(), "fleetwarden-missing") {
		t.Errorf("stored %d, %v", stored, err)
	}
}

func TestSendWithoutPermissionIsDenied(t *testing.T) {
	b := newBench(t)
	if err := b.RAM.AddUser(server.Sharer, "weak", "weak-ak", "weak-sk"); err != nil {
		t.Fatal(err)
	}
	cloud := aliyuntest.Cloud(t, b.URL(), aliyun.Keys{AccessKeyID: "weak-ak", AccessKeySecret: "weak-sk"})
	queues, err := mns.Connect(cloud, home)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := queues.Client(cloud.NewSession(0)).Send(t.Context(), inbox.Name, []mns.Message{{Body: "x"}})
	if stored != 0 || fleet.ClassOf(err) != fleet.Denied {
		t.Errorf("stored %d, %v", stored, err)
	}
}
