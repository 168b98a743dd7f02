package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/stage"
)

// lossy is a write of attach-role, and the story in which it is called.
type lossy struct {
	api  string // product:Action
	most int    // how often it may be carried out
	o    stage.Options
	role string // of the instance, at first
}

// writes are all writes of attach-role. A fresh role is seen at once, so that a story
// in which nothing goes wrong has each of them once.
func writes() []lossy {
	fresh := stage.Options{Propagation: -1}
	replace := stage.Options{Policy: "replace.yaml", Optional: []string{"attach-role-replace"}, Propagation: -1}
	return []lossy{
		{"ram:CreateRole", 1, fresh, "-"},
		{"ram:CreatePolicy", 1, fresh, "-"},
		{"ram:AttachPolicyToRole", 1, fresh, "-"},
		{"ecs:AttachInstanceRamRole", 1, fresh, "-"},
		{"ecs:DetachInstanceRamRole", 1, replace, "app-role"},
		{"ecs:AttachInstanceRamRole", 2, replace, "app-role"},
		// Messages are sent when ECS does not see the role yet. One that comes twice does
		// no harm, so it is sent again.
		{"mns:BatchSendMessage", 2, stage.Options{}, "-"},
	}
}

func TestAWriteWhoseAnswerIsLostIsNotDoneTwice(t *testing.T) {
	t.Parallel()
	for _, kind := range []simcloud.FaultKind{simcloud.TimeoutAfter, simcloud.Empty} {
		for _, w := range writes() {
			t.Run(w.name(kind), func(t *testing.T) {
				t.Parallel()
				s := w.fails(t, kind)
				if n := count(s, "attach-role", w.api, carriedOut); n < 1 || n > w.most {
					t.Errorf("%s was carried out %d times, want 1 to %d; records:\n%s", w.api, n, w.most, records(t, s))
				}
			})
		}
	}
}

func TestAWriteThatWasNotCarriedOutIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, kind := range []simcloud.FaultKind{simcloud.TimeoutBefore, simcloud.Throttle, simcloud.Unavailable, simcloud.InternalError} {
		for _, w := range writes() {
			t.Run(w.name(kind), func(t *testing.T) {
				t.Parallel()
				w.fails(t, kind)
			})
		}
	}
}

func (w lossy) name(kind simcloud.FaultKind) string {
	return fmt.Sprintf("%s for an instance with role %s: %s", w.api, w.role, kind)
}

// fails runs the story with one call going wrong, and checks that the world is right
// in the end.
func (w lossy) fails(t *testing.T, kind simcloud.FaultKind) *stage.Stage {
	t.Helper()
	s := play(t, alone("attach-role", w.o))
	standing(t, s, "app-role", "oss-read.json")
	id := old(t, s, w.role)
	const caller = "fleetwarden-attach-role"
	product, action, _ := strings.Cut(w.api, ":")
	fault := simcloud.Fault{Product: product, Action: action, Role: caller, Kind: kind, Count: 1}
	if err := s.Server.Faults.Set(1, []simcloud.Fault{fault}, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	settle(t, s)
	if s.Server.Faults.Next(simcloud.FaultCall{Product: product, Action: action, Role: caller}) != simcloud.NoFault {
		t.Errorf("%s was not called often enough for anything to go wrong", w.api)
	}
	wantRole(t, s, id)
	if n := deadLetters(s); n > 0 {
		t.Errorf("%d dead letters", n)
	}
	return s
}
