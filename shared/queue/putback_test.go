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

// The class: nothing goes round for ever. Whatever a newer message is, its way through an
// inbox has an end, and what it says stays as it is.
func TestANewerMessageIsPutBackWithGrowingDelayAndThenADeadLetter(t *testing.T) {
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
				t.Fatal("it never ends")
			}
			if err = inbox.PutBack(t.Context(), []byte(at)); err == nil {
				last := s.sent[len(s.sent)-1]
				if last.Queue != "fleetwarden-attach-role" {
					t.Errorf("put back into %s", last.Queue)
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
		if letter.Queue != queue.DeadLetters || !strings.Contains(err.Error(), "put back 10 times") {
			t.Errorf("the last goes to %s: %v", letter.Queue, err)
		}
		if diff := cmp.Diff(members(t, body), members(t, letter.Body)); diff != "" {
			t.Errorf("what it says has changed: %s", diff)
		}
	}
}

// members are those of a message, but for the one that counts.
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
		if err := queue.New(s, "attach-role").PutBack(t.Context(), []byte(body)); !errors.Is(err, errFull) || errors.As(err, new(*fleet.BadInput)) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// A message without room for the count, or that cannot be counted, is a dead letter at once; one that no
// queue can take is reported.
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
		err := queue.New(s, "attach-role").PutBack(t.Context(), []byte(c.body))
		if !errors.As(err, new(*fleet.BadInput)) || len(s.sent) != c.queues || c.queues > 0 && (s.sent[0].Queue != queue.DeadLetters || s.sent[0].Body != c.body) {
			t.Errorf("%d bytes: %v, sent to %d", len(c.body), err, len(s.sent))
		}
	}
}

func FuzzANewerMessageIsPutBackOrGivenUp(f *testing.F) {
	for _, s := range []string{`{"v":2}`, `{"v":2,"putBack":9}`, `{"v":2,"putBack":1e9}`, `[]`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := &sender{}
		err := queue.New(s, "sweep").PutBack(t.Context(), body)
		if len(s.sent) == 0 && err == nil || err == nil && s.sent[0].Delay == 0 {
			t.Errorf("%v, sent %v", err, s.sent)
		}
	})
}
