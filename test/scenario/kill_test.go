package scenario_test

import (
	"fmt"
	"testing"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/stage"
)

// TestAFunctionThatDiesAtAnyCallLeavesNothingUndone kills attach-role with SIGKILL at
// each of its API calls in turn, before it is carried out and after, and lets the
// platform go on. Only one event ever woke the function.
func TestAFunctionThatDiesAtAnyCallLeavesNothingUndone(t *testing.T) {
	t.Parallel()
	stories := map[string]struct {
		o    stage.Options
		role string
	}{
		"a role to make and attach": {stage.Options{}, "-"},
		"a role to replace":         {stage.Options{Policy: "replace.yaml", Optional: []string{"attach-role-replace"}}, "app-role"},
	}
	for name, story := range stories {
		for n := range calls(t, story.o, story.role) {
			for _, when := range []fc.When{fc.Before, fc.After} {
				t.Run(fmt.Sprintf("%s: call %d, carried out %t", name, n+1, when), func(t *testing.T) {
					t.Parallel()
					s := play(t, alone("attach-role", story.o))
					standing(t, s, "app-role", "oss-read.json")
					s.Stack.Kill("attach-role", n+1, when)
					id := old(t, s, story.role)
					settle(t, s)
					wantRole(t, s, id)
					wantDeath(t, s)
					wantAccount(t, s, id)
				})
			}
		}
	}
}

// calls is how many calls attach-role needs when nothing happens to it.
func calls(t *testing.T, o stage.Options, role string) int {
	t.Helper()
	s := play(t, alone("attach-role", o))
	standing(t, s, "app-role", "oss-read.json")
	id := old(t, s, role)
	settle(t, s)
	wantRole(t, s, id)
	return count(s, "attach-role", "*", anyCode)
}

// wantDeath checks that a process did die, once, and that nothing was given up.
func wantDeath(t *testing.T, s *stage.Stage) {
	t.Helper()
	died := 0
	for _, i := range s.Stack.Invocations() {
		if i.ErrorType != "" && i.ErrorType != fc.Exhausted { // that one waits for its turn
			died++
		}
	}
	if died != 1 || deadLetters(s) != 0 {
		t.Errorf("%d invocations failed, want 1; %d dead letters, want 0", died, deadLetters(s))
	}
}
