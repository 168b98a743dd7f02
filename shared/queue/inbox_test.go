package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/queue"
)

var here = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}

// sent is a message as it arrived.
type sent struct {
	Queue, Body string
	Delay       time.Duration
}

// sender stores messages until it is full.
type sender struct {
	sent []sent
	full int // 0: never
}

var errFull = errors.New("no more room")

func (s *sender) Send(_ context.Context, name string, messages []mns.Message) (int, error) {
	for i, m := range messages {
		if s.full > 0 && len(s.sent) == s.full {
			return i, errFull
		}
		s.sent = append(s.sent, sent{name, m.Body, m.Delay})
	}
	return len(messages), nil
}

func refs(n int) []fleet.Ref {
	out := make([]fleet.Ref, n)
	for i := range out {
		out[i] = fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: fmt.Sprintf("i-%03d", i)}
	}
	return out
}

func TestAgainPutsRefsIntoTheFunctionsOwnInbox(t *testing.T) {
	s := &sender{}
	if err := queue.New(s, "attach-role").Again(t.Context(), refs(2), 15*time.Second); err != nil {
		t.Fatal(err)
	}
	want := []sent{{"fleetwarden-attach-role", `{"v":1,"function":"attach-role","scope":{"account":"1000000000000001","region":"cn-hangzhou"},"kind":"instance","ids":["i-000","i-001"],"try":0}`, 15 * time.Second}}
	if diff := cmp.Diff(want, s.sent); diff != "" {
		t.Error(diff)
	}
}

func TestAHundredRefsAreOneMessage(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 100: 1, 101: 2, 250: 3} {
		s := &sender{}
		if err := queue.New(s, "f").Again(t.Context(), refs(n), 0); err != nil || len(s.sent) != want {
			t.Errorf("%d refs: %d messages, error %v; want %d", n, len(s.sent), err, want)
		}
	}
}

func TestAnErrorOfSendingSaysHowManyMessagesAreStored(t *testing.T) {
	s := &sender{full: 1}
	err := queue.New(s, "f").Again(t.Context(), refs(250), 0)
	if !errors.Is(err, errFull) || !strings.Contains(err.Error(), "1 of 3") {
		t.Errorf("got %v", err)
	}
}

func change(kind fleet.ChangeKind, id string) fleet.Change {
	return fleet.Change{Kind: kind, Ref: fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: id}, Want: "an order"}
}

func TestForwardEnqueuesEachResourceOnceForItsOwner(t *testing.T) {
	s := &sender{}
	err := queue.New(s, "sweep").Forward(t.Context(), []fleet.Change{
		change(fleet.EnsureRole, "i-1"), change(fleet.AttachRole, "i-1"), change(fleet.TagInstance, "i-1"), change(fleet.ReplaceRole, "i-2"),
	})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"v":1,"function":"%s","scope":{"account":"1000000000000001","region":"cn-hangzhou"},"kind":"instance","ids":[%s],"try":0}`
	want := []sent{
		{"fleetwarden-attach-role", fmt.Sprintf(body, "attach-role", `"i-1","i-2"`), 0},
		{"fleetwarden-validate-instance", fmt.Sprintf(body, "validate-instance", `"i-1"`), 0},
	}
	if diff := cmp.Diff(want, s.sent); diff != "" {
		t.Error(diff)
	}
}

func TestAMessageCarriesNoOrder(t *testing.T) {
	s := &sender{}
	if err := queue.New(s, "sweep").Forward(t.Context(), []fleet.Change{change(fleet.StopInstance, "i-1")}); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"order", "stop"} {
		if strings.Contains(s.sent[0].Body, word) {
			t.Errorf("%s holds %q", s.sent[0].Body, word)
		}
	}
}

func TestEveryKindOfChangeHasAnOwner(t *testing.T) {
	for kind, want := range map[fleet.ChangeKind]string{
		fleet.EnsureRole: "fleetwarden-attach-role", fleet.GrantRole: "fleetwarden-attach-role", fleet.AttachRole: "fleetwarden-attach-role", fleet.ReplaceRole: "fleetwarden-attach-role",
		fleet.TagInstance: "fleetwarden-validate-instance", fleet.StopInstance: "fleetwarden-validate-instance",
	} {
		s := &sender{}
		if err := queue.New(s, "sweep").Forward(t.Context(), []fleet.Change{change(kind, "i-1")}); err != nil || s.sent[0].Queue != want {
			t.Errorf("%s: %+v, error %v; want %s", kind, s.sent, err, want)
		}
	}
}

func TestAChangeWithoutAnOwnerIsAnErrorBeforeAnythingIsSent(t *testing.T) {
	s := &sender{}
	err := queue.New(s, "sweep").Forward(t.Context(), []fleet.Change{change(fleet.AttachRole, "i-1"), change("invented", "i-2")})
	if err == nil || !strings.Contains(err.Error(), "invented") || len(s.sent) != 0 {
		t.Errorf("error %v, sent %v", err, s.sent)
	}
}

func TestAFailingForwardIsAnError(t *testing.T) {
	s := &sender{full: 1}
	err := queue.New(s, "sweep").Forward(t.Context(), []fleet.Change{change(fleet.AttachRole, "i-1"), change(fleet.TagInstance, "i-1")})
	if !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

func TestLaterEnqueuesWithADelayAndBuryMakesDeadLettersWithTheirFunction(t *testing.T) {
	s := &sender{}
	in := queue.New(s, "sweep")
	if err := in.Later(t.Context(), "sweep", refs(1), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := in.Bury(t.Context(), refs(1)); err != nil {
		t.Fatal(err)
	}
	body := `{"v":1,"function":"sweep","scope":{"account":"1000000000000001","region":"cn-hangzhou"},"kind":"instance","ids":["i-000"],"try":0}`
	if diff := cmp.Diff([]sent{{"fleetwarden-sweep", body, time.Minute}, {queue.DeadLetters, body, 0}}, s.sent); diff != "" {
		t.Error(diff)
	}
	if err := in.Later(t.Context(), "doctor", refs(1), 0); err == nil {
		t.Error("the doctor has no inbox")
	}
}
