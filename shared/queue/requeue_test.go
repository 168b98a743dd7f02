package queue_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/queue"
)

// No newer message is re-queued forever, whatever its content, and its content stays
// unchanged.
func TestANewerMessageIsRequeuedWithGrowingDelayAndThenADeadLetter(t *testing.T) {
	for _, body := range []string{
		`{"v": 2, "everything": {"is": ["different", 1.50, null]}}`,
		`{"v":2,"putBack":"often"}`, `{"v":2,"putBack":-9000}`, `{}`,
	} {
		s := &sender{}
		inbox := queue.New(s, "attach-role")
		var waits []time.Duration
		at, err := body, error(nil)
		for err == nil {
			if len(waits) > 100 {
				t.Fatal("it is re-queued forever")
			}
			if err = inbox.Requeue(t.Context(), []byte(at)); err == nil {
				last := s.sent[len(s.sent)-1]
				if last.Queue != "fleetwarden-attach-role" {
					t.Errorf("re-queued to %s", last.Queue)
				}
				at, waits = last.Body, append(waits, last.Delay)
			}
		}
		want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60, 60}
		for i := range want {
			want[i] *= time.Minute
		}
		if diff := cmp.Diff(want, waits); diff != "" || !errors.As(err, new(*fleet.BadInput)) {
			t.Errorf("%s: %v %s", body, err, diff)
		}
		letter := s.sent[len(s.sent)-1]
		if letter.Queue != queue.DeadLetters || !strings.Contains(err.Error(), "re-queued 10 times") {
			t.Errorf("the last goes to %s: %v", letter.Queue, err)
		}
		if diff := cmp.Diff(members(t, body), members(t, letter.Body)); diff != "" {
			t.Errorf("the content has changed: %s", diff)
		}
	}
}

// members returns the members of a message without the count.
func members(t *testing.T, body string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatal(err)
	}
	delete(out, "putBack")
	return out
}

func TestANewerMessageThatNoQueueTakesIsAnError(t *testing.T) {
	for _, body := range []string{`{"v":2}`, `{"v":2,"putBack":10}`} {
		s := &sender{sent: make([]sent, 1), full: 1}
		if err := queue.New(s, "attach-role").Requeue(t.Context(), []byte(body)); !errors.Is(err, errFull) || errors.As(err, new(*fleet.BadInput)) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// A message that has no room for the count, or is no object, is a dead letter at once;
// one that is too long for any queue is reported.
func TestANewerMessageThatCannotBeCountedIsADeadLetter(t *testing.T) {
	for _, c := range []struct {
		body   string
		queues int
	}{
		{`{"v":2,"x":"` + strings.Repeat("y", mns.MaxBytes-14) + `"}`, 1},
		{`[2]`, 1},
		{`null`, 1},
		{`{"v":2,"x":"` + strings.Repeat("y", mns.MaxBytes) + `"}`, 0},
	} {
		s := &sender{}
		err := queue.New(s, "attach-role").Requeue(t.Context(), []byte(c.body))
		if !errors.As(err, new(*fleet.BadInput)) || len(s.sent) != c.queues || c.queues > 0 && (s.sent[0].Queue != queue.DeadLetters || s.sent[0].Body != c.body) {
			t.Errorf("%d bytes: %v, sent to %d", len(c.body), err, len(s.sent))
		}
	}
}

func FuzzANewerMessageIsRequeuedOrGivenUp(f *testing.F) {
	for _, s := range []string{`{"v":2}`, `{"v":2,"putBack":9}`, `{"v":2,"putBack":1e9}`, `[]`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := &sender{}
		err := queue.New(s, "sweep").Requeue(t.Context(), body)
		if len(s.sent) == 0 && err == nil || err == nil && s.sent[0].Delay == 0 {
			t.Errorf("%v, sent %v", err, s.sent)
		}
	})
}
